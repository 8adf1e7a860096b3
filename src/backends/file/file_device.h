// A file disk that has been opened.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "backends/file/file_condition.h"
#include "engine/file_io.h"
#include "lunar/block/device.h"

namespace lunar::backends {

// The size that a regular file had when it was last served for writing: one that has less has been
// truncated, and is not made larger again without a word. Where the file system keeps attributes.
[[nodiscard]] std::optional<std::uint64_t> last_size(const engine::File& file);
void remember_size(engine::File& file, std::uint64_t bytes);

class FileDevice final : public block::Device {
 public:
  struct Parts {
    std::unique_ptr<engine::File> file;
    std::string path;
    bool writable = true;
    bool buffered = false;
    block::Limits limits{};
    std::unique_ptr<block::Device> protection_area{};  // or null
    std::uint8_t protection_type = 0;
  };

  FileDevice(std::string name, Uuid uuid, Parts parts);

  [[nodiscard]] const char* kind() const override { return "file"; }
  [[nodiscard]] std::string location() const override { return parts_.path; }
  [[nodiscard]] const block::Limits& limits() const override { return parts_.limits; }
  [[nodiscard]] const block::Capabilities& capabilities() const override { return capabilities_; }
  [[nodiscard]] block::ProtectionRoom protection_room() override;
  Result<std::unique_ptr<block::Channel>> open_channel(engine::Shard& shard) override;
  Result<BlockCount> resize(std::optional<ByteCount> size) override;
  [[nodiscard]] Result<block::Extent> extent_at(Lba lba, BlockCount count) const override;

 private:
  [[nodiscard]] std::uint64_t size_bytes() const { return parts_.limits.size().value; }
  Result<std::uint64_t> resize_file(std::optional<ByteCount> size);

  Parts parts_;
  block::Capabilities capabilities_;
  mutable FileCondition condition_;
};

}  // namespace lunar::backends

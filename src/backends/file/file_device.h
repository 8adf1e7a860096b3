// A file disk that has been opened, or whose file is still to come.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "backends/file/file_medium.h"
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
    std::shared_ptr<FileMedium> medium;  // null: it is missing
    std::string path;
    bool writable = true;
    block::Limits limits{};
    std::unique_ptr<block::Device> protection_area{};  // or null
    std::uint8_t protection_type = 0;
    // For one that is missing: opens it. Blocking. An error: it is not there yet.
    std::function<Result<std::shared_ptr<FileMedium>>()> open{};
    // Called when the size has changed, to keep what the disk is. Or empty.
    std::function<void(const block::Limits&)> remember{};
  };

  FileDevice(std::string name, Uuid uuid, Parts parts);

  [[nodiscard]] const char* kind() const override { return "file"; }
  [[nodiscard]] std::string location() const override { return parts_.path; }
  [[nodiscard]] const block::Limits& limits() const override { return parts_.limits; }
  [[nodiscard]] const block::Capabilities& capabilities() const override { return capabilities_; }
  [[nodiscard]] block::ProtectionRoom protection_room() override;
  void begin_open_channel(engine::Shard& shard,
                          block::Reply<std::unique_ptr<block::Channel>> reply) override;
  Result<BlockCount> resize(std::optional<ByteCount> size) override;
  [[nodiscard]] Result<block::Extent> extent_at(Lba lba, BlockCount count) const override;

 private:
  [[nodiscard]] std::uint64_t size_bytes() const { return parts_.limits.size().value; }
  // Null: it is missing.
  [[nodiscard]] std::shared_ptr<FileMedium> medium() const;
  Result<std::shared_ptr<FileMedium>> wait_for_medium();
  Result<std::uint64_t> resize_file(FileMedium& medium, std::optional<ByteCount> size);

  Parts parts_;
  block::Capabilities capabilities_;
  std::mutex opening_;        // one tries at a time; not on shards
  mutable std::mutex mutex_;  // of parts_.medium
};

}  // namespace lunar::backends

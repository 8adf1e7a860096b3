#include <algorithm>
#include <cerrno>
#include <cstring>

#include "engine/sim/world.h"

namespace lunar::engine::sim {
namespace {

class SimFile final : public File {
 public:
  SimFile(World& world, SimFileIo::Contents& contents, bool writable, bool created)
      : world_(world), contents_(contents), writable_(writable) {
    info_.size = contents.bytes.size();
    info_.created = created;
  }
  ~SimFile() override { contents_.locked = false; }

  [[nodiscard]] const FileInfo& info() const override { return info_; }

  Result<std::uint64_t> resize(std::uint64_t bytes) override {
    if (bytes != 0) contents_.bytes.resize(bytes);
    info_.size = contents_.bytes.size();
    return info_.size;
  }

  [[nodiscard]] std::optional<std::uint64_t> size_now() const override {
    return contents_.bytes.size();
  }

  void submit(Shard& shard, FileOp& op) override {
    auto& driver = static_cast<SimDriver&>(shard.driver());
    driver.at(world_.clock().now_ns() + world_.faults().file_latency_ns, [this, &op] {
      op.result = world_.chance(world_.faults().file_error) ? -EIO : perform(op);
      op.run = [](Runnable& runnable) noexcept {
        auto& self = static_cast<FileOp&>(runnable);
        self.done(self);
      };
      Shard::current()->enqueue(op);
    });
  }

  [[nodiscard]] Result<FileExtent> extent_at(std::uint64_t offset,
                                             std::uint64_t length) const override {
    return FileExtent{offset, length, true};
  }
  [[nodiscard]] Result<std::string> attribute(const std::string& name) const override {
    const auto found = contents_.attributes.find(name);
    if (found == contents_.attributes.end()) return fail(ErrorCode::not_found, "no such attribute");
    return found->second;
  }
  Result<void> set_attribute(const std::string& name, const std::string& value,
                             bool only_new) override {
    if (only_new && contents_.attributes.contains(name))
      return fail(ErrorCode::already_exists, "there is such an attribute");
    contents_.attributes[name] = value;
    return {};
  }

 private:
  std::int64_t perform(const FileOp& op) {
    switch (op.kind) {
      case FileOpKind::read:
      case FileOpKind::write:
      case FileOpKind::write_dsync: return transfer(op);
      case FileOpKind::sync_data: return 0;
      case FileOpKind::deallocate:
      case FileOpKind::zero: return clear(op);
    }
    return -EINVAL;
  }
  std::int64_t transfer(const FileOp& op) {
    if (op.kind != FileOpKind::read && !writable_) return -EBADF;
    std::size_t limit = 0;
    for (std::uint32_t i = 0; i < op.iov_count; ++i) limit += op.iov[i].iov_len;
    // A write beyond the end extends the file.
    if (op.kind != FileOpKind::read && op.offset + limit > contents_.bytes.size())
      contents_.bytes.resize(op.offset + limit);
    const std::size_t size = contents_.bytes.size();
    limit = op.offset >= size ? 0 : std::min<std::size_t>(limit, size - op.offset);
    if (limit > 1 && world_.chance(world_.faults().short_transfer)) {
      limit = 1 + static_cast<std::size_t>(world_.prng().below(limit - 1));
    }
    std::size_t moved = 0;
    for (std::uint32_t i = 0; i < op.iov_count; ++i) {
      const std::size_t count = std::min(op.iov[i].iov_len, limit - moved);
      if (count == 0) break;
      std::byte* at = contents_.bytes.data() + op.offset + moved;
      if (op.kind == FileOpKind::read) {
        std::memcpy(op.iov[i].iov_base, at, count);
      } else {
        std::memcpy(at, op.iov[i].iov_base, count);
      }
      moved += count;
    }
    return static_cast<std::int64_t>(moved);
  }
  std::int64_t clear(const FileOp& op) {
    const std::size_t size = contents_.bytes.size();
    if (op.offset < size) {
      std::memset(contents_.bytes.data() + op.offset, 0,
                  std::min<std::size_t>(op.length, size - op.offset));
    }
    return 0;
  }

  World& world_;
  SimFileIo::Contents& contents_;
  bool writable_;
  FileInfo info_;
};

}  // namespace

Result<std::unique_ptr<File>> SimFileIo::open(const std::string& path, const FileOptions& options) {
  const bool makes = !files_.contains(path);
  if (makes && !options.create) return fail(ErrorCode::not_found, "no such file: " + path);
  Contents& file = files_[path];
  if (file.locked) return fail(ErrorCode::busy, path + " is locked");
  file.locked = true;
  if (makes) {
    file.bytes.resize(options.size);
    const Bytes begin = std::as_bytes(std::span(options.begin));
    std::ranges::copy(begin.first(std::min(begin.size(), file.bytes.size())), file.bytes.begin());
  }
  return std::make_unique<SimFile>(world_, file, options.writable, makes);
}

}  // namespace lunar::engine::sim

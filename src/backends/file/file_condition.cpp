#include "backends/file/file_condition.h"

#include <cerrno>
#include <cstring>

#include "base/log.h"

namespace lunar::backends {

block::Status status_of_error(std::int64_t negative_errno, block::Op op) {
  switch (-negative_errno) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return block::Status::no_space;
    case EROFS:
    case EPERM:
    case EACCES: return block::Status::write_protected;
    case ECANCELED: return block::Status::aborted;
    case EAGAIN:
    case ENOMEM:
    case ENOBUFS: return block::Status::busy;
    case ENODEV:
    case ENXIO:
    case ENOMEDIUM: return block::Status::gone;
    case ENOLINK:
    case ETIMEDOUT:
    case EBADF: return block::Status::hardware_error;
    default: return op == block::Op::read ? block::Status::read_error : block::Status::write_error;
  }
}

void FileCondition::refuses(engine::FileOpKind kind, std::int64_t negative_errno) {
  const bool frees = kind == engine::FileOpKind::deallocate;
  std::atomic<bool>& flag = frees ? refuses_to_deallocate_ : refuses_to_zero_;
  if (flag.exchange(true, std::memory_order_relaxed)) return;
  log::warning("file {}: the kernel does not {} ({}): from now on lunar {} instead", path_,
               frees ? "punch holes" : "zero ranges",
               std::strerror(static_cast<int>(-negative_errno)),
               frees ? "zeroes blocks that are unmapped" : "writes zeroes");
}

void FileCondition::lost_writes(std::int64_t negative_errno) {
  const block::Status status = status_of_error(negative_errno, block::Op::flush);
  block::Status none = block::Status::ok;
  if (!flush_status_.compare_exchange_strong(none, status, std::memory_order_relaxed)) return;
  log::error(
      "file {}: a flush has failed ({}): what was written since the last one may be lost, so each "
      "flush fails until the disk is opened again",
      path_, std::strerror(static_cast<int>(-negative_errno)));
}

bool FileCondition::look() {
  const std::uint64_t bytes = bytes_.load(std::memory_order_relaxed);
  const std::uint64_t now = file_.size_now().value_or(bytes);
  if (now >= bytes) return is_truncated();
  if (!truncated_.exchange(true, std::memory_order_relaxed)) {
    log::error(
        "file {}: somebody has truncated it, to {} of its {} bytes: the disk gives errors until it "
        "is opened again, or resized",
        path_, now, bytes);
  }
  return true;
}

}  // namespace lunar::backends

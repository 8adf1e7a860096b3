#include "backends/file/file_channel.h"

#include <algorithm>
#include <cerrno>

namespace lunar::backends {
namespace {

using engine::FileOpKind;

// The kernel takes no more pieces at once (IOV_MAX); the rest follows as after a short transfer.
constexpr std::size_t kMaxPieces = 1024;
// How long what was seen of the file's size is believed. Looking is a system call, too dear for
// each write.
constexpr std::uint64_t kLookInterval = 500 * engine::kMicrosecond;

bool is_refusal(std::int64_t result) {
  return result == -EOPNOTSUPP || result == -ENOSYS || result == -EINVAL || result == -ENOTTY;
}

block::Status status_when_truncated(block::Op op) {
  return op == block::Op::read ? block::Status::read_error : block::Status::write_error;
}

}  // namespace

FileChannel::Transfer& FileChannel::take() {
  if (free_ == nullptr) return transfers_.emplace_back();
  return *std::exchange(free_, free_->next_free);
}

void FileChannel::give_back(Transfer& transfer) {
  transfer.next_free = free_;
  free_ = &transfer;
}

std::optional<FileOpKind> FileChannel::kind_for(const block::Request& request) const {
  const bool can_deallocate = !condition_.refuses_to_deallocate();
  const bool can_zero = !condition_.refuses_to_zero();
  switch (request.op) {
    case block::Op::read: return FileOpKind::read;
    case block::Op::write:
      return (request.flags & block::kFua) != 0 ? FileOpKind::write_dsync : FileOpKind::write;
    case block::Op::flush: return FileOpKind::sync_data;
    case block::Op::unmap:
      if (can_deallocate) return FileOpKind::deallocate;
      return std::nullopt;
    case block::Op::write_zeroes:
      if ((request.flags & block::kMayUnmap) != 0 && can_deallocate) return FileOpKind::deallocate;
      if (can_zero) return FileOpKind::zero;
      return std::nullopt;
    case block::Op::write_same:
    case block::Op::compare: return std::nullopt;
  }
  return std::nullopt;
}

void FileChannel::submit(block::Request& request) {
  Transfer& transfer = take();
  transfer.channel = this;
  transfer.request = &request;
  transfer.transferred = 0;
  transfer.done = &FileChannel::done;
  start(transfer);
}

// A change beyond the end of a truncated file would hide that anything is missing: so it looks
// before one, and when something is read after one that was made without a look.
bool FileChannel::is_truncated(const block::Request& request) {
  if (condition_.is_truncated()) return true;
  const bool changes = request.op != block::Op::read && request.op != block::Op::flush;
  if (!changes && !changed_since_) return false;
  const std::uint64_t now_ns = shard_.now_ns();
  const bool looks = now_ns - looked_ns_ >= kLookInterval;
  changed_since_ = changes || !looks;
  if (!looks) return false;
  looked_ns_ = now_ns;
  return condition_.look();
}

void FileChannel::start(Transfer& transfer) {
  block::Request& request = *transfer.request;
  if (is_truncated(request)) [[unlikely]] {
    finish(transfer, status_when_truncated(request.op));
    return;
  }
  const auto kind = kind_for(request);
  if (!kind) {
    finish(transfer, block::Status::unsupported);
    return;
  }
  transfer.kind = *kind;
  transfer.iov = request.iov;
  transfer.iov_count = std::min<std::uint32_t>(request.iov_count, kMaxPieces);
  transfer.offset = request.lba.value * block_size_;
  transfer.length = request.count.value * block_size_;
  file_.submit(shard_, transfer);
}

void FileChannel::done(engine::FileOp& op) noexcept {
  auto& transfer = static_cast<Transfer&>(op);
  FileChannel& channel = *transfer.channel;
  switch (op.kind) {
    case FileOpKind::read:
    case FileOpKind::write:
    case FileOpKind::write_dsync: channel.moved(transfer); return;
    case FileOpKind::deallocate:
    case FileOpKind::zero: channel.cleared(transfer); return;
    case FileOpKind::sync_data: channel.flushed(transfer); return;
  }
}

void FileChannel::moved(Transfer& transfer) {
  const std::int64_t result = transfer.result;
  if (result == static_cast<std::int64_t>(transfer.length)) [[likely]] {
    finish(transfer, block::Status::ok);
  } else if (result > 0) {
    transfer.transferred += static_cast<std::uint64_t>(result);
    transfer.length -= static_cast<std::uint64_t>(result);
    transfer.offset += static_cast<std::uint64_t>(result);
    continue_rest(transfer);
  } else if (result == -EINTR) {
    file_.submit(shard_, transfer);
  } else {
    move_failed(transfer);
  }
}

void FileChannel::move_failed(Transfer& transfer) {
  const std::int64_t result = transfer.result;
  const block::Op op = transfer.request->op;
  if (result == 0) {
    // Nothing moved: the file has ended before the disk did.
    condition_.look();
    finish(transfer, status_when_truncated(op));
    return;
  }
  // A durable write that fails may have been told what an earlier one has lost. With direct I/O
  // that is what the medium's own cache held, and a lack of space concerns nobody but the write.
  const bool lacks_space = result == -ENOSPC || result == -EDQUOT;
  if (transfer.kind == FileOpKind::write_dsync && (result == -EIO || (buffered_ && lacks_space))) {
    condition_.lost_writes(result);
  }
  finish(transfer, status_of_error(result, op));
}

void FileChannel::flushed(Transfer& transfer) {
  if (transfer.result == -EINTR) {
    file_.submit(shard_, transfer);
    return;
  }
  if (transfer.result < 0) {
    const block::Status status = status_of_error(transfer.result, block::Op::flush);
    // It has not been tried.
    if (status == block::Status::aborted || status == block::Status::busy) {
      finish(transfer, status);
      return;
    }
    condition_.lost_writes(transfer.result);
  }
  finish(transfer, condition_.flush_status());
}

// What a short transfer has left over. The kernel says in the next one why it stopped.
void FileChannel::continue_rest(Transfer& transfer) {
  block::Request& request = *transfer.request;
  if (!transfer.rest) transfer.rest.emplace(std::span(request.iov, request.iov_count));
  transfer.rest->skip(static_cast<std::size_t>(transfer.result));
  const auto pieces = transfer.rest->peek(transfer.length);
  transfer.iov = pieces.data();
  transfer.iov_count = static_cast<std::uint32_t>(std::min(pieces.size(), kMaxPieces));
  file_.submit(shard_, transfer);
}

void FileChannel::cleared(Transfer& transfer) {
  if (transfer.result == -EINTR) {
    file_.submit(shard_, transfer);
    return;
  }
  if (is_refusal(transfer.result)) {
    condition_.refuses(transfer.kind, transfer.result);
    start(transfer);  // another way, if there is one
    return;
  }
  finish(transfer, transfer.result < 0 ? status_of_error(transfer.result, transfer.request->op)
                                       : block::Status::ok);
}

void FileChannel::finish(Transfer& transfer, block::Status status) {
  block::Request& request = *transfer.request;
  if (status != block::Status::ok) [[unlikely]] {
    // Nothing moved and no error: behind the end of the file.
    request.error_number = transfer.result < 0 ? static_cast<int>(-transfer.result) : ENODATA;
  }
  transfer.rest.reset();  // puts the iovec array right
  give_back(transfer);
  request.complete(status);
}

}  // namespace lunar::backends

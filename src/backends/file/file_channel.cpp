#include "backends/file/file_channel.h"

#include <algorithm>
#include <cerrno>

namespace lunar::backends {
namespace {

using engine::FileOpKind;

// The kernel takes no more pieces at once (IOV_MAX); the rest follows as after a short transfer.
constexpr std::size_t kMaxPieces = 1024;

bool is_refusal(std::int64_t result) {
  return result == -EOPNOTSUPP || result == -ENOSYS || result == -EINVAL || result == -ENOTTY;
}

}  // namespace

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

FileChannel::Transfer& FileChannel::take() {
  if (free_ == nullptr) return transfers_.emplace_back();
  return *std::exchange(free_, free_->next_free);
}

void FileChannel::give_back(Transfer& transfer) {
  transfer.next_free = free_;
  free_ = &transfer;
}

std::optional<FileOpKind> FileChannel::kind_for(const block::Request& request) const {
  const bool can_deallocate = !refusals_.deallocate.load(std::memory_order_relaxed);
  const bool can_zero = !refusals_.zero.load(std::memory_order_relaxed);
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

void FileChannel::start(Transfer& transfer) {
  block::Request& request = *transfer.request;
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
    case FileOpKind::sync_data:
      channel.finish(transfer, op.result < 0 ? status_of_error(op.result, block::Op::flush)
                                             : block::Status::ok);
      return;
  }
}

void FileChannel::moved(Transfer& transfer) {
  const std::int64_t result = transfer.result;
  const block::Op op = transfer.request->op;
  if (result == static_cast<std::int64_t>(transfer.length)) [[likely]] {
    finish(transfer, block::Status::ok);
  } else if (result > 0) {
    transfer.transferred += static_cast<std::uint64_t>(result);
    transfer.length -= static_cast<std::uint64_t>(result);
    transfer.offset += static_cast<std::uint64_t>(result);
    continue_rest(transfer);
  } else if (result == -EINTR) {
    file_.submit(shard_, transfer);
  } else if (result == 0) {
    // Nothing moved: the file has ended before the device did (somebody truncated it).
    finish(transfer,
           op == block::Op::read ? block::Status::read_error : block::Status::write_error);
  } else {
    finish(transfer, status_of_error(result, op));
  }
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
  if (is_refusal(transfer.result)) {
    auto& refused = transfer.kind == FileOpKind::deallocate ? refusals_.deallocate : refusals_.zero;
    refused.store(true, std::memory_order_relaxed);
    start(transfer);  // another way, if there is one
    return;
  }
  finish(transfer, transfer.result < 0 ? status_of_error(transfer.result, transfer.request->op)
                                       : block::Status::ok);
}

void FileChannel::finish(Transfer& transfer, block::Status status) {
  block::Request& request = *transfer.request;
  transfer.rest.reset();  // puts the iovec array right
  give_back(transfer);
  request.complete(status);
}

}  // namespace lunar::backends

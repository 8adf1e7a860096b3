#include "bench/transmit_queue.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>

namespace lunar::bench {
namespace {

constexpr std::size_t kCopiedBytesPerPdu = 48 + 4 + 4 + 4;  // with digests and padding
constexpr std::size_t kPiecesPerPdu = 3;                    // header, payload, padding and digest
constexpr std::size_t kMaxPdus = 1024;

// RFC 7143 §13.1: least significant byte first.
le32 digest_of(Bytes bytes, Bytes padding) {
  return crc32c_finish(crc32c_update(crc32c_update(kCrc32cSeed, bytes), padding));
}

}  // namespace

// Uninitialised arrays: unused parts never become resident.
TransmitQueue::TransmitQueue(std::size_t max_pdus, Digests digests, const Payload& shared)
    : max_pdus_(std::min(max_pdus, kMaxPdus)),
      digests_(digests),
      shared_(shared),
      copies_(std::make_unique_for_overwrite<std::byte[]>(max_pdus_ * kCopiedBytesPerPdu)),
      pieces_(std::make_unique_for_overwrite<iovec[]>(max_pdus_ * kPiecesPerPdu)) {}

void TransmitQueue::add_digest(Bytes of, Bytes padding) {
  add_copy(as_bytes(digest_of(of, padding)));
}

void TransmitQueue::add_data_digest(Bytes payload, Bytes padding) {
  if (!shared_.holds(payload.data())) return add_digest(payload, padding);
  if (payload.data() != digested_.data() || payload.size() != digested_.size()) {
    digested_ = payload;
    shared_digest_ = digest_of(payload, padding);
  }
  add_copy(as_bytes(shared_digest_));
}

TransmitQueue::Outcome TransmitQueue::send(int fd) {
  while (first_ != count_) {
    msghdr message{};
    message.msg_iov = &pieces_[first_];
    message.msg_iovlen = std::min<std::size_t>(count_ - first_, IOV_MAX);
    const int more = message.msg_iovlen != count_ - first_ ? MSG_MORE : 0;
    const ssize_t sent = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL | more);
    if (sent < 0) {
      return errno == EAGAIN || errno == EINTR || errno == ENOBUFS ? Outcome::full
                                                                   : Outcome::failed;
    }
    auto left = static_cast<std::size_t>(sent);
    while (left != 0 && left >= pieces_[first_].iov_len) left -= pieces_[first_++].iov_len;
    if (left != 0) {
      iovec& cut = pieces_[first_];
      cut.iov_base = static_cast<std::byte*>(cut.iov_base) + left;
      cut.iov_len -= left;
    }
  }
  pdus_ = copied_ = first_ = count_ = 0;
  return Outcome::sent;
}

}  // namespace lunar::bench

// PDUs that a session of the bench is about to send, gathered into few system calls.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstdint>
#include <memory>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/endian.h"
#include "bench/options.h"
#include "bench/payload.h"

namespace lunar::bench {

// Headers are copied one behind the other, so that commands without data make one piece for the
// kernel, however many there are. Payloads are borrowed: they must stay valid until drained(), or
// until the peer has answered. Not thread-safe.
class TransmitQueue {
 public:
  TransmitQueue(std::size_t max_pdus, Digests digests, const Payload& shared);

  // Whether one more PDU may be added.
  [[nodiscard]] bool has_room() const { return pdus_ < max_pdus_; }
  [[nodiscard]] bool drained() const { return first_ == count_; }

  // `header`: any 48-byte PDU struct. The payload is padded to whole words.
  template <WireStruct Pdu>
  void add(const Pdu& header, Bytes payload) {
    static_assert(sizeof(Pdu) == 48);
    ++pdus_;
    add_copy(as_bytes(header));
    if (digests_.header) add_digest(as_bytes(header));
    if (payload.empty()) return;
    pieces_[count_++] = {const_cast<std::byte*>(payload.data()), payload.size()};
    const Bytes padding = Bytes(kZeroes).first(-payload.size() % sizeof(kZeroes));
    if (!padding.empty()) add_copy(padding);
    if (digests_.data) add_data_digest(payload, padding);
  }

  enum class Outcome : std::uint8_t { sent, full, failed };  // failed: see errno
  // Sends everything. full: the socket took only a part.
  Outcome flush(int fd) { return drained() ? Outcome::sent : send(fd); }

 private:
  Outcome send(int fd);
  static constexpr std::array<std::byte, 4> kZeroes{};
  void add_digest(Bytes of, Bytes padding = {});
  // RFC 7143 §11.2.3: the data digest covers the padding. The digest of the shared payload is
  // computed once, so that a run with digests measures their cost to the target.
  void add_data_digest(Bytes payload, Bytes padding);
  void add_copy(Bytes bytes) {
    std::byte* at = copies_.get() + copied_;
    std::memcpy(at, bytes.data(), bytes.size());
    copied_ += bytes.size();
    if (count_ != first_) {
      iovec& last = pieces_[count_ - 1];
      if (static_cast<std::byte*>(last.iov_base) + last.iov_len == at) {
        last.iov_len += bytes.size();
        return;
      }
    }
    pieces_[count_++] = {at, bytes.size()};
  }

  const std::size_t max_pdus_;
  const Digests digests_;
  const Payload& shared_;
  Bytes digested_;  // the part of shared_ that shared_digest_ covers
  le32 shared_digest_;
  std::unique_ptr<std::byte[]> copies_;
  std::unique_ptr<iovec[]> pieces_;
  std::size_t pdus_ = 0;
  std::size_t copied_ = 0;
  std::size_t first_ = 0;  // first unsent element of pieces_
  std::size_t count_ = 0;
};

}  // namespace lunar::bench

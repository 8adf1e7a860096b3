// What a session of the bench is about to send: PDUs of one loop, gathered into few system calls.
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

// Headers are copied in, one behind the other: those of commands without data are one piece for the
// kernel, however many there are. Payload is lent and must stay until drained() or until the peer
// has answered. Not thread-safe.
class TransmitQueue {
 public:
  TransmitQueue(std::size_t max_pdus, Digests digests, const Payload& shared);

  // Whether one more PDU may be added.
  [[nodiscard]] bool has_room() const { return pdus_ < max_pdus_; }
  [[nodiscard]] bool drained() const { return first_ == count_; }

  // `header` is any 48-byte PDU struct; the payload is padded to whole words.
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

  enum class Outcome : std::uint8_t { sent, full, failed };  // failed: errno says why
  // Sends all there is; full: the socket took a part of it.
  Outcome flush(int fd) { return drained() ? Outcome::sent : send(fd); }

 private:
  Outcome send(int fd);
  static constexpr std::array<std::byte, 4> kZeroes{};
  void add_digest(Bytes of, Bytes padding = {});
  // RFC 7143 §11.2.3: padding belongs to what a data digest covers. The shared payload's is
  // computed once, so that a run with digests measures what they cost the target.
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
  Bytes digested_;  // of shared_, what shared_digest_ is of
  le32 shared_digest_;
  std::unique_ptr<std::byte[]> copies_;
  std::unique_ptr<iovec[]> pieces_;
  std::size_t pdus_ = 0;
  std::size_t copied_ = 0;
  std::size_t first_ = 0;  // of pieces_, the first that is not sent
  std::size_t count_ = 0;
};

}  // namespace lunar::bench

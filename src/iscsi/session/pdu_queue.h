// PDUs on their way out of one connection, in order, without a copy of their data.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>

#include "base/bytes.h"
#include "base/cache_line.h"
#include "iscsi/session/block_pool.h"
#include "iscsi/spec/pdu.h"
#include "lunar/list.h"

namespace lunar::iscsi {

struct Task;

// One PDU: header, digests, padding, and a view of its data. What a READ or a WRITE needs of it
// lies in two cache lines.
struct alignas(kCacheLine) OutboundPdu : ListHook {
  // BHS and, behind it, the header digest.
  std::array<std::byte, spec::kBhsLength + spec::kDigestLength> header;
  // Padding and data digest.
  std::array<std::byte, spec::kPduAlignment + spec::kDigestLength> trailer;
  std::uint8_t header_length = 0;
  std::uint8_t trailer_length = 0;
  bool kept = false;  // `memory` is a copy of data that was lent
  Bytes data;
  Task* last_of = nullptr;                // the task that ends when this PDU is out
  std::unique_ptr<std::byte[]> memory;    // owns longer data that nothing else does
  OutboundPdu* next_free = nullptr;       // in the pool
  std::array<std::byte, 96> inline_data;  // room for short data (sense, rejected headers)

  // Puts `bhs`, any PDU of iscsi/spec/pdu.h, into the header, to be filled there. Filled elsewhere
  // and copied, it would be read in wide loads right behind the narrow stores that made it, which a
  // processor cannot forward: it waits for the stores (send_data_in() was the hottest function).
  template <WireStruct Pdu>
  Pdu& begin(const Pdu& bhs) {
    static_assert(sizeof(Pdu) == spec::kBhsLength);
    return *new (header.data()) Pdu(bhs);
  }
};
static_assert(sizeof(OutboundPdu) == 4 * kCacheLine);

// Gives the PDU a copy of short or transient data.
void copy_data(OutboundPdu& pdu, Bytes data);

// Memory of OutboundPdus of one shard.
class OutboundPduPool {
 public:
  static constexpr std::size_t kBlock = BlockPool<OutboundPdu, &OutboundPdu::next_free>::kBlock;

  OutboundPdu& take() { return pool_.take(); }
  void give_back(OutboundPdu& pdu) {
    if (pdu.memory) [[unlikely]] {
      pdu.memory.reset();
      pdu.kept = false;
    }
    pdu.data = {};
    pdu.last_of = nullptr;
    pool_.give_back(pdu);
  }
  [[nodiscard]] std::size_t size() const { return pool_.size(); }
  void trim() { pool_.trim(); }

 private:
  BlockPool<OutboundPdu, &OutboundPdu::next_free> pool_;
};

class PduQueue {
 public:
  explicit PduQueue(OutboundPduPool& pool) : pool_(pool) {}
  PduQueue(const PduQueue&) = delete;
  PduQueue& operator=(const PduQueue&) = delete;
  ~PduQueue() { clear(); }

  void set_digests(bool header, bool data) { header_digest_ = header, data_digest_ = data; }

  // A PDU to fill: begin() its header, copy_data() or set `data` (and `last_of`), then push().
  OutboundPdu& make() { return pool_.take(); }
  // Completes lengths, padding and digests, and queues it.
  void push(OutboundPdu& pdu);
  template <WireStruct Pdu>
  void push(OutboundPdu& pdu, const Pdu& bhs) {
    pdu.begin(bhs);
    push(pdu);
  }

  [[nodiscard]] bool empty() { return pdus_.empty(); }
  [[nodiscard]] std::size_t count() const { return count_; }
  // Bytes that have still to go: headers, data and trailers.
  [[nodiscard]] std::size_t bytes() const {
    return static_cast<std::size_t>(pushed_bytes_ - sent_bytes_);
  }
  // Bytes that have gone since the queue was made, and those that have been queued.
  [[nodiscard]] std::uint64_t sent_bytes() const { return sent_bytes_; }
  [[nodiscard]] std::uint64_t pushed_bytes() const { return pushed_bytes_; }
  // Bytes of data that the PDUs own: answers that have to be kept until the peer fetches them.
  [[nodiscard]] std::size_t owned_bytes() const { return owned_bytes_; }

  // What of this memory has still to be sent is copied: `memory` may change then. False when that
  // would be more than `limit` bytes together with what was copied so before; then some of it is
  // not, and nothing of the queue may be sent any more.
  [[nodiscard]] bool keep(Bytes memory, std::size_t limit);
  // Bytes that have been copied so.
  [[nodiscard]] std::size_t kept_bytes() const { return kept_bytes_; }

  // The last Data-In PDU of this task that has not gone, in part or whole; null: there is none.
  [[nodiscard]] OutboundPdu* find_data_in(std::uint32_t initiator_task_tag);

  // The unsent bytes, from the first on, in at most `out.size()` pieces and `limit` bytes.
  std::span<iovec> gather(std::span<iovec> out, std::size_t limit = SIZE_MAX);
  // `bytes` of them have gone. Calls on_sent(task) for each task that ended.
  template <class OnSent>
  void sent(std::size_t bytes, const OnSent& on_sent) {
    offset_ += bytes;
    sent_bytes_ += bytes;
    while (!pdus_.empty() && offset_ >= size_of(pdus_.front())) {
      OutboundPdu& pdu = pdus_.pop_front();
      offset_ -= size_of(pdu);
      --count_;
      Task* task = pdu.last_of;
      give_back(pdu);
      if (task != nullptr) on_sent(*task);
    }
  }
  // Drops everything; calls on_dropped(task) for each task that would have ended.
  template <class OnDropped>
  void clear(const OnDropped& on_dropped) {
    offset_ = 0;
    while (!pdus_.empty()) {
      OutboundPdu& pdu = pdus_.pop_front();
      Task* task = pdu.last_of;
      give_back(pdu);
      if (task != nullptr) on_dropped(*task);
    }
    count_ = 0;
    pushed_bytes_ = sent_bytes_;
  }
  void clear() {
    clear([](Task&) {});
  }

 private:
  void give_back(OutboundPdu& pdu) {
    if (pdu.memory) [[unlikely]]
      (pdu.kept ? kept_bytes_ : owned_bytes_) -= pdu.data.size();
    pool_.give_back(pdu);
  }
  static std::size_t size_of(const OutboundPdu& pdu) {
    return pdu.header_length + pdu.data.size() + pdu.trailer_length;
  }

  OutboundPduPool& pool_;
  List<OutboundPdu> pdus_;
  std::size_t count_ = 0;
  std::uint64_t pushed_bytes_ = 0;
  std::uint64_t sent_bytes_ = 0;
  std::size_t owned_bytes_ = 0;
  std::size_t kept_bytes_ = 0;
  std::size_t offset_ = 0;  // bytes of the first PDU that have gone
  bool header_digest_ = false;
  bool data_digest_ = false;
};

}  // namespace lunar::iscsi

// From a byte stream to PDUs (RFC 7143 §11.1): framing, padding, digests. No I/O of its own.
//
// Large data segments do not pass through the receive buffer: once a header is known its handler
// says where the data belongs, and receive_into() names that place, so that the socket fills it
// directly (a third faster than a copy at 256 KiB). Behind such a segment only one more header is
// asked for, since its data will have a place of their own as well. Small segments that have
// arrived whole are handed over where they lie.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "engine/buffer_pool.h"
#include "iscsi/spec/pdu.h"

namespace lunar::iscsi {

// What one receive takes of commands and their immediate data: some sixty writes of 4 KiB. Half of
// it left 4 KiB writes at QD128 at 0.67 of the floor instead of 0.80 (docs/PERFORMANCE.md).
constexpr std::size_t kReceiveBufferBytes = 256 * kKiB;

// A PDU whose header is known. `data` is whole only in on_pdu().
struct InboundPdu {
  spec::Bhs bhs;
  std::uint32_t data_length = 0;  // DataSegmentLength: the header's, padding not counted
  Bytes ahs;
  MutableBytes data;      // the data segment without padding
  bool digest_ok = true;  // of the data segment
};

// Where a data segment shall go.
struct Placement {
  enum class Kind : std::uint8_t {
    keep,     // where it is when whole, else in memory of the receiver's, until on_pdu() returns
    at,       // to `destination`, of at least the segment's length
    discard,  // read and forget
    stall,    // nowhere yet: ask again when resume() is called
  };
  Kind kind = Kind::keep;
  std::byte* destination = nullptr;

  static Placement at(std::byte* where) { return {Kind::at, where}; }
  static Placement discard() { return {Kind::discard, nullptr}; }
  static Placement stall() { return {Kind::stall, nullptr}; }
};

class PduReceiver {
 public:
  class Handler {
   public:
    // A header has come and its digest is right. `whole`: its data segment has arrived already (or
    // is empty) and pdu.data is it; then `keep` costs nothing. Called again for the same header
    // after a stall.
    virtual Placement on_header(InboundPdu& pdu, bool whole) = 0;
    // The PDU is complete.
    virtual void on_pdu(InboundPdu& pdu) = 0;
    // The stream makes no sense any more (RFC 7143 §7.6, format errors): the connection must end.
    virtual void on_format_error(std::string_view what) = 0;

   protected:
    ~Handler() = default;
  };

  PduReceiver(Handler& handler, engine::BufferPool& buffers)
      : handler_(&handler), buffers_(buffers) {}

  void set_handler(Handler& handler) { handler_ = &handler; }
  void set_digests(bool header, bool data) { header_digest_ = header, data_digest_ = data; }
  void set_max_data_segment_length(std::uint32_t bytes) { max_data_segment_length_ = bytes; }

  // Where the next bytes of the stream go: one or two pieces; none while stalled or without a
  // buffer.
  std::span<iovec> receive_into();
  // `count` bytes have arrived there. Calls the handler for what has become whole.
  void received(std::size_t count);
  // Goes on after a stall.
  void resume();
  // The place of the data segment that is arriving is gone: the rest of it is read and forgotten.
  // on_pdu() comes for it without data. Not from inside a call to the handler for this PDU.
  void discard_segment() { discarding_ = true; }
  // No more calls to the handler, from inside one of them too.
  void stop() { stopped_ = true; }
  [[nodiscard]] bool is_stalled() const { return stalled_; }
  // A large data segment is arriving in its place, so what comes next is data rather than commands.
  [[nodiscard]] bool in_bulk() const { return bulk_; }

  // Gives the receive buffer back, or exchanges it for a small one when the start of a header waits
  // in it. receive_into() takes another one.
  void release_idle_buffer();
  // After receive_into() found none in the pool.
  void give_buffer(engine::Buffer buffer) { buffer_ = std::move(buffer); }

 private:
  enum class State : std::uint8_t {
    header,   // BHS, AHS, header digest
    place,    // the header is known; its handler has not said where the data goes
    data,     // filling `destination`, or discarding
    trailer,  // padding and data digest
  };

  void parse();
  bool parse_header();
  bool place_data();
  bool take_whole(std::size_t segment_bytes);
  bool fill_data();
  bool check_trailer();
  void finish();
  bool stop_with(std::string_view what);
  void move_to(engine::Buffer other);
  [[nodiscard]] std::size_t available() const { return write_ - read_; }
  [[nodiscard]] std::byte* at_read() { return buffer_.data() + read_; }
  [[nodiscard]] std::size_t trailer_bytes() const;
  [[nodiscard]] std::size_t read_ahead_bytes() const;

  Handler* handler_;
  engine::BufferPool& buffers_;
  engine::Buffer buffer_;
  std::size_t read_ = 0;  // [read_, write_) of buffer_ is unread
  std::size_t write_ = 0;
  State state_ = State::header;
  bool header_digest_ = false;
  bool data_digest_ = false;
  bool stopped_ = false;
  bool stalled_ = false;
  bool discarding_ = false;
  bool parsing_ = false;
  bool bulk_ = false;  // the last data segment was large: the next one will be, too
  std::uint32_t max_data_segment_length_ = 8192;
  InboundPdu pdu_;
  // A `keep` segment that did not arrive whole: no ordinary data. Not from the pool, for which it
  // would have to wait, and with it the data behind it that would free the pool.
  std::unique_ptr<std::byte[]> kept_;
  std::byte* destination_ = nullptr;
  std::size_t filled_ = 0;  // bytes of the data segment that have arrived
  std::array<std::byte, spec::kMaxAhsLength> ahs_storage_;
  std::array<iovec, 2> into_{};
};

}  // namespace lunar::iscsi

#include "iscsi/session/pdu_receiver.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "base/crc32c.h"
#include "base/medium_access.h"

namespace lunar::iscsi {
namespace {

// A discarded segment lands here, on each shard's own thread.
constexpr std::size_t kDiscardBytes = 64 * kKiB;
thread_local std::array<std::byte, kDiscardBytes> discard_area;

// Data segments of this length and more are received in their place, one header ahead. Below, a
// receive call costs more than the copy.
constexpr std::uint32_t kBulkBytes = 32 * kKiB;

// Digests travel with the least significant byte first (RFC 7143 §13.1).
std::uint32_t wire_digest(const std::byte* at) {
  return load<le32>({at, spec::kDigestLength})->value();
}

}  // namespace

std::span<iovec> PduReceiver::receive_into() {
  if (stalled_ || stopped_) return {};
  if (!buffer_) {
    buffer_ = buffers_.try_allocate(kReceiveBufferBytes);
    if (!buffer_) return {};
  } else if (buffer_.size() < kReceiveBufferBytes) {
    move_to(buffers_.try_allocate(kReceiveBufferBytes));  // else a page will do for this header
  }
  if (read_ == write_) {
    read_ = write_ = 0;
  } else if (read_ != 0) {
    // The start of a header: what precedes it is done with.
    std::memmove(buffer_.data(), at_read(), available());
    write_ -= read_;
    read_ = 0;
  }
  std::size_t pieces = 0;
  if (state_ == State::data) {
    const std::size_t left = pdu_.data_length - filled_;
    into_[pieces++] = discarding_ ? iovec{discard_area.data(), std::min(left, kDiscardBytes)}
                                  : iovec{destination_ + filled_, left};
    if (into_[0].iov_len < left)
      return {into_.data(), 1};  // the rest is not ours to put into the buffer
  }
  into_[pieces++] = {buffer_.data() + write_,
                     std::min(buffer_.size() - write_, read_ahead_bytes())};
  return {into_.data(), pieces};
}

// How much of the stream to take into the buffer: all there is, or in bulk what stands before the
// next data segment.
std::size_t PduReceiver::read_ahead_bytes() const {
  if (!bulk_) return SIZE_MAX;
  const std::size_t header = spec::kBhsLength + (header_digest_ ? spec::kDigestLength : 0);
  return state_ == State::header ? header : trailer_bytes() + header;
}

void PduReceiver::received(std::size_t count) {
  if (state_ == State::data) {
    const std::size_t direct = std::min<std::size_t>(count, pdu_.data_length - filled_);
    filled_ += direct;
    count -= direct;
  }
  write_ += count;
  parse();
}

void PduReceiver::resume() {
  if (!stalled_) return;
  stalled_ = false;
  parse();
}

// A peer that stops in the middle of a header keeps a page, not a receive buffer: many such peers
// must not empty the pool for the others.
void PduReceiver::release_idle_buffer() {
  if (parsing_ || !buffer_) return;
  if (available() == 0) {
    buffer_.reset();
    read_ = write_ = 0;
  } else if (available() <= engine::kMinBufferBytes && buffer_.size() > engine::kMinBufferBytes) {
    move_to(buffers_.try_allocate(engine::kMinBufferBytes));
  }
}

// Goes on in another buffer, if there is one.
void PduReceiver::move_to(engine::Buffer other) {
  if (!other) return;
  std::memcpy(other.data(), at_read(), available());
  write_ -= read_;
  read_ = 0;
  buffer_ = std::move(other);
}

void PduReceiver::parse() {
  if (parsing_) return;  // a handler has called resume()
  parsing_ = true;
  bool more = true;
  while (more && !stopped_ && !stalled_) {
    switch (state_) {
      case State::header: more = parse_header() && place_data(); break;
      case State::place: more = place_data(); break;
      case State::data: more = fill_data(); break;
      case State::trailer: more = check_trailer(); break;
    }
  }
  parsing_ = false;
}

bool PduReceiver::parse_header() {
  if (available() < spec::kBhsLength) return false;
  std::memcpy(&pdu_.bhs, at_read(), spec::kBhsLength);
  const std::size_t ahs_length = pdu_.bhs.ahs_length_bytes();
  const std::size_t header_length = spec::kBhsLength + ahs_length;
  const std::size_t total = header_length + (header_digest_ ? spec::kDigestLength : 0);
  if (available() < total) return false;
  if (header_digest_ &&
      crc32c({at_read(), header_length}) != wire_digest(at_read() + header_length)) {
    return stop_with("wrong header digest");
  }
  pdu_.data_length = pdu_.bhs.data_segment_length;
  if (pdu_.data_length > max_data_segment_length_) {
    return stop_with("data segment longer than MaxRecvDataSegmentLength");
  }
  pdu_.ahs = {};
  if (ahs_length != 0) {
    std::memcpy(ahs_storage_.data(), at_read() + spec::kBhsLength, ahs_length);
    pdu_.ahs = {ahs_storage_.data(), ahs_length};
  }
  read_ += total;
  pdu_.data = {};
  pdu_.digest_ok = true;
  discarding_ = false;
  state_ = State::place;
  return true;
}

std::size_t PduReceiver::trailer_bytes() const {
  const std::size_t length = pdu_.data_length;
  if (length == 0) return 0;
  return spec::padded_length(length) - length + (data_digest_ ? spec::kDigestLength : 0);
}

bool PduReceiver::place_data() {
  const std::size_t length = pdu_.data_length;
  const bool whole = available() >= length + trailer_bytes();
  if (whole) pdu_.data = {at_read(), length};
  const Placement placement = discarding_ ? Placement::discard() : handler_->on_header(pdu_, whole);
  if (stopped_) return false;
  filled_ = 0;
  bulk_ = length >= kBulkBytes && placement.kind == Placement::Kind::at;
  switch (placement.kind) {
    case Placement::Kind::stall:
      pdu_.data = {};
      stalled_ = true;
      return false;
    case Placement::Kind::keep:
      if (whole) return take_whole(length);
      kept_ = std::make_unique_for_overwrite<std::byte[]>(length);
      destination_ = kept_.get();
      break;
    case Placement::Kind::at: destination_ = placement.destination; break;
    case Placement::Kind::discard:
      pdu_.data = {};
      discarding_ = true;
      break;
  }
  state_ = State::data;
  return true;
}

bool PduReceiver::take_whole(std::size_t segment_bytes) {
  if (data_digest_ && segment_bytes != 0) {
    const std::size_t padded = spec::padded_length(segment_bytes);
    pdu_.digest_ok = crc32c({at_read(), padded}) == wire_digest(at_read() + padded);
  }
  read_ += segment_bytes + trailer_bytes();
  finish();
  return true;
}

bool PduReceiver::fill_data() {
  const std::size_t length = pdu_.data_length;
  const std::size_t count = std::min(available(), length - filled_);
  if (count != 0 && !discarding_) copy_medium(destination_ + filled_, at_read(), count);
  filled_ += count;
  read_ += count;
  if (filled_ != length) return false;
  state_ = State::trailer;
  return true;
}

bool PduReceiver::check_trailer() {
  const std::size_t length = pdu_.data_length;
  const std::size_t trailer = trailer_bytes();
  if (available() < trailer) return false;
  if (!discarding_) {
    pdu_.data = {destination_, length};
    if (data_digest_ && length != 0) {
      const std::size_t padding = spec::padded_length(length) - length;
      const std::uint32_t running =
          crc32c_update(crc32c_update(kCrc32cSeed, pdu_.data), {at_read(), padding});
      pdu_.digest_ok = crc32c_finish(running) == wire_digest(at_read() + padding);
    }
  }
  read_ += trailer;
  finish();
  return true;
}

void PduReceiver::finish() {
  state_ = State::header;
  handler_->on_pdu(pdu_);
  kept_.reset();
}

bool PduReceiver::stop_with(std::string_view what) {
  stopped_ = true;
  handler_->on_format_error(what);
  return false;
}

}  // namespace lunar::iscsi

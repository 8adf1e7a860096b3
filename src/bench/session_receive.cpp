// The receiving half of a session: turns bytes into PDUs, and applies these to the commands in
// flight.
#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "bench/pattern.h"
#include "bench/session.h"

namespace lunar::bench {

using namespace iscsi::spec;

Session::Progress Session::receive() {
  const std::size_t held = carry_.size();
  if (held != 0) std::memcpy(context_.scratch.data(), carry_.data(), held);
  const MutableBytes into = context_.scratch.subspan(held);
  const ssize_t got = recv(socket_.fd(), into.data(), into.size(), MSG_DONTWAIT);
  if (got <= 0) {
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return Progress::none;
    fail_with(ErrorCode::io, got == 0 ? std::string("the target closed the connection")
                                      : fmt::format("cannot receive: {}", std::strerror(errno)));
    return Progress::failed;
  }
  recorder_.tick();
  carry_.clear();
  const Bytes bytes = context_.scratch.first(held + static_cast<std::size_t>(got));
  return consume(bytes) ? Progress::some : Progress::failed;
}

bool Session::consume(Bytes bytes) {
  for (;;) {
    if (!take_data(bytes)) return false;
    if (bytes.size() < header_length()) break;
    const Bhs header = *load<Bhs>(bytes);
    if (header.opcode() == Opcode::data_in && header.total_ahs_length == 0) {
      bytes = bytes.subspan(header_length());
      if (!begin_data_in(header)) return false;
      continue;
    }
    // All other PDUs are small and rare. They are handled once complete.
    const std::uint32_t length = header.data_segment_length;
    const std::size_t data_at = header_length() + header.ahs_length_bytes();
    const std::size_t whole = data_at + padded_length(length) + data_digest_length(length);
    if (whole > context_.scratch.size()) {
      return fail_with(ErrorCode::malformed, "a PDU longer than was agreed");
    }
    if (bytes.size() < whole) break;
    note_window(header);
    if (!handle(header, bytes.subspan(data_at, length))) return false;
    bytes = bytes.subspan(whole);
  }
  carry_.assign(bytes.begin(), bytes.end());
  return true;
}

// All PDUs from a target have StatSN, ExpCmdSN and MaxCmdSN at the same offsets (RFC 7143 §11).
void Session::note_window(const Bhs& header) {
  const std::uint32_t max_cmd_sn = pdu_cast<NopIn>(header).max_cmd_sn;
  if (sn_greater(max_cmd_sn, max_cmd_sn_)) max_cmd_sn_ = max_cmd_sn;
}

bool Session::begin_data_in(const Bhs& header) {
  const auto data_in = pdu_cast<DataIn>(header);
  const std::uint32_t tag = data_in.initiator_task_tag;
  const std::uint32_t length = data_in.data_segment_length;
  note_window(header);
  if (tag >= slot_count_ || !slots_[tag].busy || slots_[tag].write ||
      !range_fits(data_in.buffer_offset, length, slots_[tag].expected_bytes)) {
    return fail_with(ErrorCode::malformed, "a Data-In PDU that belongs to no command");
  }
  slots_[tag].received_bytes += length;
  incoming_.slot = tag;
  incoming_.offset = data_in.buffer_offset;
  incoming_.data_left = length;
  incoming_.trailer_left =
      static_cast<std::uint32_t>(padded_length(length) - length) + data_digest_length(length);
  incoming_.ends_command = (data_in.flags & kStatus) != 0;
  incoming_.status = data_in.status;
  incoming_.crc = kCrc32cSeed;
  if (incoming_.ends_command) exp_stat_sn_ = data_in.stat_sn + 1;
  return length != 0 || end_data_in();
}

// Takes the bytes of the current Data-In PDU from `bytes`. Looks at the data only for --verify and
// digests: a bench that checked every byte would measure itself.
bool Session::take_data(Bytes& bytes) {
  if (incoming_.data_left + incoming_.trailer_left == 0) return true;
  const std::size_t data = std::min<std::size_t>(bytes.size(), incoming_.data_left);
  if (data != 0 && (context_.compare || admin_ != nullptr)) {
    const Bytes piece = bytes.first(data);
    if (admin_ != nullptr) {
      admin_->data.resize(std::max<std::size_t>(admin_->data.size(), incoming_.offset + data));
      std::ranges::copy(piece, admin_->data.begin() + incoming_.offset);
    } else {
      std::ranges::copy(piece, slot_buffer(incoming_.slot).begin() + incoming_.offset);
      if (digests_.data) incoming_.crc = crc32c_update(incoming_.crc, piece);
    }
  }
  incoming_.data_left -= static_cast<std::uint32_t>(data);
  incoming_.offset += static_cast<std::uint32_t>(data);
  bytes = bytes.subspan(data);
  // Padding and digest are processed together, when complete.
  if (incoming_.data_left != 0) return true;
  const std::size_t trailer = incoming_.trailer_left;
  if (bytes.size() < trailer) return true;
  if (digests_.data && context_.compare && admin_ == nullptr) {
    const Bytes digest = bytes.subspan(trailer - kDigestLength, kDigestLength);
    const std::uint32_t crc = crc32c_update(incoming_.crc, bytes.first(trailer - kDigestLength));
    if (load<le32>(digest)->value() != crc32c_finish(crc)) {
      return fail_with(ErrorCode::io, "a data digest that does not fit its data");
    }
  }
  incoming_.trailer_left = 0;
  bytes = bytes.subspan(trailer);
  return end_data_in();
}

bool Session::end_data_in() {
  if (!incoming_.ends_command) return true;
  return finish(incoming_.slot, static_cast<scsi::spec::Status>(incoming_.status), {});
}

bool Session::finish(std::uint32_t tag, scsi::spec::Status status, Bytes sense) {
  Slot& slot = slots_[tag];
  slot.busy = false;
  free_[free_count_++] = tag;
  if (!context_.burst || free_count_ == slot_count_) startable_ = free_count_;
  std::string reason;
  if (status != scsi::spec::Status::good) [[unlikely]] {
    const auto decoded = scsi::spec::decode_sense(sense);
    reason = decoded ? scsi::spec::to_text(*decoded) : std::string(scsi::spec::to_text(status));
  }
  if (admin_ != nullptr) [[unlikely]] {
    admin_->status = status;
    admin_->reason = std::move(reason);
    admin_done_ = true;
    return true;
  }
  if (status != scsi::spec::Status::good) [[unlikely]] {
    return fail_with(ErrorCode::io, fmt::format("{} at byte {}: {}", slot.write ? "write" : "read",
                                                slot.offset_bytes, reason));
  }
  // A command with missing data must not count: otherwise a target could win by answering less.
  if (!slot.write && slot.received_bytes != slot.expected_bytes) [[unlikely]] {
    return fail_with(ErrorCode::malformed,
                     fmt::format("read at byte {}: {} bytes came instead of {}", slot.offset_bytes,
                                 slot.received_bytes, slot.expected_bytes));
  }
  if (context_.compare && !slot.write) {
    ++recorder_.verified;
    if (const auto wrong = find_mismatch(context_.run, slot.offset_bytes, slot_buffer(tag))) {
      if (recorder_.mismatches++ == 0) recorder_.first_mismatch_bytes = wrong;
    }
  }
  recorder_.complete(slot.write, slot.start_ns);
  return true;
}

bool Session::handle(const Bhs& header, Bytes data) {
  const auto consumes_stat_sn = [&] { exp_stat_sn_ = pdu_cast<NopIn>(header).stat_sn + 1; };
  const Opcode opcode = header.opcode();
  if (opcode == Opcode::scsi_response) {
    consumes_stat_sn();
    return handle_response(pdu_cast<ScsiResponse>(header), data);
  }
  if (opcode == Opcode::r2t) return handle_r2t(pdu_cast<R2T>(header));
  if (opcode == Opcode::nop_in) return handle_nop_in(pdu_cast<NopIn>(header));
  if (opcode == Opcode::async_message) {
    const auto event = pdu_cast<AsyncMessage>(header).async_event;
    consumes_stat_sn();
    if (event == static_cast<std::uint8_t>(AsyncEvent::scsi_asynchronous_event)) return true;
    return fail_with(ErrorCode::cancelled, "the target asks to end the session");
  }
  if (opcode == Opcode::reject) {
    return fail_with(ErrorCode::malformed, fmt::format("the target rejects a PDU (reason {:02x}h)",
                                                       pdu_cast<Reject>(header).reason));
  }
  return fail_with(ErrorCode::malformed,
                   fmt::format("a PDU that was not asked for (opcode {:02x}h)", wire(opcode)));
}

bool Session::handle_response(const ScsiResponse& response, Bytes data) {
  const std::uint32_t tag = response.initiator_task_tag;
  if (tag >= slot_count_ || !slots_[tag].busy) {
    return fail_with(ErrorCode::malformed, "a SCSI Response that belongs to no command");
  }
  if (response.response != 0) {
    return fail_with(ErrorCode::io, "the target could not carry out a command (target failure)");
  }
  const auto status = static_cast<scsi::spec::Status>(response.status);
  if (status == scsi::spec::Status::good && slots_[tag].write &&
      (response.flags & (kResidualUnderflow | kResidualOverflow)) != 0) {
    return fail_with(ErrorCode::malformed,
                     fmt::format("write at byte {}: the target took {} bytes less or more",
                                 slots_[tag].offset_bytes, response.residual_count.value()));
  }
  // RFC 7143 §11.4.7.1: two bytes of length, then sense data.
  Bytes sense;
  if (const auto length = load<be16>(data); length && data.size() >= 2 + std::size_t{*length}) {
    sense = data.subspan(2, *length);
  }
  return finish(tag, status, sense);
}

bool Session::handle_r2t(const R2T& r2t) {
  const std::uint32_t tag = r2t.initiator_task_tag;
  const std::uint32_t length = r2t.desired_data_transfer_length;
  if (tag >= slot_count_ || !slots_[tag].busy || !slots_[tag].write || length == 0 ||
      !range_fits(r2t.buffer_offset, length, slots_[tag].expected_bytes)) {
    return fail_with(ErrorCode::malformed, "an R2T that belongs to no command");
  }
  bursts_.push_back({.slot = tag,
                     .target_transfer_tag = r2t.target_transfer_tag,
                     .offset = r2t.buffer_offset,
                     .left = length});
  send_bursts();
  return true;
}

// Answers a ping. Its data need not be returned (RFC 7143 §11.18).
bool Session::handle_nop_in(const NopIn& nop) {
  if (nop.target_transfer_tag == kReservedTag) return true;
  if (!transmit_.has_room()) return fail_with(ErrorCode::no_resource, "too many pings at once");
  NopOut answer;
  answer.opcode_byte = static_cast<std::uint8_t>(wire(Opcode::nop_out) | kImmediate);
  answer.lun = nop.lun;
  answer.target_transfer_tag = nop.target_transfer_tag;
  answer.cmd_sn = cmd_sn_;
  answer.exp_stat_sn = exp_stat_sn_;
  transmit_.add(answer, {});
  return true;
}

}  // namespace lunar::bench

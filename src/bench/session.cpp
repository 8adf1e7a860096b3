#include "bench/session.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "bench/pattern.h"
#include "scsi/spec/lun.h"
#include "scsi/spec/opcodes.h"

namespace lunar::bench {

using namespace iscsi::spec;

namespace {

constexpr std::size_t kSparePdus = 16;  // for answers to NOP-In, and for Data-Out

constexpr std::size_t kLbaInCdb10 = 2;
constexpr std::size_t kLbaInCdb16 = 2;

// A READ or WRITE of `blocks` blocks, without its LBA. Uses the 10-byte CDB if `blocks` fits, as
// real initiators do. The 16-byte CDB is for large LBAs.
void put_cdb(ScsiCommand& command, bool write, std::uint64_t lba, std::uint32_t blocks) {
  using scsi::spec::Opcode;
  auto& cdb = command.cdb;
  if (lba <= UINT32_MAX && blocks <= UINT16_MAX) {
    cdb = {};
    cdb[0] = static_cast<std::uint8_t>(write ? Opcode::write_10 : Opcode::read_10);
    const be32 address = static_cast<std::uint32_t>(lba);
    const be16 length = static_cast<std::uint16_t>(blocks);
    std::memcpy(&cdb[kLbaInCdb10], &address, sizeof address);
    std::memcpy(&cdb[7], &length, sizeof length);
    return;
  }
  cdb = {};
  cdb[0] = static_cast<std::uint8_t>(write ? Opcode::write_16 : Opcode::read_16);
  const be64 address = lba;
  const be32 length = blocks;
  std::memcpy(&cdb[kLbaInCdb16], &address, sizeof address);
  std::memcpy(&cdb[10], &length, sizeof length);
}

}  // namespace

Session::Session(Socket socket, SessionParameters parameters, const SessionContext& context)
    : socket_(std::move(socket)),
      context_(context),
      recorder_(context.recorder),
      digests_(parameters.digests),
      parameters_(parameters),
      slot_count_(context.queue_depth),
      cmd_sn_(parameters.cmd_sn),
      max_cmd_sn_(parameters.max_cmd_sn),
      exp_stat_sn_(parameters.exp_stat_sn),
      slots_(context.queue_depth),
      free_(context.queue_depth),
      free_count_(context.queue_depth),
      startable_(context.queue_depth),
      transmit_(context.queue_depth + kSparePdus, parameters.digests, context.payload) {
  for (std::uint32_t i = 0; i < slot_count_; ++i) free_[i] = slot_count_ - 1 - i;
  const std::uint32_t bytes = context.io_bytes;
  immediate_bytes_ = std::min(bytes, parameters.immediate_limit());
  unsolicited_bytes_ = std::min(bytes, parameters.unsolicited_limit()) - immediate_bytes_;
  for (ScsiCommand* command : {&read_command_, &write_command_}) {
    command->lun = scsi::spec::encode_lun(context.lun);
    command->expected_data_transfer_length = bytes;
  }
  const auto simple = static_cast<std::uint8_t>(TaskAttribute::simple);
  read_command_.flags = static_cast<std::uint8_t>(kFinal | kRead | simple);
  // The F bit is clear if unsolicited Data-Out follows the command (RFC 7143 §11.3.1.1).
  write_command_.flags =
      static_cast<std::uint8_t>((unsolicited_bytes_ == 0 ? kFinal : 0) | kWrite | simple);
  write_command_.data_segment_length = immediate_bytes_;
  if (context.verify) {
    buffers_ = std::make_unique_for_overwrite<std::byte[]>(std::size_t{slot_count_} * bytes);
  }
}

MutableBytes Session::slot_buffer(std::uint32_t slot) const {
  return {buffers_.get() + std::size_t{slot} * context_.io_bytes, context_.io_bytes};
}

Bytes Session::slot_payload(std::uint32_t slot) const {
  return context_.verify ? Bytes(slot_buffer(slot)) : context_.payload.bytes();
}

bool Session::fail_with(ErrorCode code, std::string message) {
  error_ = Error{code, std::move(message)};
  return false;
}

void Session::start(bool write, std::uint64_t lba, std::uint32_t block_bytes,
                    std::uint64_t start_ns) {
  const std::uint32_t tag = free_[--free_count_];
  --startable_;
  slots_[tag] = {.start_ns = start_ns,
                 .offset_bytes = lba * block_bytes,
                 .expected_bytes = context_.io_bytes,
                 .write = write,
                 .busy = true};
  ScsiCommand& command = write ? write_command_ : read_command_;
  command.initiator_task_tag = tag;
  command.cmd_sn = cmd_sn_++;
  command.exp_stat_sn = exp_stat_sn_;
  put_cdb(command, write, lba, context_.io_bytes / block_bytes);
  if (!write) {
    transmit_.add(command, {});
    return;
  }
  if (context_.verify) fill_pattern(context_.run, lba * block_bytes, slot_buffer(tag));
  transmit_.add(command, slot_payload(tag).first(immediate_bytes_));
  if (unsolicited_bytes_ != 0) {
    bursts_.push_back({.slot = tag, .offset = immediate_bytes_, .left = unsolicited_bytes_});
    send_bursts();
  }
}

// Sends Data-Out PDUs, as many as there is room for, in the order of the bursts (RFC 7143 §11.7).
void Session::send_bursts() {
  std::size_t done = 0;
  while (done < bursts_.size() && transmit_.has_room()) {
    Burst& burst = bursts_[done];
    const std::uint32_t length = std::min(burst.left, parameters_.max_recv_data_segment_length);
    DataOut out;
    if (length == burst.left) out.flags = kFinal;
    out.data_segment_length = length;
    if (burst.target_transfer_tag != kReservedTag) out.lun = write_command_.lun;
    out.initiator_task_tag = burst.slot;
    out.target_transfer_tag = burst.target_transfer_tag;
    out.exp_stat_sn = exp_stat_sn_;
    out.data_sn = burst.data_sn++;
    out.buffer_offset = burst.offset;
    transmit_.add(out, slot_payload(burst.slot).subspan(burst.offset, length));
    burst.offset += length;
    burst.left -= length;
    if (burst.left == 0) ++done;
  }
  bursts_.erase(bursts_.begin(), bursts_.begin() + static_cast<std::ptrdiff_t>(done));
}

Session::Progress Session::flush() {
  if (transmit_.drained() && bursts_.empty()) return Progress::none;
  for (;;) {
    switch (transmit_.flush(socket_.fd())) {
      case TransmitQueue::Outcome::full: return Progress::some;
      case TransmitQueue::Outcome::failed:
        fail_with(ErrorCode::io, fmt::format("cannot send: {}", std::strerror(errno)));
        return Progress::failed;
      case TransmitQueue::Outcome::sent:
        if (bursts_.empty()) return Progress::some;
        send_bursts();
    }
  }
}

Result<Session::CommandResult> Session::execute(Bytes cdb, std::uint32_t expected_bytes) {
  CommandResult result;
  admin_ = &result;
  admin_done_ = false;
  const std::uint32_t tag = free_[--free_count_];
  slots_[tag] = {.expected_bytes = expected_bytes, .busy = true};
  ScsiCommand command;
  command.flags = static_cast<std::uint8_t>(kFinal | (expected_bytes != 0 ? kRead : 0) |
                                            static_cast<std::uint8_t>(TaskAttribute::simple));
  command.lun = read_command_.lun;
  command.initiator_task_tag = tag;
  command.expected_data_transfer_length = expected_bytes;
  command.cmd_sn = cmd_sn_++;
  command.exp_stat_sn = exp_stat_sn_;
  std::memcpy(command.cdb.data(), cdb.data(), std::min(cdb.size(), command.cdb.size()));
  transmit_.add(command, {});
  while (!admin_done_) {
    if (flush() == Progress::failed || receive() == Progress::failed) break;
    pollfd readable{.fd = fd(), .events = POLLIN, .revents = 0};
    if (!admin_done_ && poll(&readable, 1, kLoginTimeoutS * 1000) == 0) {
      fail_with(ErrorCode::io, fmt::format("no answer for {} s", kLoginTimeoutS));
      break;
    }
  }
  admin_ = nullptr;
  if (!admin_done_) return std::unexpected(error_);
  return result;
}

}  // namespace lunar::bench

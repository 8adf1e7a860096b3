#include "bench/floor_connection.h"

#include <algorithm>
#include <array>
#include <string>

#include "iscsi/spec/text.h"
#include "scsi/spec/capacity.h"
#include "scsi/spec/opcodes.h"

namespace lunar::bench {

using namespace iscsi::spec;
using ScsiOpcode = scsi::spec::Opcode;

namespace {

constexpr std::size_t kPiecesPerCommand = 2;
// MaxCmdSN of a window that stays open for some 2**31 commands.
constexpr std::uint32_t kOpenWindow = 0x7fffffff;

}  // namespace

FloorConnection::FloorConnection(Socket socket, MutableBytes medium, std::uint32_t max_commands)
    : socket_(std::move(socket)), medium_(medium), filling_(max_commands), sending_(max_commands) {
  data_in_.flags = kFinal | kStatus;
  data_in_.max_cmd_sn = response_.max_cmd_sn = kOpenWindow;
  scsi::spec::ReadCapacity16Data capacity;
  capacity.returned_logical_block_address = medium.size() / kFloorBlockBytes - 1;
  capacity.logical_block_length_bytes = kFloorBlockBytes;
  std::ranges::copy(as_bytes(capacity), capacity_.begin());
}

Result<> FloorConnection::serve_login() {
  for (;;) {
    LoginRequest request;
    LUNAR_TRY(receive_all(socket_, {reinterpret_cast<std::byte*>(&request), sizeof request}));
    std::vector<std::byte> text(padded_length(request.data_segment_length));
    LUNAR_TRY(receive_all(socket_, text));
    const LoginStage next = next_stage(request.flags);
    std::string keys;
    if (next == LoginStage::full_feature_phase) {
      append_pair(keys, "MaxRecvDataSegmentLength", "16777215");
      append_pair(keys, "InitialR2T", kNo);
      append_pair(keys, "ImmediateData", kYes);
      append_pair(keys, "FirstBurstLength", "16776192");
      append_pair(keys, "MaxBurstLength", "16776192");
    }
    LoginResponse response;
    response.flags = request.flags;
    response.isid = request.isid;
    response.tsih = 1;
    response.initiator_task_tag = request.initiator_task_tag;
    response.exp_cmd_sn = request.cmd_sn;
    response.max_cmd_sn = kOpenWindow;
    response.data_segment_length = static_cast<std::uint32_t>(keys.size());
    std::vector<std::byte> pdu(sizeof response + padded_length(keys.size()));
    ByteWriter writer(pdu);
    writer.write(response);
    writer.write_text(keys);
    LUNAR_TRY(send_all(socket_, pdu));
    if (next == LoginStage::full_feature_phase) return {};
  }
}

void FloorConnection::consume(Bytes bytes) {
  while (!bytes.empty()) {
    if (write_left_ != 0) {
      const std::size_t count = std::min(bytes.size(), write_left_);
      std::memcpy(write_at_, bytes.data(), count);
      write_at_ += count;
      write_left_ -= count;
      bytes = bytes.subspan(count);
      if (write_left_ == 0) answer(write_tag_);
      continue;
    }
    if (carry_.empty() && bytes.size() >= kBhsLength) {
      command(*reinterpret_cast<const ScsiCommand*>(bytes.data()));
      bytes = bytes.subspan(kBhsLength);
      continue;
    }
    const std::size_t count = std::min(bytes.size(), kBhsLength - carry_.size());
    carry_.insert(carry_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
    bytes = bytes.subspan(count);
    if (carry_.size() == kBhsLength) {
      command(*reinterpret_cast<const ScsiCommand*>(carry_.data()));
      carry_.clear();
    }
  }
}

void FloorConnection::command(const ScsiCommand& command) {
  const auto opcode = static_cast<ScsiOpcode>(command.cdb[0]);
  if (opcode == ScsiOpcode::read_10) {
    answer_read(command);
  } else if (opcode == ScsiOpcode::write_10) {
    const std::uint32_t lba = load<be32>(as_bytes(command.cdb).subspan(2))->value();
    write_at_ = medium_.data() + std::size_t{lba} * kFloorBlockBytes;
    write_left_ = command.data_segment_length;
    write_tag_ = command.initiator_task_tag;
  } else {
    answer_rare(command);
  }
}

FloorConnection::Batch::Batch(std::uint32_t max_commands)
    : headers(std::make_unique_for_overwrite<std::byte[]>(max_commands * kBhsLength)),
      pieces(std::make_unique_for_overwrite<iovec[]>(max_commands * kPiecesPerCommand)) {}

void FloorConnection::Batch::add_header(const void* header) {
  std::byte* at = &headers[header_count++ * kBhsLength];
  std::memcpy(at, header, kBhsLength);
  if (count != 0) {
    iovec& last = pieces[count - 1];
    if (static_cast<std::byte*>(last.iov_base) + last.iov_len == at) {
      last.iov_len += kBhsLength;
      return;
    }
  }
  add(at, kBhsLength);
}

void FloorConnection::answer_read(const ScsiCommand& command) {
  const Bytes cdb = as_bytes(command.cdb);
  const std::size_t lba = load<be32>(cdb.subspan(2))->value();
  const std::uint32_t length = load<be16>(cdb.subspan(7))->value() * kFloorBlockBytes;
  data_in_.initiator_task_tag = command.initiator_task_tag;
  data_in_.data_segment_length = length;
  filling_.add_header(&data_in_);
  filling_.add(medium_.data() + lba * kFloorBlockBytes, length);
}

void FloorConnection::answer(std::uint32_t tag) {
  response_.initiator_task_tag = tag;
  filling_.add_header(&response_);
}

// Commands that the bench sends before it measures: READ CAPACITY(16) and TEST UNIT READY.
void FloorConnection::answer_rare(const ScsiCommand& command) {
  if (static_cast<ScsiOpcode>(command.cdb[0]) != ScsiOpcode::service_action_in_16) {
    answer(command.initiator_task_tag);
    return;
  }
  data_in_.initiator_task_tag = command.initiator_task_tag;
  data_in_.data_segment_length = static_cast<std::uint32_t>(capacity_.size());
  filling_.add_header(&data_in_);
  filling_.add(capacity_.data(), capacity_.size());
}

std::span<iovec> FloorConnection::pending() {
  if (sending_.empty()) std::swap(sending_, filling_);
  return {&sending_.pieces[sending_.first], sending_.count - sending_.first};
}

void FloorConnection::sent(std::size_t bytes) {
  Batch& batch = sending_;
  while (bytes != 0 && bytes >= batch.pieces[batch.first].iov_len) {
    bytes -= batch.pieces[batch.first++].iov_len;
  }
  if (bytes != 0) {
    iovec& cut = batch.pieces[batch.first];
    cut.iov_base = static_cast<std::byte*>(cut.iov_base) + bytes;
    cut.iov_len -= bytes;
  }
  if (batch.empty()) batch.header_count = batch.first = batch.count = 0;
}

}  // namespace lunar::bench

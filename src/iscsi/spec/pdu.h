// The 48-byte Basic Header Segments of iSCSI (RFC 7143 §11) in wire format, one struct each.
//
// The structs have alignment 1 and no padding, so load<ScsiCommand>(bytes) and as_bytes(pdu) are
// the whole codec. Default values are what a sender must use for unset fields: the opcode, bits
// that are always one, reserved task tags, otherwise zero.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/endian.h"
#include "iscsi/spec/constants.h"

namespace lunar::iscsi::spec {

// The initiator's part of a session identifier: type, naming authority and qualifier (RFC 7143
// §11.12.5). Targets only compare it.
struct Isid {
  std::array<std::uint8_t, 6> bytes{};

  friend constexpr auto operator<=>(const Isid&, const Isid&) = default;
};

template <std::size_t Count>
using Reserved = std::array<std::uint8_t, Count>;

// Common part of all BHSs. Receive into this, then pdu_cast() to the PDU of opcode().
struct Bhs {
  std::uint8_t opcode_byte = 0;
  std::uint8_t flags = 0;
  Reserved<2> opcode_specific_2{};
  std::uint8_t total_ahs_length = 0;  // in words of four bytes
  be24 data_segment_length;           // in bytes, without padding
  be64 lun;                           // or opcode specific
  be32 initiator_task_tag;
  Reserved<28> opcode_specific_20{};

  // May be none of the enumerators: it is a value from the wire.
  [[nodiscard]] Opcode opcode() const { return static_cast<Opcode>(opcode_byte & kOpcodeMask); }
  [[nodiscard]] bool immediate() const { return (opcode_byte & kImmediate) != 0; }
  [[nodiscard]] bool final() const { return (flags & kFinal) != 0; }
  [[nodiscard]] std::size_t ahs_length_bytes() const { return std::size_t{total_ahs_length} * 4; }
};

// A received header as its PDU's struct. Both have 48 bytes, so this cannot fail.
template <WireStruct Pdu>
[[nodiscard]] Pdu pdu_cast(const Bhs& bhs) {
  static_assert(sizeof(Pdu) == sizeof(Bhs));
  return *load<Pdu>(as_bytes(bhs));
}

// RFC 7143 §11.3. Flags: kFinal, kRead, kWrite, task attribute.
struct ScsiCommand {
  std::uint8_t opcode_byte = wire(Opcode::scsi_command);
  std::uint8_t flags = kFinal;
  Reserved<2> reserved_2{};
  std::uint8_t total_ahs_length = 0;
  be24 data_segment_length;
  be64 lun;
  be32 initiator_task_tag;
  be32 expected_data_transfer_length;
  be32 cmd_sn;
  be32 exp_stat_sn;
  std::array<std::uint8_t, 16> cdb{};
};

// RFC 7143 §11.4. Flags: kFinal, kResidual*, kBidirectionalReadResidual*.
struct ScsiResponse {
  std::uint8_t opcode_byte = wire(Opcode::scsi_response);
  std::uint8_t flags = kFinal;
  std::uint8_t response = 0;  // ScsiResponseCode
  std::uint8_t status = 0;
  std::uint8_t total_ahs_length = 0;
  be24 data_segment_length;
  Reserved<8> reserved_8{};
  be32 initiator_task_tag;
  be32 snack_tag;
  be32 stat_sn;
  be32 exp_cmd_sn;
  be32 max_cmd_sn;
  be32 exp_data_sn;
  be32 bidirectional_read_residual_count;
  be32 residual_count;
};

// RFC 7143 §11.5. Flags: kFinal | TmfFunction.
struct TaskManagementRequest {
  std::uint8_t opcode_byte = wire(Opcode::task_management_request);
  std::uint8_t flags = kFinal;
  Reserved<2> reserved_2{};
  std::uint8_t total_ahs_length = 0;
  be24 data_segment_length;
  be64 lun;
  be32 initiator_task_tag;
  be32 referenced_task_tag = kReservedTag;
  be32 cmd_sn;
  be32 exp_stat_sn;
  be32 ref_cmd_sn;
  be32 exp_data_sn;
  Reserved<8> reserved_40{};
};

// RFC 7143 §11.6
struct TaskManagementResponse {
  std::uint8_t opcode_byte = wire(Opcode::task_management_response);
  std::uint8_t flags = kFinal;
  std::uint8_t response = 0;  // TmfResponse
  Reserved<1> reserved_3{};
  std::uint8_t total_ahs_length = 0;
  be24 data_segment_length;
  be24 additional_response_information;  // RFC 7144 §4.2, of QUERY ASYNCHRONOUS EVENT
  Reserved<5> reserved_11{};
  be32 initiator_task_tag;
  Reserved<4> reserved_20{};
  be32 stat_sn;
  be32 exp_cmd_sn;
  be32 max_cmd_sn;
  Reserved<12> reserved_36{};
};

// RFC 7143 §11.7. Flags: kFinal.
struct DataOut {
  std::uint8_t opcode_byte = wire(Opcode::data_out);
  std::uint8_t flags = 0;
  Reserved<2> reserved_2{};
  std::uint8_t total_ahs_length = 0;
  be24 data_segment_length;
  be64 lun;
  be32 initiator_task_tag;
  be32 target_transfer_tag = kReservedTag;  // reserved: unsolicited
  Reserved<4> reserved_24{};
  be32 exp_stat_sn;
  Reserved<4> reserved_32{};
  be32 data_sn;
  be32 buffer_offset;
  Reserved<4> reserved_44{};
};

// RFC 7143 §11.7. Flags: kFinal, kAcknowledge, kResidual*, kStatus.
struct DataIn {
  std::uint8_t opcode_byte = wire(Opcode::data_in);
  std::uint8_t flags = 0;
  Reserved<1> reserved_2{};
  std::uint8_t status = 0;
  std::uint8_t total_ahs_length = 0;
  be24 data_segment_length;
  be64 lun;
  be32 initiator_task_tag;
  be32 target_transfer_tag = kReservedTag;
  be32 stat_sn;
  be32 exp_cmd_sn;
  be32 max_cmd_sn;
  be32 data_sn;
  be32 buffer_offset;
  be32 residual_count;
};

// RFC 7143 §11.8
struct R2T {
  std::uint8_t opcode_byte = wire(Opcode::r2t);
  std::uint8_t flags = kFinal;
  Reserved<2> reserved_2{};
  std::uint8_t total_ahs_length = 0;
  be24 data_segment_length;
  be64 lun;
  be32 initiator_task_tag;
  be32 target_transfer_tag;
  be32 stat_sn;  // the next StatSN; not consumed
  be32 exp_cmd_sn;
  be32 max_cmd_sn;
  be32 r2t_sn;
  be32 buffer_offset;
  be32 desired_data_transfer_length;
};

// RFC 7143 §11.9
struct AsyncMessage {
  std::uint8_t opcode_byte = wire(Opcode::async_message);
  std::uint8_t flags = kFinal;
  Reserved<2> reserved_2{};
  std::uint8_t total_ahs_length = 0;
  be24 data_segment_length;
  be64 lun;
  be32 initiator_task_tag = kReservedTag;
  Reserved<4> reserved_20{};
  be32 stat_sn;
  be32 exp_cmd_sn;
  be32 max_cmd_sn;
  std::uint8_t async_event = 0;  // AsyncEvent
  std::uint8_t async_vcode = 0;
  be16 parameter_1;
  be16 parameter_2;
  be16 parameter_3;
  Reserved<4> reserved_44{};
};

// RFC 7143 §11.10. Flags: kFinal, kContinue.
struct TextRequest {
  std::uint8_t opcode_byte = wire(Opcode::text_request);
  std::uint8_t flags = kFinal;
  Reserved<2> reserved_2{};
  std::uint8_t total_ahs_length = 0;
  be24 data_segment_length;
  be64 lun;
  be32 initiator_task_tag;
  be32 target_transfer_tag = kReservedTag;
  be32 cmd_sn;
  be32 exp_stat_sn;
  Reserved<16> reserved_32{};
};

// RFC 7143 §11.11. Flags: kFinal, kContinue.
struct TextResponse {
  std::uint8_t opcode_byte = wire(Opcode::text_response);
  std::uint8_t flags = kFinal;
  Reserved<2> reserved_2{};
  std::uint8_t total_ahs_length = 0;
  be24 data_segment_length;
  be64 lun;
  be32 initiator_task_tag;
  be32 target_transfer_tag = kReservedTag;
  be32 stat_sn;
  be32 exp_cmd_sn;
  be32 max_cmd_sn;
  Reserved<12> reserved_36{};
};

// Byte 1 of both login PDUs: T, C, CSG, NSG (RFC 7143 §11.12).
[[nodiscard]] constexpr LoginStage current_stage(std::uint8_t flags) {
  return static_cast<LoginStage>((flags >> kCurrentStageShift) & kStageMask);
}
[[nodiscard]] constexpr LoginStage next_stage(std::uint8_t flags) {
  return static_cast<LoginStage>(flags & kStageMask);
}
[[nodiscard]] constexpr std::uint8_t stage_flags(LoginStage current, LoginStage next) {
  return static_cast<std::uint8_t>((static_cast<unsigned>(current) << kCurrentStageShift) |
                                   static_cast<unsigned>(next));
}

// RFC 7143 §11.12. Flags: kTransit, kContinue, stage_flags(). Always immediate.
struct LoginRequest {
  std::uint8_t opcode_byte = wire(Opcode::login_request) | kImmediate;
  std::uint8_t flags = 0;
  std::uint8_t version_max = kVersion;
  std::uint8_t version_min = kVersion;
  std::uint8_t total_ahs_length = 0;
  be24 data_segment_length;
  Isid isid;
  be16 tsih;
  be32 initiator_task_tag;
  be16 cid;
  Reserved<2> reserved_22{};
  be32 cmd_sn;
  be32 exp_stat_sn;
  Reserved<16> reserved_32{};
};

// RFC 7143 §11.13. Flags as in the request.
struct LoginResponse {
  std::uint8_t opcode_byte = wire(Opcode::login_response);
  std::uint8_t flags = 0;
  std::uint8_t version_max = kVersion;
  std::uint8_t version_active = kVersion;
  std::uint8_t total_ahs_length = 0;
  be24 data_segment_length;
  Isid isid;
  be16 tsih;
  be32 initiator_task_tag;
  Reserved<4> reserved_20{};
  be32 stat_sn;
  be32 exp_cmd_sn;
  be32 max_cmd_sn;
  std::uint8_t status_class = 0;
  std::uint8_t status_detail = 0;
  Reserved<10> reserved_38{};

  [[nodiscard]] LoginStatus status() const {
    return static_cast<LoginStatus>((status_class << 8) | status_detail);
  }
  void set_status(LoginStatus status) {
    status_class = spec::status_class(status);
    status_detail = spec::status_detail(status);
  }
};

// RFC 7143 §11.14. Flags: kFinal | LogoutReason.
struct LogoutRequest {
  std::uint8_t opcode_byte = wire(Opcode::logout_request);
  std::uint8_t flags = kFinal;
  Reserved<2> reserved_2{};
  std::uint8_t total_ahs_length = 0;
  be24 data_segment_length;
  Reserved<8> reserved_8{};
  be32 initiator_task_tag;
  be16 cid;
  Reserved<2> reserved_22{};
  be32 cmd_sn;
  be32 exp_stat_sn;
  Reserved<16> reserved_32{};
};

// RFC 7143 §11.15. Times in seconds.
struct LogoutResponse {
  std::uint8_t opcode_byte = wire(Opcode::logout_response);
  std::uint8_t flags = kFinal;
  std::uint8_t response = 0;  // LogoutResponseCode
  Reserved<1> reserved_3{};
  std::uint8_t total_ahs_length = 0;
  be24 data_segment_length;
  Reserved<8> reserved_8{};
  be32 initiator_task_tag;
  Reserved<4> reserved_20{};
  be32 stat_sn;
  be32 exp_cmd_sn;
  be32 max_cmd_sn;
  Reserved<4> reserved_36{};
  be16 time2wait;
  be16 time2retain;
  Reserved<4> reserved_44{};
};

// RFC 7143 §11.16. Flags: kFinal | SnackType.
struct SnackRequest {
  std::uint8_t opcode_byte = wire(Opcode::snack_request);
  std::uint8_t flags = kFinal;
  Reserved<2> reserved_2{};
  std::uint8_t total_ahs_length = 0;
  be24 data_segment_length;
  be64 lun;
  be32 initiator_task_tag = kReservedTag;
  be32 target_transfer_tag = kReservedTag;  // or the SNACK tag
  Reserved<4> reserved_24{};
  be32 exp_stat_sn;
  Reserved<8> reserved_32{};
  be32 beg_run;
  be32 run_length;
};

// RFC 7143 §11.17. The data segment holds the header of the rejected PDU.
struct Reject {
  std::uint8_t opcode_byte = wire(Opcode::reject);
  std::uint8_t flags = kFinal;
  std::uint8_t reason = 0;  // RejectReason
  Reserved<1> reserved_3{};
  std::uint8_t total_ahs_length = 0;
  be24 data_segment_length;
  Reserved<8> reserved_8{};
  be32 initiator_task_tag = kReservedTag;
  Reserved<4> reserved_20{};
  be32 stat_sn;
  be32 exp_cmd_sn;
  be32 max_cmd_sn;
  be32 data_sn;  // or R2TSN; only if a Data/R2T SNACK was rejected
  Reserved<8> reserved_40{};
};

// RFC 7143 §11.18
struct NopOut {
  std::uint8_t opcode_byte = wire(Opcode::nop_out);
  std::uint8_t flags = kFinal;
  Reserved<2> reserved_2{};
  std::uint8_t total_ahs_length = 0;
  be24 data_segment_length;
  be64 lun;
  be32 initiator_task_tag = kReservedTag;  // reserved: requests no answer
  be32 target_transfer_tag = kReservedTag;
  be32 cmd_sn;
  be32 exp_stat_sn;
  Reserved<16> reserved_32{};
};

// RFC 7143 §11.19
struct NopIn {
  std::uint8_t opcode_byte = wire(Opcode::nop_in);
  std::uint8_t flags = kFinal;
  Reserved<2> reserved_2{};
  std::uint8_t total_ahs_length = 0;
  be24 data_segment_length;
  be64 lun;
  be32 initiator_task_tag = kReservedTag;
  be32 target_transfer_tag = kReservedTag;  // reserved: requests no answer
  be32 stat_sn;
  be32 exp_cmd_sn;
  be32 max_cmd_sn;
  Reserved<12> reserved_36{};
};

}  // namespace lunar::iscsi::spec

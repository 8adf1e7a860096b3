// The 48-byte Basic Header Segments of iSCSI (RFC 7143 §11) as they travel, and their constants.
//
// Each struct has alignment 1 and no padding, so load<ScsiCommand>(bytes) and as_bytes(pdu) are the
// whole codec. Defaults are what a sender must put where it has nothing to say: the opcode, the
// bits that are always one, reserved task tags, zero elsewhere.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/endian.h"

namespace lunar::iscsi::spec {

constexpr std::size_t kBhsLength = 48;
constexpr std::size_t kDigestLength = 4;
constexpr std::size_t kPduAlignment = 4;  // every segment is padded to this (RFC 7143 §11.1)
constexpr std::uint32_t kMaxDataSegmentLength = 0x00ffffff;
constexpr std::size_t kMaxAhsLength = 255 * std::size_t{4};
constexpr std::uint32_t kReservedTag = 0xffffffff;
constexpr std::uint16_t kPort = 3260;

// Bytes that a segment of `length` takes on the wire, without its digest.
[[nodiscard]] constexpr std::size_t padded_length(std::size_t length) {
  return (length + kPduAlignment - 1) & ~(kPduAlignment - 1);
}

// RFC 7143 §11.2.1.2. Byte 0 holds it in its low six bits.
enum class Opcode : std::uint8_t {
  nop_out = 0x00,
  scsi_command = 0x01,
  task_management_request = 0x02,
  login_request = 0x03,
  text_request = 0x04,
  data_out = 0x05,
  logout_request = 0x06,
  snack_request = 0x10,
  nop_in = 0x20,
  scsi_response = 0x21,
  task_management_response = 0x22,
  login_response = 0x23,
  text_response = 0x24,
  data_in = 0x25,
  logout_response = 0x26,
  r2t = 0x31,
  async_message = 0x32,
  reject = 0x3f,
};
constexpr std::uint8_t kOpcodeMask = 0x3f;
constexpr std::uint8_t kImmediate = 0x40;  // byte 0: deliver at once, CmdSN is not consumed

[[nodiscard]] constexpr std::uint8_t wire(Opcode opcode) {
  return static_cast<std::uint8_t>(opcode);
}

// Byte 1. Which of them a PDU knows is said at its struct.
constexpr std::uint8_t kFinal = 0x80;
constexpr std::uint8_t kContinue = 0x40;  // C of text and login: the text goes on in the next PDU
constexpr std::uint8_t kTransit = 0x80;   // T of login
// SCSI Command
constexpr std::uint8_t kRead = 0x40;
constexpr std::uint8_t kWrite = 0x20;
constexpr std::uint8_t kTaskAttributeMask = 0x07;
// Data-In
constexpr std::uint8_t kAcknowledge = 0x40;
constexpr std::uint8_t kStatus = 0x01;  // the PDU carries the command's status
// Data-In and SCSI Response
constexpr std::uint8_t kResidualUnderflow = 0x02;
constexpr std::uint8_t kResidualOverflow = 0x04;
// SCSI Response of a bidirectional command
constexpr std::uint8_t kBidirectionalReadResidualUnderflow = 0x08;
constexpr std::uint8_t kBidirectionalReadResidualOverflow = 0x10;

// RFC 7143 §11.3.1.2
enum class TaskAttribute : std::uint8_t {
  untagged = 0,
  simple = 1,
  ordered = 2,
  head_of_queue = 3,
  aca = 4,
};

// RFC 7143 §11.5.1
enum class TmfFunction : std::uint8_t {
  abort_task = 1,
  abort_task_set = 2,
  clear_aca = 3,
  clear_task_set = 4,
  logical_unit_reset = 5,
  target_warm_reset = 6,
  target_cold_reset = 7,
  task_reassign = 8,
  query_task = 9,  // RFC 7144 §4.1: these three ask for iSCSIProtocolLevel 2
  query_task_set = 10,
  i_t_nexus_reset = 11,
  query_asynchronous_event = 12,
};
constexpr std::uint8_t kTmfFunctionMask = 0x7f;

// RFC 7143 §11.6.1
enum class TmfResponse : std::uint8_t {
  function_complete = 0,
  task_does_not_exist = 1,
  lun_does_not_exist = 2,
  task_still_allegiant = 3,
  task_allegiance_reassignment_not_supported = 4,
  function_not_supported = 5,
  function_authorization_failed = 6,
  function_succeeded = 7,  // RFC 7144 §4.2
  function_rejected = 255,
};

// RFC 7143 §11.4.3
enum class ScsiResponseCode : std::uint8_t {
  command_completed_at_target = 0x00,
  target_failure = 0x01,
};

// RFC 7143 §11.14.1
enum class LogoutReason : std::uint8_t {
  close_session = 0,
  close_connection = 1,
  remove_connection_for_recovery = 2,
};
constexpr std::uint8_t kLogoutReasonMask = 0x7f;

// RFC 7143 §11.15.1
enum class LogoutResponseCode : std::uint8_t {
  closed = 0,
  cid_not_found = 1,
  recovery_not_supported = 2,
  cleanup_failed = 3,
};

// RFC 7143 §11.16.1
enum class SnackType : std::uint8_t {
  data_r2t = 0,
  status = 1,
  data_ack = 2,
  r_data = 3,
};
constexpr std::uint8_t kSnackTypeMask = 0x0f;

// RFC 7143 §11.17.1
enum class RejectReason : std::uint8_t {
  data_digest_error = 0x02,
  snack_reject = 0x03,
  protocol_error = 0x04,
  command_not_supported = 0x05,
  immediate_command_reject = 0x06,  // too many immediate commands
  task_in_progress = 0x07,
  invalid_data_ack = 0x08,
  invalid_pdu_field = 0x09,
  long_op_reject = 0x0a,  // cannot generate a target transfer tag
  waiting_for_logout = 0x0c,
};

// RFC 7143 §11.9.1
enum class AsyncEvent : std::uint8_t {
  scsi_asynchronous_event = 0,  // the data segment holds the sense data
  logout_request = 1,
  connection_drop = 2,
  session_drop = 3,
  negotiation_request = 4,
  task_termination = 5,
  vendor_specific = 255,
};

// RFC 7143 §11.12.3
enum class LoginStage : std::uint8_t {
  security_negotiation = 0,
  login_operational_negotiation = 1,
  full_feature_phase = 3,
};
constexpr std::uint8_t kCurrentStageShift = 2;
constexpr std::uint8_t kStageMask = 0x03;

// RFC 7143 §11.13.5: the class in the high byte, the detail in the low one.
enum class LoginStatus : std::uint16_t {
  success = 0x0000,
  target_moved_temporarily = 0x0101,
  target_moved_permanently = 0x0102,
  initiator_error = 0x0200,
  authentication_failure = 0x0201,
  authorization_failure = 0x0202,
  not_found = 0x0203,
  target_removed = 0x0204,
  unsupported_version = 0x0205,
  too_many_connections = 0x0206,
  missing_parameter = 0x0207,
  cannot_include_in_session = 0x0208,
  session_type_not_supported = 0x0209,
  session_does_not_exist = 0x020a,
  invalid_during_login = 0x020b,
  target_error = 0x0300,
  service_unavailable = 0x0301,
  out_of_resources = 0x0302,
};
[[nodiscard]] constexpr std::uint8_t status_class(LoginStatus status) {
  return static_cast<std::uint8_t>(static_cast<std::uint16_t>(status) >> 8);
}
[[nodiscard]] constexpr std::uint8_t status_detail(LoginStatus status) {
  return static_cast<std::uint8_t>(static_cast<std::uint16_t>(status) & 0xff);
}

constexpr std::uint8_t kVersion = 0x00;  // RFC 7143 §11.12.4: the only one there is

// The initiator's part of a session's name, made of type, naming authority and qualifier
// (RFC 7143 §11.12.5). A target only compares it.
struct Isid {
  std::array<std::uint8_t, 6> bytes{};

  friend constexpr auto operator<=>(const Isid&, const Isid&) = default;
};

template <std::size_t Count>
using Reserved = std::array<std::uint8_t, Count>;

// What all BHSs share; receive into this, then load the PDU that opcode() names.
struct Bhs {
  std::uint8_t opcode_byte = 0;
  std::uint8_t flags = 0;
  Reserved<2> opcode_specific_2{};
  std::uint8_t total_ahs_length = 0;  // in words of four bytes
  be24 data_segment_length;           // in bytes, padding not counted
  be64 lun;                           // or opcode specific
  be32 initiator_task_tag;
  Reserved<28> opcode_specific_20{};

  // A value of the wire: may be none of Opcode's names.
  [[nodiscard]] Opcode opcode() const { return static_cast<Opcode>(opcode_byte & kOpcodeMask); }
  [[nodiscard]] bool immediate() const { return (opcode_byte & kImmediate) != 0; }
  [[nodiscard]] bool final() const { return (flags & kFinal) != 0; }
  [[nodiscard]] std::size_t ahs_length_bytes() const { return std::size_t{total_ahs_length} * 4; }
};

// The typed view of a received header. Both are 48 bytes, so it cannot fail.
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
  Reserved<8> reserved_8{};
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
  be32 stat_sn;  // the next one; not consumed
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
  be32 data_sn;  // or R2TSN; only of a rejected Data/R2T SNACK
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
  be32 initiator_task_tag = kReservedTag;  // reserved: no answer is wanted
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
  be32 target_transfer_tag = kReservedTag;  // reserved: no answer is wanted
  be32 stat_sn;
  be32 exp_cmd_sn;
  be32 max_cmd_sn;
  Reserved<12> reserved_36{};
};

// The layout of every PDU against the tables of the RFC.
template <WireStruct Pdu>
constexpr bool kHasCommonLayout =
    sizeof(Pdu) == kBhsLength && offsetof(Pdu, opcode_byte) == 0 && offsetof(Pdu, flags) == 1 &&
    offsetof(Pdu, total_ahs_length) == 4 && offsetof(Pdu, data_segment_length) == 5 &&
    offsetof(Pdu, initiator_task_tag) == 16;
template <WireStruct Pdu>
constexpr bool kHasRequestLayout =
    kHasCommonLayout<Pdu> && offsetof(Pdu, cmd_sn) == 24 && offsetof(Pdu, exp_stat_sn) == 28;
template <WireStruct Pdu>
constexpr bool kHasResponseLayout =
    kHasCommonLayout<Pdu> && offsetof(Pdu, stat_sn) == 24 && offsetof(Pdu, exp_cmd_sn) == 28 &&
    offsetof(Pdu, max_cmd_sn) == 32;

static_assert(kHasCommonLayout<Bhs> && offsetof(Bhs, lun) == 8);
static_assert(kHasRequestLayout<ScsiCommand> && offsetof(ScsiCommand, lun) == 8);
static_assert(offsetof(ScsiCommand, expected_data_transfer_length) == 20);
static_assert(offsetof(ScsiCommand, cdb) == 32);
static_assert(kHasResponseLayout<ScsiResponse> && offsetof(ScsiResponse, response) == 2);
static_assert(offsetof(ScsiResponse, status) == 3 && offsetof(ScsiResponse, snack_tag) == 20);
static_assert(offsetof(ScsiResponse, exp_data_sn) == 36);
static_assert(offsetof(ScsiResponse, bidirectional_read_residual_count) == 40);
static_assert(offsetof(ScsiResponse, residual_count) == 44);
static_assert(kHasRequestLayout<TaskManagementRequest> &&
              offsetof(TaskManagementRequest, lun) == 8);
static_assert(offsetof(TaskManagementRequest, referenced_task_tag) == 20);
static_assert(offsetof(TaskManagementRequest, ref_cmd_sn) == 32);
static_assert(offsetof(TaskManagementRequest, exp_data_sn) == 36);
static_assert(kHasResponseLayout<TaskManagementResponse>);
static_assert(offsetof(TaskManagementResponse, response) == 2);
static_assert(kHasCommonLayout<DataOut> && offsetof(DataOut, lun) == 8);
static_assert(offsetof(DataOut, target_transfer_tag) == 20 && offsetof(DataOut, exp_stat_sn) == 28);
static_assert(offsetof(DataOut, data_sn) == 36 && offsetof(DataOut, buffer_offset) == 40);
static_assert(kHasResponseLayout<DataIn> && offsetof(DataIn, status) == 3);
static_assert(offsetof(DataIn, lun) == 8 && offsetof(DataIn, target_transfer_tag) == 20);
static_assert(offsetof(DataIn, data_sn) == 36 && offsetof(DataIn, buffer_offset) == 40);
static_assert(offsetof(DataIn, residual_count) == 44);
static_assert(kHasResponseLayout<R2T> && offsetof(R2T, lun) == 8);
static_assert(offsetof(R2T, target_transfer_tag) == 20 && offsetof(R2T, r2t_sn) == 36);
static_assert(offsetof(R2T, buffer_offset) == 40);
static_assert(offsetof(R2T, desired_data_transfer_length) == 44);
static_assert(kHasResponseLayout<AsyncMessage> && offsetof(AsyncMessage, lun) == 8);
static_assert(offsetof(AsyncMessage, async_event) == 36 &&
              offsetof(AsyncMessage, async_vcode) == 37);
static_assert(offsetof(AsyncMessage, parameter_1) == 38 &&
              offsetof(AsyncMessage, parameter_2) == 40);
static_assert(offsetof(AsyncMessage, parameter_3) == 42);
static_assert(kHasRequestLayout<TextRequest> && offsetof(TextRequest, lun) == 8);
static_assert(offsetof(TextRequest, target_transfer_tag) == 20);
static_assert(kHasResponseLayout<TextResponse> && offsetof(TextResponse, lun) == 8);
static_assert(offsetof(TextResponse, target_transfer_tag) == 20);
static_assert(kHasRequestLayout<LoginRequest> && offsetof(LoginRequest, version_max) == 2);
static_assert(offsetof(LoginRequest, version_min) == 3 && offsetof(LoginRequest, isid) == 8);
static_assert(offsetof(LoginRequest, tsih) == 14 && offsetof(LoginRequest, cid) == 20);
static_assert(kHasResponseLayout<LoginResponse> && offsetof(LoginResponse, version_active) == 3);
static_assert(offsetof(LoginResponse, isid) == 8 && offsetof(LoginResponse, tsih) == 14);
static_assert(offsetof(LoginResponse, status_class) == 36);
static_assert(offsetof(LoginResponse, status_detail) == 37);
static_assert(kHasRequestLayout<LogoutRequest> && offsetof(LogoutRequest, cid) == 20);
static_assert(kHasResponseLayout<LogoutResponse> && offsetof(LogoutResponse, response) == 2);
static_assert(offsetof(LogoutResponse, time2wait) == 40);
static_assert(offsetof(LogoutResponse, time2retain) == 42);
static_assert(kHasCommonLayout<SnackRequest> && offsetof(SnackRequest, lun) == 8);
static_assert(offsetof(SnackRequest, target_transfer_tag) == 20);
static_assert(offsetof(SnackRequest, exp_stat_sn) == 28 && offsetof(SnackRequest, beg_run) == 40);
static_assert(offsetof(SnackRequest, run_length) == 44);
static_assert(kHasResponseLayout<Reject> && offsetof(Reject, reason) == 2);
static_assert(offsetof(Reject, data_sn) == 36);
static_assert(kHasRequestLayout<NopOut> && offsetof(NopOut, lun) == 8);
static_assert(offsetof(NopOut, target_transfer_tag) == 20);
static_assert(kHasResponseLayout<NopIn> && offsetof(NopIn, lun) == 8);
static_assert(offsetof(NopIn, target_transfer_tag) == 20);

}  // namespace lunar::iscsi::spec

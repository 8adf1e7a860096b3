// Constants of RFC 7143 §11, under the RFC's names: opcodes, flags, and codes in PDUs.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lunar::iscsi::spec {

constexpr std::size_t kBhsLength = 48;
constexpr std::size_t kDigestLength = 4;
constexpr std::size_t kPduAlignment = 4;  // segments are padded to this (RFC 7143 §11.1)
constexpr std::uint32_t kMaxDataSegmentLength = 0x00ffffff;
constexpr std::size_t kMaxAhsLength = 255 * std::size_t{4};
constexpr std::uint32_t kReservedTag = 0xffffffff;
constexpr std::uint16_t kPort = 3260;

// Bytes of a segment of `length` on the wire, without its digest.
[[nodiscard]] constexpr std::size_t padded_length(std::size_t length) {
  return (length + kPduAlignment - 1) & ~(kPduAlignment - 1);
}

// RFC 7143 §11.2.1.2. The low six bits of byte 0.
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
constexpr std::uint8_t kImmediate = 0x40;  // byte 0: deliver at once; does not consume CmdSN

[[nodiscard]] constexpr std::uint8_t wire(Opcode opcode) {
  return static_cast<std::uint8_t>(opcode);
}

// Flags of byte 1. The comment at each PDU's struct names its flags.
constexpr std::uint8_t kFinal = 0x80;
constexpr std::uint8_t kContinue = 0x40;  // C of text and login: the text continues in the next PDU
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
  query_task = 9,  // RFC 7144 §4.1: from here on iSCSIProtocolLevel 2 is required
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

// RFC 7143 §11.13.5: class in the high byte, detail in the low byte.
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

constexpr std::uint8_t kVersion = 0x00;  // RFC 7143 §11.12.4: the only version

}  // namespace lunar::iscsi::spec

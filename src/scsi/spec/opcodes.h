// Operation codes and service actions for a disk (SPC-5 and SBC-4, annexes of numeric order codes).
#pragma once

#include <cstdint>
#include <string>

namespace lunar::scsi::spec {

// X(name, code, the standard's name)
#define LUNAR_OPCODE_LIST(X)                                            \
  X(test_unit_ready, 0x00, "TEST UNIT READY")                           \
  X(request_sense, 0x03, "REQUEST SENSE")                               \
  X(format_unit, 0x04, "FORMAT UNIT")                                   \
  X(reassign_blocks, 0x07, "REASSIGN BLOCKS")                           \
  X(read_6, 0x08, "READ (6)")                                           \
  X(write_6, 0x0a, "WRITE (6)")                                         \
  X(seek_6, 0x0b, "SEEK (6)")                                           \
  X(inquiry, 0x12, "INQUIRY")                                           \
  X(mode_select_6, 0x15, "MODE SELECT (6)")                             \
  X(reserve_6, 0x16, "RESERVE (6)")                                     \
  X(release_6, 0x17, "RELEASE (6)")                                     \
  X(mode_sense_6, 0x1a, "MODE SENSE (6)")                               \
  X(start_stop_unit, 0x1b, "START STOP UNIT")                           \
  X(receive_diagnostic_results, 0x1c, "RECEIVE DIAGNOSTIC RESULTS")     \
  X(send_diagnostic, 0x1d, "SEND DIAGNOSTIC")                           \
  X(prevent_allow_medium_removal, 0x1e, "PREVENT ALLOW MEDIUM REMOVAL") \
  X(read_capacity_10, 0x25, "READ CAPACITY (10)")                       \
  X(read_10, 0x28, "READ (10)")                                         \
  X(write_10, 0x2a, "WRITE (10)")                                       \
  X(seek_10, 0x2b, "SEEK (10)")                                         \
  X(write_and_verify_10, 0x2e, "WRITE AND VERIFY (10)")                 \
  X(verify_10, 0x2f, "VERIFY (10)")                                     \
  X(pre_fetch_10, 0x34, "PRE-FETCH (10)")                               \
  X(synchronize_cache_10, 0x35, "SYNCHRONIZE CACHE (10)")               \
  X(read_defect_data_10, 0x37, "READ DEFECT DATA (10)")                 \
  X(write_buffer, 0x3b, "WRITE BUFFER")                                 \
  X(read_buffer_10, 0x3c, "READ BUFFER (10)")                           \
  X(read_long_10, 0x3e, "READ LONG (10)")                               \
  X(write_long_10, 0x3f, "WRITE LONG (10)")                             \
  X(write_same_10, 0x41, "WRITE SAME (10)")                             \
  X(unmap, 0x42, "UNMAP")                                               \
  X(sanitize, 0x48, "SANITIZE")                                         \
  X(log_select, 0x4c, "LOG SELECT")                                     \
  X(log_sense, 0x4d, "LOG SENSE")                                       \
  X(mode_select_10, 0x55, "MODE SELECT (10)")                           \
  X(reserve_10, 0x56, "RESERVE (10)")                                   \
  X(release_10, 0x57, "RELEASE (10)")                                   \
  X(mode_sense_10, 0x5a, "MODE SENSE (10)")                             \
  X(persistent_reserve_in, 0x5e, "PERSISTENT RESERVE IN")               \
  X(persistent_reserve_out, 0x5f, "PERSISTENT RESERVE OUT")             \
  X(variable_length_cdb, 0x7f, "VARIABLE LENGTH CDB")                   \
  X(third_party_copy_out, 0x83, "THIRD-PARTY COPY OUT")                 \
  X(third_party_copy_in, 0x84, "THIRD-PARTY COPY IN")                   \
  X(ata_pass_through_16, 0x85, "ATA PASS-THROUGH (16)")                 \
  X(read_16, 0x88, "READ (16)")                                         \
  X(compare_and_write, 0x89, "COMPARE AND WRITE")                       \
  X(write_16, 0x8a, "WRITE (16)")                                       \
  X(orwrite_16, 0x8b, "ORWRITE (16)")                                   \
  X(write_and_verify_16, 0x8e, "WRITE AND VERIFY (16)")                 \
  X(verify_16, 0x8f, "VERIFY (16)")                                     \
  X(pre_fetch_16, 0x90, "PRE-FETCH (16)")                               \
  X(synchronize_cache_16, 0x91, "SYNCHRONIZE CACHE (16)")               \
  X(write_same_16, 0x93, "WRITE SAME (16)")                             \
  X(write_stream_16, 0x9a, "WRITE STREAM (16)")                         \
  X(read_buffer_16, 0x9b, "READ BUFFER (16)")                           \
  X(write_atomic_16, 0x9c, "WRITE ATOMIC (16)")                         \
  X(service_action_bidirectional, 0x9d, "SERVICE ACTION BIDIRECTIONAL") \
  X(service_action_in_16, 0x9e, "SERVICE ACTION IN (16)")               \
  X(service_action_out_16, 0x9f, "SERVICE ACTION OUT (16)")             \
  X(report_luns, 0xa0, "REPORT LUNS")                                   \
  X(ata_pass_through_12, 0xa1, "ATA PASS-THROUGH (12)")                 \
  X(security_protocol_in, 0xa2, "SECURITY PROTOCOL IN")                 \
  X(maintenance_in, 0xa3, "MAINTENANCE IN")                             \
  X(maintenance_out, 0xa4, "MAINTENANCE OUT")                           \
  X(read_12, 0xa8, "READ (12)")                                         \
  X(service_action_out_12, 0xa9, "SERVICE ACTION OUT (12)")             \
  X(write_12, 0xaa, "WRITE (12)")                                       \
  X(service_action_in_12, 0xab, "SERVICE ACTION IN (12)")               \
  X(write_and_verify_12, 0xae, "WRITE AND VERIFY (12)")                 \
  X(verify_12, 0xaf, "VERIFY (12)")                                     \
  X(security_protocol_out, 0xb5, "SECURITY PROTOCOL OUT")               \
  X(read_defect_data_12, 0xb7, "READ DEFECT DATA (12)")

// Any byte is a valid Opcode: peers may send others.
enum class Opcode : std::uint8_t {
#define LUNAR_ENUMERATOR(name, code, text) name = code,
  LUNAR_OPCODE_LIST(LUNAR_ENUMERATOR)
#undef LUNAR_ENUMERATOR
};

// X(its Opcode, name, code, the standard's name). Enumerators have a prefix where the service
// actions of two operation codes would clash.
#define LUNAR_SERVICE_ACTION_LIST(X)                                                               \
  X(sanitize, sanitize_overwrite, 0x01, "SANITIZE (OVERWRITE)")                                    \
  X(sanitize, sanitize_block_erase, 0x02, "SANITIZE (BLOCK ERASE)")                                \
  X(sanitize, sanitize_cryptographic_erase, 0x03, "SANITIZE (CRYPTOGRAPHIC ERASE)")                \
  X(sanitize, sanitize_exit_failure_mode, 0x1f, "SANITIZE (EXIT FAILURE MODE)")                    \
  X(persistent_reserve_in, read_keys, 0x00, "PERSISTENT RESERVE IN (READ KEYS)")                   \
  X(persistent_reserve_in, read_reservation, 0x01, "PERSISTENT RESERVE IN (READ RESERVATION)")     \
  X(persistent_reserve_in, report_capabilities, 0x02,                                              \
    "PERSISTENT RESERVE IN (REPORT CAPABILITIES)")                                                 \
  X(persistent_reserve_in, read_full_status, 0x03, "PERSISTENT RESERVE IN (READ FULL STATUS)")     \
  X(persistent_reserve_out, register_key, 0x00, "PERSISTENT RESERVE OUT (REGISTER)")               \
  X(persistent_reserve_out, reserve, 0x01, "PERSISTENT RESERVE OUT (RESERVE)")                     \
  X(persistent_reserve_out, release, 0x02, "PERSISTENT RESERVE OUT (RELEASE)")                     \
  X(persistent_reserve_out, clear, 0x03, "PERSISTENT RESERVE OUT (CLEAR)")                         \
  X(persistent_reserve_out, preempt, 0x04, "PERSISTENT RESERVE OUT (PREEMPT)")                     \
  X(persistent_reserve_out, preempt_and_abort, 0x05, "PERSISTENT RESERVE OUT (PREEMPT AND ABORT)") \
  X(persistent_reserve_out, register_and_ignore_existing_key, 0x06,                                \
    "PERSISTENT RESERVE OUT (REGISTER AND IGNORE EXISTING KEY)")                                   \
  X(persistent_reserve_out, register_and_move, 0x07, "PERSISTENT RESERVE OUT (REGISTER AND MOVE)") \
  X(persistent_reserve_out, replace_lost_reservation, 0x08,                                        \
    "PERSISTENT RESERVE OUT (REPLACE LOST RESERVATION)")                                           \
  X(variable_length_cdb, read_32, 0x09, "READ (32)")                                               \
  X(variable_length_cdb, verify_32, 0x0a, "VERIFY (32)")                                           \
  X(variable_length_cdb, write_32, 0x0b, "WRITE (32)")                                             \
  X(variable_length_cdb, write_and_verify_32, 0x0c, "WRITE AND VERIFY (32)")                       \
  X(variable_length_cdb, write_same_32, 0x0d, "WRITE SAME (32)")                                   \
  X(variable_length_cdb, orwrite_32, 0x0e, "ORWRITE (32)")                                         \
  X(variable_length_cdb, write_atomic_32, 0x0f, "WRITE ATOMIC (32)")                               \
  X(variable_length_cdb, get_lba_status_32, 0x12, "GET LBA STATUS (32)")                           \
  X(third_party_copy_out, extended_copy_lid1, 0x00, "EXTENDED COPY (LID1)")                        \
  X(third_party_copy_out, extended_copy_lid4, 0x01, "EXTENDED COPY (LID4)")                        \
  X(third_party_copy_out, populate_token, 0x10, "POPULATE TOKEN")                                  \
  X(third_party_copy_out, write_using_token, 0x11, "WRITE USING TOKEN")                            \
  X(third_party_copy_out, copy_operation_abort, 0x1c, "COPY OPERATION ABORT")                      \
  X(third_party_copy_in, receive_copy_status_lid1, 0x00, "RECEIVE COPY STATUS (LID1)")             \
  X(third_party_copy_in, receive_copy_data_lid1, 0x01, "RECEIVE COPY DATA (LID1)")                 \
  X(third_party_copy_in, receive_copy_operating_parameters, 0x03,                                  \
    "RECEIVE COPY OPERATING PARAMETERS")                                                           \
  X(third_party_copy_in, receive_copy_failure_details_lid1, 0x04,                                  \
    "RECEIVE COPY FAILURE DETAILS (LID1)")                                                         \
  X(third_party_copy_in, receive_copy_status_lid4, 0x05, "RECEIVE COPY STATUS (LID4)")             \
  X(third_party_copy_in, receive_copy_data_lid4, 0x06, "RECEIVE COPY DATA (LID4)")                 \
  X(third_party_copy_in, receive_rod_token_information, 0x07, "RECEIVE ROD TOKEN INFORMATION")     \
  X(third_party_copy_in, report_all_rod_tokens, 0x08, "REPORT ALL ROD TOKENS")                     \
  X(service_action_in_16, read_capacity_16, 0x10, "READ CAPACITY (16)")                            \
  X(service_action_in_16, read_long_16, 0x11, "READ LONG (16)")                                    \
  X(service_action_in_16, get_lba_status_16, 0x12, "GET LBA STATUS (16)")                          \
  X(service_action_in_16, report_referrals, 0x13, "REPORT REFERRALS")                              \
  X(service_action_in_16, stream_control, 0x14, "STREAM CONTROL")                                  \
  X(service_action_in_16, background_control, 0x15, "BACKGROUND CONTROL")                          \
  X(service_action_in_16, get_stream_status, 0x16, "GET STREAM STATUS")                            \
  X(service_action_out_16, write_long_16, 0x11, "WRITE LONG (16)")                                 \
  X(service_action_out_16, write_scattered_16, 0x12, "WRITE SCATTERED (16)")                       \
  X(maintenance_in, report_identifying_information, 0x05, "REPORT IDENTIFYING INFORMATION")        \
  X(maintenance_in, report_target_port_groups, 0x0a, "REPORT TARGET PORT GROUPS")                  \
  X(maintenance_in, report_aliases, 0x0b, "REPORT ALIASES")                                        \
  X(maintenance_in, report_supported_operation_codes, 0x0c, "REPORT SUPPORTED OPERATION CODES")    \
  X(maintenance_in, report_supported_task_management_functions, 0x0d,                              \
    "REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS")                                                  \
  X(maintenance_in, report_priority, 0x0e, "REPORT PRIORITY")                                      \
  X(maintenance_in, report_timestamp, 0x0f, "REPORT TIMESTAMP")                                    \
  X(maintenance_out, set_identifying_information, 0x06, "SET IDENTIFYING INFORMATION")             \
  X(maintenance_out, set_target_port_groups, 0x0a, "SET TARGET PORT GROUPS")                       \
  X(maintenance_out, change_aliases, 0x0b, "CHANGE ALIASES")                                       \
  X(maintenance_out, set_priority, 0x0e, "SET PRIORITY")                                           \
  X(maintenance_out, set_timestamp, 0x0f, "SET TIMESTAMP")

using ServiceActionCode = std::uint16_t;

// The codes. Each has a meaning only with its operation code.
namespace service_action {
#define LUNAR_CONSTANT(opcode, name, code, text) inline constexpr ServiceActionCode name = code;
LUNAR_SERVICE_ACTION_LIST(LUNAR_CONSTANT)
#undef LUNAR_CONSTANT
}  // namespace service_action

// Whether the operation code has service actions: in bits 4..0 of byte 1, or in bytes 8 and 9 of a
// variable length CDB (SPC-5 §4.2).
[[nodiscard]] constexpr bool has_service_action(Opcode opcode) {
  return opcode == Opcode::sanitize || opcode == Opcode::persistent_reserve_in ||
         opcode == Opcode::persistent_reserve_out || opcode == Opcode::variable_length_cdb ||
         opcode == Opcode::third_party_copy_out || opcode == Opcode::third_party_copy_in ||
         opcode == Opcode::service_action_bidirectional || opcode == Opcode::service_action_in_16 ||
         opcode == Opcode::service_action_out_16 || opcode == Opcode::maintenance_in ||
         opcode == Opcode::maintenance_out || opcode == Opcode::service_action_in_12 ||
         opcode == Opcode::service_action_out_12;
}

// "READ (10)", "OPERATION CODE C1h"
[[nodiscard]] std::string to_text(Opcode opcode);
// "READ CAPACITY (16)", "MAINTENANCE IN, SERVICE ACTION 1Fh". `service_action` matters only for
// operation codes with service actions.
[[nodiscard]] std::string to_text(Opcode opcode, ServiceActionCode service_action);

}  // namespace lunar::scsi::spec

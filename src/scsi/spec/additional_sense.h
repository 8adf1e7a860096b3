// Additional sense codes with their qualifiers that a disk may report (SPC-5 §4.4 and its annex of
// numeric order codes). One list gives the enum and its text, so that the two cannot differ.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace lunar::scsi::spec {

// X(name, ASC << 8 | ASCQ, the standard's text)
#define LUNAR_ADDITIONAL_SENSE_LIST(X)                                                            \
  X(no_additional_sense_information, 0x0000, "NO ADDITIONAL SENSE INFORMATION")                   \
  X(operation_in_progress, 0x0016, "OPERATION IN PROGRESS")                                       \
  X(conflicting_sa_creation_request, 0x001e, "CONFLICTING SA CREATION REQUEST")                   \
  X(extended_copy_information_available, 0x0020, "EXTENDED COPY INFORMATION AVAILABLE")           \
  X(lu_not_ready_cause_not_reportable, 0x0400, "LOGICAL UNIT NOT READY, CAUSE NOT REPORTABLE")    \
  X(lu_becoming_ready, 0x0401, "LOGICAL UNIT IS IN PROCESS OF BECOMING READY")                    \
  X(initializing_command_required, 0x0402,                                                        \
    "LOGICAL UNIT NOT READY, INITIALIZING COMMAND REQUIRED")                                      \
  X(manual_intervention_required, 0x0403, "LOGICAL UNIT NOT READY, MANUAL INTERVENTION REQUIRED") \
  X(format_in_progress, 0x0404, "LOGICAL UNIT NOT READY, FORMAT IN PROGRESS")                     \
  X(lu_not_ready_operation_in_progress, 0x0407, "LOGICAL UNIT NOT READY, OPERATION IN PROGRESS")  \
  X(self_test_in_progress, 0x0409, "LOGICAL UNIT NOT READY, SELF-TEST IN PROGRESS")               \
  X(asymmetric_access_state_transition, 0x040a,                                                   \
    "LOGICAL UNIT NOT ACCESSIBLE, ASYMMETRIC ACCESS STATE TRANSITION")                            \
  X(target_port_in_standby_state, 0x040b,                                                         \
    "LOGICAL UNIT NOT ACCESSIBLE, TARGET PORT IN STANDBY STATE")                                  \
  X(target_port_in_unavailable_state, 0x040c,                                                     \
    "LOGICAL UNIT NOT ACCESSIBLE, TARGET PORT IN UNAVAILABLE STATE")                              \
  X(lu_not_ready_offline, 0x0412, "LOGICAL UNIT NOT READY, OFFLINE")                              \
  X(space_allocation_in_progress, 0x0414, "LOGICAL UNIT NOT READY, SPACE ALLOCATION IN PROGRESS") \
  X(start_stop_unit_command_in_progress, 0x041a,                                                  \
    "LOGICAL UNIT NOT READY, START STOP UNIT COMMAND IN PROGRESS")                                \
  X(sanitize_in_progress, 0x041b, "LOGICAL UNIT NOT READY, SANITIZE IN PROGRESS")                 \
  X(configuration_in_progress, 0x041d, "LOGICAL UNIT NOT READY, CONFIGURATION IN PROGRESS")       \
  X(lu_communication_failure, 0x0800, "LOGICAL UNIT COMMUNICATION FAILURE")                       \
  X(lu_communication_time_out, 0x0801, "LOGICAL UNIT COMMUNICATION TIME-OUT")                     \
  X(unreachable_copy_target, 0x0804, "UNREACHABLE COPY TARGET")                                   \
  X(warning, 0x0b00, "WARNING")                                                                   \
  X(warning_specified_temperature_exceeded, 0x0b01, "WARNING - SPECIFIED TEMPERATURE EXCEEDED")   \
  X(warning_non_volatile_cache_now_volatile, 0x0b06, "WARNING - NON-VOLATILE CACHE NOW VOLATILE") \
  X(write_error, 0x0c00, "WRITE ERROR")                                                           \
  X(write_error_auto_reallocation_failed, 0x0c02, "WRITE ERROR - AUTO REALLOCATION FAILED")       \
  X(write_error_recommend_reassignment, 0x0c03, "WRITE ERROR - RECOMMEND REASSIGNMENT")           \
  X(write_error_unexpected_unsolicited_data, 0x0c0c, "WRITE ERROR - UNEXPECTED UNSOLICITED DATA") \
  X(write_error_not_enough_unsolicited_data, 0x0c0d, "WRITE ERROR - NOT ENOUGH UNSOLICITED DATA") \
  X(incomplete_multiple_atomic_write_operations, 0x0c10,                                          \
    "INCOMPLETE MULTIPLE ATOMIC WRITE OPERATIONS")                                                \
  X(error_detected_by_third_party_temporary_initiator, 0x0d00,                                    \
    "ERROR DETECTED BY THIRD PARTY TEMPORARY INITIATOR")                                          \
  X(third_party_device_failure, 0x0d01, "THIRD PARTY DEVICE FAILURE")                             \
  X(copy_target_device_not_reachable, 0x0d02, "COPY TARGET DEVICE NOT REACHABLE")                 \
  X(incorrect_copy_target_device_type, 0x0d03, "INCORRECT COPY TARGET DEVICE TYPE")               \
  X(copy_target_device_data_underrun, 0x0d04, "COPY TARGET DEVICE DATA UNDERRUN")                 \
  X(copy_target_device_data_overrun, 0x0d05, "COPY TARGET DEVICE DATA OVERRUN")                   \
  X(invalid_field_in_command_information_unit, 0x0e03,                                            \
    "INVALID FIELD IN COMMAND INFORMATION UNIT")                                                  \
  X(logical_block_guard_check_failed, 0x1001, "LOGICAL BLOCK GUARD CHECK FAILED")                 \
  X(logical_block_application_tag_check_failed, 0x1002,                                           \
    "LOGICAL BLOCK APPLICATION TAG CHECK FAILED")                                                 \
  X(logical_block_reference_tag_check_failed, 0x1003, "LOGICAL BLOCK REFERENCE TAG CHECK FAILED") \
  X(unrecovered_read_error, 0x1100, "UNRECOVERED READ ERROR")                                     \
  X(read_error_failed_retransmission_request, 0x1113,                                             \
    "READ ERROR - FAILED RETRANSMISSION REQUEST")                                                 \
  X(read_error_lba_marked_bad_by_application_client, 0x1114,                                      \
    "READ ERROR - LBA MARKED BAD BY APPLICATION CLIENT")                                          \
  X(write_after_sanitize_required, 0x1115, "WRITE AFTER SANITIZE REQUIRED")                       \
  X(parameter_list_length_error, 0x1a00, "PARAMETER LIST LENGTH ERROR")                           \
  X(defect_list_not_found, 0x1c00, "DEFECT LIST NOT FOUND")                                       \
  X(primary_defect_list_not_found, 0x1c01, "PRIMARY DEFECT LIST NOT FOUND")                       \
  X(grown_defect_list_not_found, 0x1c02, "GROWN DEFECT LIST NOT FOUND")                           \
  X(miscompare_during_verify_operation, 0x1d00, "MISCOMPARE DURING VERIFY OPERATION")             \
  X(miscompare_verify_of_unmapped_lba, 0x1d01, "MISCOMPARE VERIFY OF UNMAPPED LBA")               \
  X(invalid_command_operation_code, 0x2000, "INVALID COMMAND OPERATION CODE")                     \
  X(access_denied_no_access_rights, 0x2002, "ACCESS DENIED - NO ACCESS RIGHTS")                   \
  X(lba_out_of_range, 0x2100, "LOGICAL BLOCK ADDRESS OUT OF RANGE")                               \
  X(unaligned_write_command, 0x2104, "UNALIGNED WRITE COMMAND")                                   \
  X(invalid_token_operation_cause_not_reportable, 0x2300,                                         \
    "INVALID TOKEN OPERATION, CAUSE NOT REPORTABLE")                                              \
  X(invalid_token_operation_unsupported_token_type, 0x2301,                                       \
    "INVALID TOKEN OPERATION, UNSUPPORTED TOKEN TYPE")                                            \
  X(invalid_token_operation_remote_token_usage_not_supported, 0x2302,                             \
    "INVALID TOKEN OPERATION, REMOTE TOKEN USAGE NOT SUPPORTED")                                  \
  X(invalid_token_operation_remote_rod_token_creation_not_supported, 0x2303,                      \
    "INVALID TOKEN OPERATION, REMOTE ROD TOKEN CREATION NOT SUPPORTED")                           \
  X(invalid_token_operation_token_unknown, 0x2304, "INVALID TOKEN OPERATION, TOKEN UNKNOWN")      \
  X(invalid_token_operation_token_corrupt, 0x2305, "INVALID TOKEN OPERATION, TOKEN CORRUPT")      \
  X(invalid_token_operation_token_revoked, 0x2306, "INVALID TOKEN OPERATION, TOKEN REVOKED")      \
  X(invalid_token_operation_token_expired, 0x2307, "INVALID TOKEN OPERATION, TOKEN EXPIRED")      \
  X(invalid_token_operation_token_cancelled, 0x2308, "INVALID TOKEN OPERATION, TOKEN CANCELLED")  \
  X(invalid_token_operation_token_deleted, 0x2309, "INVALID TOKEN OPERATION, TOKEN DELETED")      \
  X(invalid_token_operation_invalid_token_length, 0x230a,                                         \
    "INVALID TOKEN OPERATION, INVALID TOKEN LENGTH")                                              \
  X(invalid_field_in_cdb, 0x2400, "INVALID FIELD IN CDB")                                         \
  X(lu_not_supported, 0x2500, "LOGICAL UNIT NOT SUPPORTED")                                       \
  X(invalid_field_in_parameter_list, 0x2600, "INVALID FIELD IN PARAMETER LIST")                   \
  X(parameter_not_supported, 0x2601, "PARAMETER NOT SUPPORTED")                                   \
  X(parameter_value_invalid, 0x2602, "PARAMETER VALUE INVALID")                                   \
  X(invalid_release_of_persistent_reservation, 0x2604,                                            \
    "INVALID RELEASE OF PERSISTENT RESERVATION")                                                  \
  X(too_many_target_descriptors, 0x2606, "TOO MANY TARGET DESCRIPTORS")                           \
  X(unsupported_target_descriptor_type_code, 0x2607, "UNSUPPORTED TARGET DESCRIPTOR TYPE CODE")   \
  X(too_many_segment_descriptors, 0x2608, "TOO MANY SEGMENT DESCRIPTORS")                         \
  X(unsupported_segment_descriptor_type_code, 0x2609, "UNSUPPORTED SEGMENT DESCRIPTOR TYPE CODE") \
  X(unexpected_inexact_segment, 0x260a, "UNEXPECTED INEXACT SEGMENT")                             \
  X(inline_data_length_exceeded, 0x260b, "INLINE DATA LENGTH EXCEEDED")                           \
  X(invalid_operation_for_copy_source_or_destination, 0x260c,                                     \
    "INVALID OPERATION FOR COPY SOURCE OR DESTINATION")                                           \
  X(copy_segment_granularity_violation, 0x260d, "COPY SEGMENT GRANULARITY VIOLATION")             \
  X(write_protected, 0x2700, "WRITE PROTECTED")                                                   \
  X(hardware_write_protected, 0x2701, "HARDWARE WRITE PROTECTED")                                 \
  X(lu_software_write_protected, 0x2702, "LOGICAL UNIT SOFTWARE WRITE PROTECTED")                 \
  X(space_allocation_failed_write_protect, 0x2707, "SPACE ALLOCATION FAILED WRITE PROTECT")       \
  X(not_ready_to_ready_change, 0x2800, "NOT READY TO READY CHANGE, MEDIUM MAY HAVE CHANGED")      \
  X(power_on_reset_or_bus_device_reset_occurred, 0x2900,                                          \
    "POWER ON, RESET, OR BUS DEVICE RESET OCCURRED")                                              \
  X(power_on_occurred, 0x2901, "POWER ON OCCURRED")                                               \
  X(scsi_bus_reset_occurred, 0x2902, "SCSI BUS RESET OCCURRED")                                   \
  X(bus_device_reset_function_occurred, 0x2903, "BUS DEVICE RESET FUNCTION OCCURRED")             \
  X(device_internal_reset, 0x2904, "DEVICE INTERNAL RESET")                                       \
  X(i_t_nexus_loss_occurred, 0x2907, "I_T NEXUS LOSS OCCURRED")                                   \
  X(parameters_changed, 0x2a00, "PARAMETERS CHANGED")                                             \
  X(mode_parameters_changed, 0x2a01, "MODE PARAMETERS CHANGED")                                   \
  X(log_parameters_changed, 0x2a02, "LOG PARAMETERS CHANGED")                                     \
  X(reservations_preempted, 0x2a03, "RESERVATIONS PREEMPTED")                                     \
  X(reservations_released, 0x2a04, "RESERVATIONS RELEASED")                                       \
  X(registrations_preempted, 0x2a05, "REGISTRATIONS PREEMPTED")                                   \
  X(asymmetric_access_state_changed, 0x2a06, "ASYMMETRIC ACCESS STATE CHANGED")                   \
  X(implicit_asymmetric_access_state_transition_failed, 0x2a07,                                   \
    "IMPLICIT ASYMMETRIC ACCESS STATE TRANSITION FAILED")                                         \
  X(priority_changed, 0x2a08, "PRIORITY CHANGED")                                                 \
  X(capacity_data_has_changed, 0x2a09, "CAPACITY DATA HAS CHANGED")                               \
  X(timestamp_changed, 0x2a10, "TIMESTAMP CHANGED")                                               \
  X(command_sequence_error, 0x2c00, "COMMAND SEQUENCE ERROR")                                     \
  X(illegal_power_condition_request, 0x2c05, "ILLEGAL POWER CONDITION REQUEST")                   \
  X(previous_busy_status, 0x2c07, "PREVIOUS BUSY STATUS")                                         \
  X(previous_task_set_full_status, 0x2c08, "PREVIOUS TASK SET FULL STATUS")                       \
  X(previous_reservation_conflict_status, 0x2c09, "PREVIOUS RESERVATION CONFLICT STATUS")         \
  X(orwrite_generation_does_not_match, 0x2c0c, "ORWRITE GENERATION DOES NOT MATCH")               \
  X(commands_cleared_by_another_initiator, 0x2f00, "COMMANDS CLEARED BY ANOTHER INITIATOR")       \
  X(commands_cleared_by_power_loss_notification, 0x2f01,                                          \
    "COMMANDS CLEARED BY POWER LOSS NOTIFICATION")                                                \
  X(commands_cleared_by_device_server, 0x2f02, "COMMANDS CLEARED BY DEVICE SERVER")               \
  X(medium_format_corrupted, 0x3100, "MEDIUM FORMAT CORRUPTED")                                   \
  X(format_command_failed, 0x3101, "FORMAT COMMAND FAILED")                                       \
  X(sanitize_command_failed, 0x3103, "SANITIZE COMMAND FAILED")                                   \
  X(thin_provisioning_soft_threshold_reached, 0x3807, "THIN PROVISIONING SOFT THRESHOLD REACHED") \
  X(saving_parameters_not_supported, 0x3900, "SAVING PARAMETERS NOT SUPPORTED")                   \
  X(medium_not_present, 0x3a00, "MEDIUM NOT PRESENT")                                             \
  X(invalid_bits_in_identify_message, 0x3d00, "INVALID BITS IN IDENTIFY MESSAGE")                 \
  X(lu_has_not_self_configured_yet, 0x3e00, "LOGICAL UNIT HAS NOT SELF-CONFIGURED YET")           \
  X(lu_failure, 0x3e01, "LOGICAL UNIT FAILURE")                                                   \
  X(timeout_on_lu, 0x3e02, "TIMEOUT ON LOGICAL UNIT")                                             \
  X(lu_failed_self_test, 0x3e03, "LOGICAL UNIT FAILED SELF-TEST")                                 \
  X(target_operating_conditions_have_changed, 0x3f00, "TARGET OPERATING CONDITIONS HAVE CHANGED") \
  X(microcode_has_been_changed, 0x3f01, "MICROCODE HAS BEEN CHANGED")                             \
  X(inquiry_data_has_changed, 0x3f03, "INQUIRY DATA HAS CHANGED")                                 \
  X(device_identifier_changed, 0x3f05, "DEVICE IDENTIFIER CHANGED")                               \
  X(reported_luns_data_has_changed, 0x3f0e, "REPORTED LUNS DATA HAS CHANGED")                     \
  X(internal_target_failure, 0x4400, "INTERNAL TARGET FAILURE")                                   \
  X(scsi_parity_error, 0x4700, "SCSI PARITY ERROR")                                               \
  X(protocol_service_crc_error, 0x4705, "PROTOCOL SERVICE CRC ERROR")                             \
  X(invalid_message_error, 0x4900, "INVALID MESSAGE ERROR")                                       \
  X(data_phase_error, 0x4b00, "DATA PHASE ERROR")                                                 \
  X(too_much_write_data, 0x4b02, "TOO MUCH WRITE DATA")                                           \
  X(data_offset_error, 0x4b05, "DATA OFFSET ERROR")                                               \
  X(initiator_response_timeout, 0x4b06, "INITIATOR RESPONSE TIMEOUT")                             \
  X(overlapped_commands_attempted, 0x4e00, "OVERLAPPED COMMANDS ATTEMPTED")                       \
  X(medium_removal_prevented, 0x5302, "MEDIUM REMOVAL PREVENTED")                                 \
  X(system_resource_failure, 0x5500, "SYSTEM RESOURCE FAILURE")                                   \
  X(insufficient_resources, 0x5503, "INSUFFICIENT RESOURCES")                                     \
  X(insufficient_registration_resources, 0x5504, "INSUFFICIENT REGISTRATION RESOURCES")           \
  X(insufficient_resources_to_create_rod, 0x550c, "INSUFFICIENT RESOURCES TO CREATE ROD")         \
  X(insufficient_resources_to_create_rod_token, 0x550d,                                           \
    "INSUFFICIENT RESOURCES TO CREATE ROD TOKEN")                                                 \
  X(failure_prediction_threshold_exceeded, 0x5d00, "FAILURE PREDICTION THRESHOLD EXCEEDED")       \
  X(failure_prediction_threshold_exceeded_false, 0x5dff,                                          \
    "FAILURE PREDICTION THRESHOLD EXCEEDED (FALSE)")                                              \
  X(low_power_condition_on, 0x5e00, "LOW POWER CONDITION ON")                                     \
  X(idle_condition_by_command, 0x5e03, "IDLE CONDITION ACTIVATED BY COMMAND")                     \
  X(standby_condition_by_command, 0x5e04, "STANDBY CONDITION ACTIVATED BY COMMAND")               \
  X(idle_b_condition_by_command, 0x5e06, "IDLE_B CONDITION ACTIVATED BY COMMAND")                 \
  X(idle_c_condition_by_command, 0x5e08, "IDLE_C CONDITION ACTIVATED BY COMMAND")                 \
  X(standby_y_condition_by_command, 0x5e0a, "STANDBY_Y CONDITION ACTIVATED BY COMMAND")           \
  X(configuration_failure, 0x6700, "CONFIGURATION FAILURE")

// The value is ASC << 8 | ASCQ. It may be none of the enumerators: peers send others.
enum class AdditionalSense : std::uint16_t {
#define LUNAR_ENUMERATOR(name, value, text) name = value,
  LUNAR_ADDITIONAL_SENSE_LIST(LUNAR_ENUMERATOR)
#undef LUNAR_ENUMERATOR
};

[[nodiscard]] constexpr std::uint8_t asc(AdditionalSense code) {
  return static_cast<std::uint8_t>(static_cast<std::uint16_t>(code) >> 8);
}
[[nodiscard]] constexpr std::uint8_t ascq(AdditionalSense code) {
  return static_cast<std::uint8_t>(static_cast<std::uint16_t>(code) & 0xff);
}
[[nodiscard]] constexpr AdditionalSense make_additional_sense(std::uint8_t asc, std::uint8_t ascq) {
  return static_cast<AdditionalSense>((asc << 8) | ascq);
}

// The standard's text. Empty: the code is not in the list.
[[nodiscard]] std::string_view find_text(AdditionalSense code);
// "INVALID FIELD IN CDB (24h/00h)"; "ADDITIONAL SENSE 80h/01h" for a code outside the list.
[[nodiscard]] std::string to_text(AdditionalSense code);

}  // namespace lunar::scsi::spec

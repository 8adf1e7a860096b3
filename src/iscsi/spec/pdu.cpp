// Checks the layout of every PDU against the tables of RFC 7143 §11 at compile time.
#include "iscsi/spec/pdu.h"

namespace lunar::iscsi::spec {
namespace {

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

}  // namespace
}  // namespace lunar::iscsi::spec

// Task management (RFC 7143 §4.2.3, §11.5, §11.6). A function acts on the tasks of all connections
// of the session; the connection that asked for it answers.
#include "iscsi/session/send.h"
#include "iscsi/session/session.h"
#include "iscsi/spec/serial.h"

namespace lunar::iscsi {
namespace {

spec::TmfResponse response_of(scsi::TaskManagementOutcome outcome) {
  switch (outcome) {
    case scsi::TaskManagementOutcome::function_complete:
      return spec::TmfResponse::function_complete;
    case scsi::TaskManagementOutcome::function_succeeded:
      return spec::TmfResponse::function_succeeded;
    case scsi::TaskManagementOutcome::incorrect_lun: return spec::TmfResponse::lun_does_not_exist;
    case scsi::TaskManagementOutcome::rejected: return spec::TmfResponse::function_rejected;
  }
  return spec::TmfResponse::function_rejected;
}

// RFC 7144 §4.1: what iSCSIProtocolLevel 2 adds.
bool needs_protocol_level_2(spec::TmfFunction function) {
  switch (function) {
    case spec::TmfFunction::query_task:
    case spec::TmfFunction::query_task_set:
    case spec::TmfFunction::i_t_nexus_reset:
    case spec::TmfFunction::query_asynchronous_event: return true;
    case spec::TmfFunction::abort_task:
    case spec::TmfFunction::abort_task_set:
    case spec::TmfFunction::clear_aca:
    case spec::TmfFunction::clear_task_set:
    case spec::TmfFunction::logical_unit_reset:
    case spec::TmfFunction::target_warm_reset:
    case spec::TmfFunction::target_cold_reset:
    case spec::TmfFunction::task_reassign: return false;
  }
  return false;
}

}  // namespace

void SessionConnection::on_task_management(const InboundPdu& pdu) {
  if (session_->device_server() == nullptr) {
    reject(pdu.bhs, spec::RejectReason::protocol_error, "task management in a discovery session");
    return;
  }
  if (gate_.count() >= kMaxManagementRequests) {
    reject(pdu.bhs, spec::RejectReason::immediate_command_reject, "too many requests in progress");
    return;
  }
  gate_.spawn(manage(spec::pdu_cast<spec::TaskManagementRequest>(pdu.bhs)));
}

engine::Task<void> SessionConnection::manage(spec::TaskManagementRequest request) {
  spec::TaskManagementResponse response;
  const spec::TmfResponse outcome = co_await session_->perform(*this, request, response);
  if (stopping_) co_return;
  // RFC 7143 §11.5.1: every session of the target ends, this one after its response.
  const auto function = static_cast<spec::TmfFunction>(request.flags & spec::kTmfFunctionMask);
  if (function == spec::TmfFunction::target_cold_reset) host_.target_cold_reset();
  response.initiator_task_tag = request.initiator_task_tag;
  response.response = static_cast<std::uint8_t>(outcome);
  guarded([&] { send(queue_.make(), response); });
}

engine::Task<spec::TmfResponse> Session::perform(SessionConnection& from,
                                                 const spec::TaskManagementRequest& request,
                                                 spec::TaskManagementResponse& response) {
  const auto function = static_cast<spec::TmfFunction>(request.flags & spec::kTmfFunctionMask);
  const std::array<std::uint8_t, 8> lun = request.lun.raw;
  if (needs_protocol_level_2(function) && parameters_.protocol_level < kProtocolLevelRfc7144) {
    co_return spec::TmfResponse::function_not_supported;
  }
  switch (function) {
    case spec::TmfFunction::abort_task: co_return co_await abort_task(from, request);
    case spec::TmfFunction::abort_task_set:
      begin_set_function(request, &lun);
      co_return end_set_function(co_await device_server_->abort_task_set(*nexus_, lun), &lun);
    case spec::TmfFunction::clear_task_set:
      begin_set_function(request, &lun);
      co_return end_set_function(co_await device_server_->clear_task_set(*nexus_, lun), &lun);
    case spec::TmfFunction::logical_unit_reset:
      begin_set_function(request, &lun);
      co_return end_set_function(co_await device_server_->logical_unit_reset(*nexus_, lun), &lun);
    case spec::TmfFunction::target_warm_reset:
    case spec::TmfFunction::target_cold_reset:
      begin_set_function(request, nullptr);
      co_return end_set_function(co_await device_server_->target_reset(*nexus_), nullptr);
    case spec::TmfFunction::task_reassign:
      co_return spec::TmfResponse::task_allegiance_reassignment_not_supported;
    case spec::TmfFunction::query_task: co_return query_task(request);
    case spec::TmfFunction::query_task_set:
      co_return response_of(device_server_->query_task_set(*nexus_, lun));
    case spec::TmfFunction::i_t_nexus_reset:
      begin_set_function(request, nullptr);
      co_return end_set_function(co_await device_server_->i_t_nexus_reset(*nexus_), nullptr);
    case spec::TmfFunction::query_asynchronous_event:
      co_return query_asynchronous_event(request, response);
    case spec::TmfFunction::clear_aca: break;  // there is no ACA: NORMACA is zero
  }
  co_return spec::TmfResponse::function_not_supported;
}

spec::TmfResponse Session::query_task(const spec::TaskManagementRequest& request) {
  const Task* task = tasks_.find(request.referenced_task_tag);
  const bool present = task != nullptr && task->lun_field == request.lun.raw && !task->dropped;
  return present ? spec::TmfResponse::function_succeeded : spec::TmfResponse::function_complete;
}

spec::TmfResponse Session::query_asynchronous_event(const spec::TaskManagementRequest& request,
                                                    spec::TaskManagementResponse& response) {
  scsi::AsynchronousEvent event;
  const auto outcome = device_server_->query_asynchronous_event(*nexus_, request.lun.raw, event);
  if (outcome == scsi::TaskManagementOutcome::function_succeeded) {
    // SAM-5 §7.9: UADE DEPTH (1: one, 2: more), the sense key, and the additional sense code.
    constexpr std::uint32_t kOne = 1;
    constexpr std::uint32_t kMore = 2;
    const std::uint32_t depth = event.count == 1 ? kOne : kMore;
    response.additional_response_information = depth << 20 |
                                               static_cast<std::uint32_t>(event.first.key) << 16 |
                                               static_cast<std::uint32_t>(event.first.additional);
  }
  return response_of(outcome);
}

engine::Task<spec::TmfResponse> Session::abort_task(SessionConnection& from,
                                                    const spec::TaskManagementRequest& request) {
  Task* task = tasks_.find(request.referenced_task_tag);
  if (task != nullptr && task->lun_field == request.lun.raw && task->gone == nullptr) {
    engine::Event gone;
    task->gone = &gone;
    task->connection->drop(*task);
    co_await gone;
    co_return spec::TmfResponse::function_complete;
  }
  // RFC 7143 §11.5.5: a command that has not come yet counts as received, and aborted.
  const std::uint32_t ref_cmd_sn = request.ref_cmd_sn;
  if (task == nullptr && spec::sn_in_window(ref_cmd_sn, order_.exp_cmd_sn(), order_.max_cmd_sn()) &&
      spec::sn_less(ref_cmd_sn, request.cmd_sn)) {
    const CommandOrder::Waiting waiting = order_.waiting_by(ref_cmd_sn);
    // Another request has that CmdSN.
    if (waiting == CommandOrder::Waiting::request) co_return spec::TmfResponse::task_does_not_exist;
    if (waiting == CommandOrder::Waiting::nothing) order_.hold_place(from, ref_cmd_sn);
    co_return spec::TmfResponse::function_complete;
  }
  co_return spec::TmfResponse::task_does_not_exist;
}

// A function for a task set begins. Those of its tasks that have been executed, but whose data the
// initiator has not fetched, are not the device server's any more.
void Session::begin_set_function(const spec::TaskManagementRequest& request,
                                 const std::array<std::uint8_t, 8>* lun) {
  order_.drop_held(request.cmd_sn, lun);
  tasks_.for_each([&](Task& task) {
    if (!task.held && (lun == nullptr || task.lun_field == *lun)) task.managed = true;
  });
}

// RFC 7143 §4.2.3.3: nothing of those tasks may follow the function's response.
spec::TmfResponse Session::end_set_function(scsi::TaskManagementOutcome outcome,
                                            const std::array<std::uint8_t, 8>* lun) {
  if (outcome == scsi::TaskManagementOutcome::function_complete) {
    for (SessionConnection& connection : connections_) connection.drop_managed_data_in(lun);
  }
  return response_of(outcome);
}

}  // namespace lunar::iscsi

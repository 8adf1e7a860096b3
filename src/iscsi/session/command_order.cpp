#include "iscsi/session/command_order.h"

#include <memory>

#include "iscsi/session/session_connection.h"
#include "iscsi/spec/serial.h"

namespace lunar::iscsi {

CommandOrder::~CommandOrder() {
  while (!held_.empty()) delete &held_.pop_front();
}

CommandOrder::Delivery CommandOrder::delivery_of(const spec::Bhs& bhs) {
  if (bhs.immediate()) return Delivery::now;
  const std::uint32_t cmd_sn = spec::pdu_cast<spec::ScsiCommand>(bhs).cmd_sn;
  if (cmd_sn == exp_cmd_sn_ && windowed_tasks_ < command_window_) return Delivery::now;
  if (!spec::sn_in_window(cmd_sn, exp_cmd_sn_, max_cmd_sn())) return Delivery::ignore;
  return find_held(cmd_sn) != nullptr ? Delivery::ignore : Delivery::hold;
}

CommandOrder::HeldRequest* CommandOrder::find_held(std::uint32_t cmd_sn) {
  for (HeldRequest& held : held_) {
    if (held.cmd_sn == cmd_sn) return &held;
  }
  return nullptr;
}

CommandOrder::Waiting CommandOrder::waiting_by(std::uint32_t cmd_sn) {
  const HeldRequest* held = find_held(cmd_sn);
  if (held == nullptr) return Waiting::nothing;
  return held->has_request ? Waiting::request : Waiting::place;
}

CommandOrder::HeldRequest& CommandOrder::insert_held(SessionConnection& connection,
                                                     std::uint32_t cmd_sn) {
  auto* request = new HeldRequest;  // not the ordinary path: one connection delivers in order
  request->cmd_sn = cmd_sn;
  request->connection = &connection;
  for (HeldRequest& other : held_) {
    if (spec::sn_less(cmd_sn, other.cmd_sn)) {
      held_.insert_before(other, *request);
      return *request;
    }
  }
  held_.push_back(*request);
  return *request;
}

bool CommandOrder::hold(SessionConnection& connection, const InboundPdu& pdu, Task* task) {
  std::size_t bytes = task == nullptr ? pdu.data.size() : 0;
  for (const HeldRequest& held : held_) bytes += held.data.size();
  if (bytes > kMaxHeldBytes) return false;
  HeldRequest& request = insert_held(connection, spec::pdu_cast<spec::ScsiCommand>(pdu.bhs).cmd_sn);
  request.bhs = pdu.bhs;
  request.has_request = true;
  request.task = task;
  if (task == nullptr) request.data.assign(pdu.data.begin(), pdu.data.end());
  return true;
}

void CommandOrder::hold_place(SessionConnection& connection, std::uint32_t cmd_sn) {
  insert_held(connection, cmd_sn);
  deliver_held();
}

void CommandOrder::deliver_held_requests() {
  while (!held_.empty() && held_.front().cmd_sn == exp_cmd_sn_) {
    SessionConnection* const connection = held_.front().connection;
    // While it logs out; when it has ended, its requests are empty places.
    if (connection != nullptr && !connection->takes_requests()) return;
    const std::unique_ptr<HeldRequest> request(&held_.pop_front());
    if (request->task != nullptr) {
      admit(*request->task);
      request->task->held = false;
      connection->deliver(*request->task);
      continue;
    }
    ++exp_cmd_sn_;
    if (request->has_request) {
      InboundPdu pdu;
      pdu.bhs = request->bhs;
      pdu.data = request->data;
      pdu.data_length = static_cast<std::uint32_t>(request->data.size());
      connection->dispatch(pdu);
    }
  }
}

// RFC 7143 §4.2.3.3: a function acts on every command that was sent before it, also on those that
// wait here for one that has not come.
void CommandOrder::drop_held(std::uint32_t cmd_sn, const std::array<std::uint8_t, 8>* lun) {
  for (HeldRequest& held : held_) {
    if (held.task == nullptr || !spec::sn_less(held.cmd_sn, cmd_sn)) continue;
    if (lun == nullptr || held.task->lun_field == *lun) held.connection->drop(*held.task);
  }
}

void CommandOrder::forget(const Task& task) {
  for (HeldRequest& request : held_) {
    if (request.task != &task) continue;
    request.task = nullptr;
    request.has_request = false;
  }
}

void CommandOrder::forget(const SessionConnection& connection) {
  for (HeldRequest& request : held_) {
    if (request.connection != &connection) continue;
    request.connection = nullptr;
    request.task = nullptr;
    request.has_request = false;
    request.data.clear();
  }
}

}  // namespace lunar::iscsi

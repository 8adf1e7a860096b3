// The end of a connection in its session (RFC 7143 §11.14, §11.15): logout, and when its host ends.
#include <memory>
#include <utility>

#include "iscsi/session/send.h"

namespace lunar::iscsi {

void SessionConnection::on_logout_request(const InboundPdu& pdu) {
  gate_.spawn(log_out(spec::pdu_cast<spec::LogoutRequest>(pdu.bhs)));
}

engine::Task<void> SessionConnection::log_out(spec::LogoutRequest request) {
  const auto reason = static_cast<spec::LogoutReason>(request.flags & spec::kLogoutReasonMask);
  const bool whole_session = reason == spec::LogoutReason::close_session;
  SessionConnection* const named = whole_session ? this : session_->find_connection(request.cid);
  auto answer = spec::LogoutResponseCode::closed;
  if (reason == spec::LogoutReason::remove_connection_for_recovery) {
    answer = spec::LogoutResponseCode::recovery_not_supported;
  } else if (named == nullptr || reason > spec::LogoutReason::remove_connection_for_recovery) {
    answer = spec::LogoutResponseCode::cid_not_found;
  } else if (ends_others_) {
    answer = spec::LogoutResponseCode::cleanup_failed;  // one by one
  }
  spec::LogoutResponse response;
  response.initiator_task_tag = request.initiator_task_tag;
  response.time2wait = static_cast<std::uint16_t>(session_->parameters().default_time2wait);
  response.response = static_cast<std::uint8_t>(answer);
  if (answer != spec::LogoutResponseCode::closed) {
    guarded([&] { send(queue_.make(), response); });
    co_return;
  }
  const bool leaves = named == this;
  if (leaves) {
    logged_out_ = true;
    co_await drop_all_tasks();
  }
  if (whole_session || !leaves) co_await end_others(whole_session ? nullptr : named);
  if (leaves && !session_->has_other(*this, nullptr)) co_await session_->lose_nexus();
  if (stopping_) co_return;
  guarded([&] { send(queue_.make(), response); });
  if (leaves) host_.close_after_output();
}

// Closes another connection of the session, or with null all others, and waits for their ends.
engine::Task<void> SessionConnection::end_others(const SessionConnection* other) {
  ends_others_ = true;
  session_->close_others(*this, other);
  while (!stopping_ && session_->has_other(*this, other)) {
    other_left_.reset();
    co_await other_left_;
  }
  ends_others_ = false;
}

engine::Task<void> SessionConnection::drop_all_tasks() {
  for_each_task([this](Task& task) { drop(task); });
  while (active_tasks_ != 0) {
    tasks_gone_.reset();
    co_await tasks_gone_;
  }
}

engine::Task<void> SessionConnection::stop() {
  queue_.clear([this](Task& task) { on_task_sent(task); });
  if (session_) co_await leave_session();
  queue_.clear();
}

engine::Task<void> SessionConnection::leave_session() {
  stopping_ = true;
  // The receiver is stopped: no data segment will complete.
  receiving_ = nullptr;
  stalled_ = false;
  buffer_waiter_.cancel();
  session_->order().forget(*this);
  for_each_task([this](Task& task) { drop(task); });
  other_left_.set();  // log_out() waits for nobody any more
  // The queue is empty, so nothing waits to be sent.
  co_await gate_.close();
  co_await drop_all_tasks();
  co_await session_->leave(*this);
}

}  // namespace lunar::iscsi

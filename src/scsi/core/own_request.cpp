#include "scsi/core/own_request.h"

#include "base/log.h"

namespace lunar::scsi {

OwnRequest::Alarm::Alarm(OwnRequest& of)
    : Timer(
          [](engine::Runnable& self) noexcept { static_cast<Alarm&>(self).request.time_is_up(); }),
      request(of) {}

bool OwnRequest::is_refused() {
  given_up_ = over_limit_ = false;
  if (effort_ == Effort::insists || behalf().is_wanted()) return false;
  status = block::Status::aborted;
  return true;
}

void OwnRequest::start(block::Front& front, Submit submit, std::coroutine_handle<> waiter) {
  front_ = &front;
  resume_when_done(waiter);
  engine::Shard& here = front.shard();
  if (!behalf().is_wanted()) {
    here.arm(alarm_, here.now_ns() + kInsistenceNs);
  } else {
    begin();
    if (behalf().command == nullptr) here.arm(alarm_, here.now_ns() + kOwnRequestLimitNs);
  }
  (front.*submit)(*this);
}

block::Status OwnRequest::take_outcome() {
  end();
  alarm_.cancel();
  front_ = nullptr;
  // Whoever goes on would ask a command that may have ended.
  if (given_up_) return block::Status::aborted;
  if (over_limit_ && status == block::Status::aborted) return block::Status::hardware_error;
  return status;
}

void OwnRequest::give_up() {
  if (effort_ == Effort::insists) {
    front_->shard().arm(alarm_, front_->shard().now_ns() + kInsistenceNs);
    return;
  }
  given_up_ = true;
  alarm_.cancel();
  front_->abort(*this);
}

void OwnRequest::time_is_up() {
  over_limit_ = behalf().is_wanted();
  if (over_limit_) {
    log::limited(log::Level::warning, front_->device().name(), "of its own",
                 "device {}: a {} of lunar's own has not ended after {} s; it is aborted",
                 front_->device().name(), block::to_string(op),
                 kOwnRequestLimitNs / engine::kSecond);
  } else {
    // As by a loss of power: of a write, its data may be on the medium without their information.
    log::warning("device {}: a {} of lunar's own is cut short, as nobody waits for it any more",
                 front_->device().name(), block::to_string(op));
  }
  front_->abort(*this);
}

}  // namespace lunar::scsi

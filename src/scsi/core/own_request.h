// A block request that the device server makes for itself: a flush before a stop, a step of a
// self-test or of a format, the protection information of a block.
//
//   OwnRequest request(on_behalf_of(command));
//   request.prepare(block::Op::flush);
//   const block::Status status = co_await request.submit_to(front);
//
// What ends the work ends the request: it is aborted as a command's own would be. One that no
// initiator waits for has a limit.
#pragma once

#include <coroutine>
#include <cstdint>

#include "block/await_request.h"
#include "block/front.h"
#include "engine/timer.h"
#include "scsi/core/wait.h"

namespace lunar::scsi {

// How long a medium may take for a request that no initiator waits for, and so nobody would abort.
constexpr std::uint64_t kOwnRequestLimitNs = 120 * engine::kSecond;
// How long one that should not be cut short may go on when nobody wants its work any more.
constexpr std::uint64_t kInsistenceNs = 500 * engine::kMillisecond;

// One shard. Reusable.
class OwnRequest final : public block::AwaitableRequest, Wait {
 public:
  enum class Effort : std::uint8_t {
    ordinary,  // not even tried when nobody wants it: Status::aborted
    insists,   // tried, and aborted only when it takes too long: the other half of what is done
  };
  explicit OwnRequest(const Behalf& behalf, Effort effort = Effort::ordinary)
      : Wait(behalf), effort_(effort), alarm_(*this) {}
  ~OwnRequest() = default;

  using Submit = void (block::Front::*)(block::Request&);
  class Step {
   public:
    Step(OwnRequest& request, block::Front& front, Submit submit)
        : request_(request), front_(front), submit_(submit) {}
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;
    [[nodiscard]] bool await_ready() const { return request_.is_refused(); }
    void await_suspend(std::coroutine_handle<> waiter) { request_.start(front_, submit_, waiter); }
    [[nodiscard]] block::Status await_resume() const { return request_.take_outcome(); }

   private:
    OwnRequest& request_;
    block::Front& front_;
    const Submit submit_;
  };
  // co_await: its status. Aborted when it was given up, also when the medium did not hear that;
  // hardware_error when the medium has passed the limit.
  [[nodiscard]] Step submit_to(block::Front& front) {
    return {*this, front, &block::Front::submit};
  }
  // Within an exclusive range of the command's.
  [[nodiscard]] Step submit_as_holder_to(block::Front& front) {
    return {*this, front, &block::Front::submit_as_holder};
  }

 private:
  struct Alarm : engine::Timer {
    explicit Alarm(OwnRequest& of);
    OwnRequest& request;
  };
  void give_up() override;
  [[nodiscard]] bool is_refused();
  void start(block::Front& front, Submit submit, std::coroutine_handle<> waiter);
  block::Status take_outcome();
  void time_is_up();

  const Effort effort_;
  block::Front* front_ = nullptr;  // while it is there
  bool given_up_ = false;
  bool over_limit_ = false;
  Alarm alarm_;
};

}  // namespace lunar::scsi

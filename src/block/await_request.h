// Requests for coroutines:
//
//   AwaitableRequest request;
//   request.prepare(Op::read, lba, count);
//   request.set_buffer(...);
//   const Status status = co_await request.submit_to(front);
#pragma once

#include <coroutine>

#include "lunar/block/request.h"

namespace lunar::block {

class AwaitableRequest : public Request {
 public:
  // As new, without buffers.
  void prepare(Op new_op, Lba new_lba = {}, BlockCount new_count = {}, RequestFlags new_flags = 0) {
    op = new_op;
    status = Status::ok;
    flags = new_flags;
    layers = 0;
    lba = new_lba;
    count = new_count;
    iov = nullptr;
    iov_count = 0;
    miscompare_offset = 0;
    error_number = 0;
  }

  template <class Target, void (Target::*kSubmit)(Request&) = &Target::submit>
  class Submission {
   public:
    Submission(AwaitableRequest& request, Target& target) : request_(request), target_(target) {}
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiter) {
      request_.resume_when_done(waiter);
      (target_.*kSubmit)(request_);
    }
    [[nodiscard]] Status await_resume() const { return request_.status; }

   private:
    AwaitableRequest& request_;
    Target& target_;
  };
  // Target: Front, or Channel (then `shard` must be set).
  template <class Target>
  [[nodiscard]] Submission<Target, &Target::submit> submit_to(Target& target) {
    return {*this, target};
  }
  // Inside an exclusive range of the submitter's own. Target: Front.
  template <class Target>
  [[nodiscard]] Submission<Target, &Target::submit_as_holder> submit_as_holder_to(Target& target) {
    return {*this, target};
  }

 protected:
  void resume_when_done(std::coroutine_handle<> waiter) {
    waiter_ = waiter;
    done = [](Request& self) noexcept { static_cast<AwaitableRequest&>(self).waiter_.resume(); };
  }

 private:
  std::coroutine_handle<> waiter_;
};

}  // namespace lunar::block

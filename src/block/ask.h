// Asks a device what it may answer later, and waits no longer than is bearable:
//
//   Ask<BlockCount> ask(device, shard);
//   ask.begin([&](auto reply) { device.begin_resize(size, std::move(reply)); });
//   auto waiting = ask.until(shard.now_ns() + kDeviceDeadlineNs);
//   if (co_await waiting) … ask.take() …
#pragma once

#include <coroutine>
#include <memory>
#include <utility>

#include "block/check_device.h"
#include "engine/shard.h"
#include "lunar/block/device.h"

namespace lunar::block {

// One question. On `shard`, whose own it is. When it is destroyed, an answer to come is dropped.
// The device outlives it, and is not destroyed before it has answered (Device::unanswered()).
template <class T>
class Ask {
 public:
  Ask(const Device& device, engine::Shard& shard)
      : device_(device), exchange_(std::make_shared<Exchange<T>>(shard)) {}
  Ask(const Ask&) = delete;
  Ask& operator=(const Ask&) = delete;
  ~Ask() {
    exchange_->on_answer = {};
    exchange_->wanted = false;
  }

  // call(Reply<T>), once. What it throws is an answer, too.
  template <class Call>
  void begin(Call call) {
    device_.has_been_asked();
    exchange_->on_end = [&device = device_] { device.has_answered(); };
    Result<void> called = without_exceptions<void>([&]() -> Result<void> {
      call(Reply<T>(exchange_));
      return {};
    });
    if (!called && exchange_->arrived) exchange_->answer.emplace(std::unexpected(called.error()));
  }

  [[nodiscard]] bool has_answer() const { return exchange_->arrived; }
  // Once.
  [[nodiscard]] Result<T> take() { return std::move(*exchange_->answer); }

  // Runs it on the shard when there is an answer, which there is not yet.
  void when_answered(engine::Runnable& runnable) {
    exchange_->on_answer = [&runnable, &shard = exchange_->shard] { shard.enqueue(runnable); };
  }

  // co_await: whether there is an answer by then.
  class Until : engine::Timer {
   public:
    Until(Ask& ask, std::uint64_t deadline_ns) : ask_(ask), at_ns_(deadline_ns) {}
    [[nodiscard]] bool await_ready() const noexcept { return ask_.has_answer(); }
    void await_suspend(std::coroutine_handle<> waiter) {
      waiter_ = waiter;
      run = [](Runnable& self) noexcept {
        auto& until = static_cast<Until&>(self);
        until.ask_.exchange_->on_answer = {};
        until.waiter_.resume();
      };
      ask_.exchange_->on_answer = [this] {
        cancel();
        ask_.exchange_->shard.enqueue(*this);
      };
      ask_.exchange_->shard.arm(*this, at_ns_);
    }
    [[nodiscard]] bool await_resume() const noexcept { return ask_.has_answer(); }

   private:
    Ask& ask_;
    const std::uint64_t at_ns_;
    std::coroutine_handle<> waiter_;
  };
  [[nodiscard]] Until until(std::uint64_t deadline_ns) { return Until(*this, deadline_ns); }

 private:
  const Device& device_;
  const std::shared_ptr<Exchange<T>> exchange_;
};

// The answer to an answer: what the Reply that this gives is sent goes through `map` to `outer`. On
// outer's shard.
template <class From, class To, class Map>
[[nodiscard]] Reply<From> reply_through(Reply<To> outer, Map map) {
  auto exchange = std::make_shared<Exchange<From>>(outer.shard());
  exchange->on_answer = [&inner = *exchange, outer = std::move(outer),
                         map = std::move(map)]() mutable {
    outer.send(map(std::move(*inner.answer)));
  };
  return Reply<From>(std::move(exchange));
}

}  // namespace lunar::block

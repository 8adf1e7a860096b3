// The answer to what a device has been asked and may need time for. The device keeps the Reply and
// sends it once, from any thread, now or later:
//
//   void begin_open_channel(engine::Shard& shard, Reply<std::unique_ptr<Channel>> reply) override {
//     client_.connect([&shard, reply = std::move(reply)](int error) mutable {
//       if (error != 0) return reply.send(fail(ErrorCode::io, "cannot connect"));
//       reply.send(std::make_unique<MyChannel>(shard));
//     });
//   }
//
// Who has asked does not wait for ever, so an answer may come too late: it is destroyed then, on
// the shard that has asked.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "lunar/result.h"
#include "lunar/runnable.h"
#include "lunar/shard.h"

namespace lunar::block {

// A question and its answer, shared by who answers and who has asked. For the waist, which lets
// on_answer and on_end do little: they may run inside Reply::send().
template <class T>
struct Exchange : engine::Runnable {
  explicit Exchange(engine::Shard& where) : shard(where) {
    run = [](Runnable& self) noexcept {
      auto& exchange = static_cast<Exchange&>(self);
      const std::shared_ptr<Exchange> last = std::move(exchange.in_flight);
      exchange.deliver();
    };
  }
  // On the shard, once.
  void deliver() {
    arrived = true;
    if (on_answer) std::exchange(on_answer, {})();
    if (!wanted) answer.reset();
    if (on_end) std::exchange(on_end, {})();  // last: the device may go
  }

  engine::Shard& shard;
  std::optional<Result<T>> answer;
  // The shard's own.
  bool arrived = false;
  bool wanted = true;  // unset: who has asked has gone
  std::move_only_function<void()> on_answer;
  std::move_only_function<void()> on_end;
  std::shared_ptr<Exchange> in_flight;  // itself, on its way to the shard
};

template <class T>
class [[nodiscard]] Reply {
 public:
  explicit Reply(std::shared_ptr<Exchange<T>> exchange) : exchange_(std::move(exchange)) {}
  Reply(Reply&&) noexcept = default;
  Reply& operator=(Reply&& other) noexcept {
    std::swap(exchange_, other.exchange_);
    return *this;
  }
  // One that is dropped is an answer, too: ErrorCode::io.
  ~Reply() {
    if (exchange_ != nullptr) send(fail(ErrorCode::io, "the device has dropped what it was asked"));
  }

  // Once, from any thread. What has asked goes on in the shard's loop, never inline.
  void send(Result<T> answer) {
    const std::shared_ptr<Exchange<T>> exchange = std::move(exchange_);
    exchange->answer.emplace(std::move(answer));
    if (engine::this_shard() == &exchange->shard) return exchange->deliver();
    exchange->in_flight = exchange;
    engine::post_to(exchange->shard, *exchange);
  }
  // The shard that has asked.
  [[nodiscard]] engine::Shard& shard() const { return exchange_->shard; }

 private:
  std::shared_ptr<Exchange<T>> exchange_;
};

}  // namespace lunar::block

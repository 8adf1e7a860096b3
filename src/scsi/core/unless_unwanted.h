// Waits for work that cannot be aborted itself (a turn among others, memory, a medium that does not
// hear), but no longer than somebody wants it.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "engine/gate.h"
#include "engine/shard.h"
#include "engine/task.h"
#include "engine/timer.h"
#include "scsi/core/logical_unit.h"
#include "scsi/core/wait.h"

namespace lunar::scsi {
namespace detail {

template <class T>
class PatientWait final : Wait {
 public:
  PatientWait(const Behalf& behalf, std::uint64_t patience_ns)
      : Wait(behalf), patience_ns_(patience_ns), alarm_(*this) {
    begin();
    if (!this->behalf().is_wanted()) {
      end();
      give_up();
    }
  }
  ~PatientWait() { end(); }

  // Brings `work` to its end inside the part, whether somebody waits for it or not.
  static engine::Task<void> carry(engine::Gate::Holder held, engine::Task<T> work,
                                  PatientWait* waiter) {
    waiter->carried_for_ = &waiter;
    T value = co_await work;
    if (waiter != nullptr) {
      waiter->finish(std::move(value));
    } else if constexpr (requires { value.give_back(); }) {
      co_await value.give_back();
    }
    (void)held;
  }

  [[nodiscard]] engine::Event& ended() { return ended_; }
  [[nodiscard]] std::optional<T> take() { return std::move(value_); }

 private:
  struct Alarm : engine::Timer {
    explicit Alarm(PatientWait& of)
        : Timer([](engine::Runnable& self) noexcept { static_cast<Alarm&>(self).wait.leave(); }),
          wait(of) {}
    PatientWait& wait;
  };
  void give_up() override {
    engine::Shard& shard = behalf().part->shard();
    shard.arm(alarm_, shard.now_ns() + patience_ns_);
  }
  void finish(T value) {
    alarm_.cancel();
    value_.emplace(std::move(value));
    ended_.set();
  }
  void leave() {
    *carried_for_ = nullptr;
    ended_.set();
  }

  const std::uint64_t patience_ns_;
  PatientWait** carried_for_ = nullptr;  // in the frame of carry()
  std::optional<T> value_;
  engine::Event ended_;
  Alarm alarm_;
};

}  // namespace detail

// What `work` gives; nothing when nobody wants it for `patience_ns` already: then the work goes on
// alone, and what it gives is dropped (by T::give_back(), where there is one). Work that has no
// part of a logical unit to go on in is waited for.
template <class T>
engine::Task<std::optional<T>> unless_unwanted(Behalf behalf, engine::Task<T> work,
                                               std::uint64_t patience_ns = 0) {
  if (work.done() || behalf.part == nullptr || behalf.part->is_stopping()) {
    T value = co_await work;
    co_return std::optional<T>(std::move(value));
  }
  detail::PatientWait<T> wait(behalf, patience_ns);
  detail::PatientWait<T>::carry(behalf.part->hold(), std::move(work), &wait).detach();
  engine::Event& ended = wait.ended();  // g++ 12 awaits a copy of what a call refers to
  co_await ended;
  co_return wait.take();
}

}  // namespace lunar::scsi

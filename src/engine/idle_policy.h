// Decides when a shard stops polling and sleeps in the kernel.
//
// Spinning pays if work comes soon and the core is free: a peer that needs this core cannot produce
// work while we spin. The policy learns both from experience:
//   * A spin that found work restores the full budget.
//   * A spin in vain halves the budget, down to zero.
//   * A short sleep suggests that a longer spin would have found the work, so a trial of a few full
//     spins follows. It takes a few because gaps differ (a disk's answer, the next command). If the
//     trial finds nothing, the core is shared or all gaps are too long; the number of short sleeps
//     before the next trial doubles.
// A long sleep starts no trial, so an idle shard never spins.
#pragma once

#include <algorithm>
#include <cstdint>

namespace lunar::engine {

class IdlePolicy {
 public:
  explicit IdlePolicy(std::uint64_t max_spin_ns)
      : max_spin_ns_(max_spin_ns), budget_ns_(max_spin_ns) {}

  // The loop that began at `now_ns` did something.
  void worked(std::uint64_t now_ns) {
    if (state_ == State::busy) return;
    if (state_ == State::asleep) {
      slept(now_ns - idle_since_ns_);
    } else if (now_ns != idle_since_ns_) {
      earned();
    }
    state_ = State::busy;
  }
  // The loop did nothing: whether to sleep now, instead of spinning another round.
  [[nodiscard]] bool should_sleep(std::uint64_t now_ns) {
    if (state_ != State::spinning) {
      state_ = State::spinning;
      idle_since_ns_ = now_ns;
    }
    if (now_ns - idle_since_ns_ < budget_ns_) return false;
    wasted();
    state_ = State::asleep;
    return true;
  }
  [[nodiscard]] std::uint64_t budget_ns() const { return budget_ns_; }

 private:
  enum class State : std::uint8_t {
    busy,      // the last loop did something
    spinning,  // idle since idle_since_ns_, and awake
    asleep,    // idle since idle_since_ns_, and told to sleep
  };
  static constexpr std::uint64_t kSmallestSpinNs = 2'000;
  // Upper bound of short sleeps before the next trial.
  static constexpr std::uint32_t kMostPatience = 1024;
  static constexpr std::uint8_t kTrialSpins = 4;

  void earned() {
    budget_ns_ = max_spin_ns_;
    trial_spins_ = 0;
    // Halved, not forgotten: on a shared core a spin finds work by chance now and then.
    patience_ = std::max(patience_ / 2, 1U);
  }
  void wasted() {
    if (trial_spins_ == 0) {
      budget_ns_ = budget_ns_ > kSmallestSpinNs ? budget_ns_ / 2 : 0;
    } else if (--trial_spins_ == 0) {
      budget_ns_ = 0;
      patience_ = std::min(patience_ * 2, kMostPatience);
    }
  }
  // An idle time that included a sleep has ended.
  void slept(std::uint64_t idle_ns) {
    // The idle time includes the wake-up itself, which spinning would avoid: hence twice.
    if (trial_spins_ != 0 || idle_ns > 2 * max_spin_ns_) return;
    if (++short_sleeps_ < patience_) return;
    short_sleeps_ = 0;
    trial_spins_ = kTrialSpins;
    budget_ns_ = max_spin_ns_;
  }

  std::uint64_t max_spin_ns_;
  std::uint64_t budget_ns_;
  std::uint64_t idle_since_ns_ = 0;
  std::uint32_t patience_ = 1;  // short sleeps between trials
  std::uint32_t short_sleeps_ = 0;
  State state_ = State::busy;
  std::uint8_t trial_spins_ = 0;  // spins left in the trial
};

}  // namespace lunar::engine

// When to stop polling and sleep in the kernel.
//
// Spinning pays only when the next work comes within the time that a wake-up costs, and only when
// the core is ours: if the peer needs this very core, it cannot produce work while we spin. So the
// budget follows what spinning has earned: a spin that found work restores it, one that found none
// halves it, down to nothing. Then now and then one short probe asks whether times have changed.
#pragma once

#include <algorithm>
#include <cstdint>

namespace lunar::engine {

class IdlePolicy {
 public:
  explicit IdlePolicy(std::uint64_t max_spin_ns)
      : max_spin_ns_(max_spin_ns), budget_ns_(max_spin_ns) {}

  // The loop did something.
  void worked(std::uint64_t now_ns) {
    if (spinning_ && now_ns != spin_start_ns_) earned();
    spinning_ = false;
  }
  // The loop did nothing: sleep now, or spin another round?
  [[nodiscard]] bool should_sleep(std::uint64_t now_ns) {
    if (!spinning_) {
      spinning_ = true;
      spin_start_ns_ = now_ns;
    }
    if (now_ns - spin_start_ns_ < budget_ns_) return false;
    wasted();
    spinning_ = false;
    return true;
  }
  [[nodiscard]] std::uint64_t budget_ns() const { return budget_ns_; }

 private:
  static constexpr std::uint64_t kSmallestSpinNs = 2'000;
  static constexpr std::uint32_t kFirstProbe = 16;  // sleeps until a first probe
  static constexpr std::uint32_t kLastProbe =
      1024;  // and between probes when none has paid for long

  void earned() {
    budget_ns_ = max_spin_ns_;
    probe_interval_ = kFirstProbe;
    sleeps_ = 0;
  }
  void wasted() {
    if (budget_ns_ > kSmallestSpinNs) {
      budget_ns_ /= 2;
    } else if (budget_ns_ != 0) {
      budget_ns_ = 0;
      probe_interval_ = std::min(probe_interval_ * 2, kLastProbe);
      sleeps_ = 0;
    } else if (++sleeps_ >= probe_interval_) {
      budget_ns_ = std::min(max_spin_ns_, 4 * kSmallestSpinNs);
    }
  }

  std::uint64_t max_spin_ns_;
  std::uint64_t budget_ns_;
  std::uint64_t spin_start_ns_ = 0;
  std::uint32_t probe_interval_ = kFirstProbe;
  std::uint32_t sleeps_ = 0;
  bool spinning_ = false;
};

}  // namespace lunar::engine

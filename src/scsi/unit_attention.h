// The unit attention conditions that one I_T_L nexus has still to be told of (SAM-5 §6.2).
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "scsi/spec/sense.h"

namespace lunar::scsi {

// More than are ever pending at once: each additional sense code is queued once.
constexpr std::size_t kMaxUnitAttentions = 16;

// A bounded queue, told in the order of SAM-5 §6.2.2: resets before everything else, then oldest
// first.
class UnitAttentions {
 public:
  // Queues the condition unless it is pending already. POWER ON, RESET, OR BUS DEVICE RESET
  // OCCURRED and its kin (29h/xx) make what is queued moot, and replace it.
  void raise(spec::AdditionalSense condition) {
    if (spec::asc(condition) == kResetAsc) {
      if (count_ != 0 &&
          conditions_[0] == spec::AdditionalSense::power_on_reset_or_bus_device_reset_occurred)
        return;
      conditions_[0] = condition;
      count_ = 1;
      overflow_ = false;
      return;
    }
    for (std::size_t i = 0; i < count_; ++i) {
      if (conditions_[i] == condition) return;
    }
    if (count_ == kMaxUnitAttentions) {
      overflow_ = true;
      return;
    }
    conditions_[count_++] = condition;
  }

  [[nodiscard]] bool pending() const { return count_ != 0; }

  // Removes and returns the first as sense data. Only when pending().
  [[nodiscard]] spec::Sense take() {
    spec::Sense sense = spec::Sense::unit_attention(conditions_[0]);
    // SPC-5 §4.4.2.4.6: whether conditions were lost.
    sense.specific = spec::UnitAttentionOverflow{overflow_};
    --count_;
    for (std::size_t i = 0; i < count_; ++i) conditions_[i] = conditions_[i + 1];
    if (count_ == 0) overflow_ = false;
    return sense;
  }

 private:
  static constexpr std::uint8_t kResetAsc = 0x29;

  std::array<spec::AdditionalSense, kMaxUnitAttentions> conditions_{};
  std::uint8_t count_ = 0;
  bool overflow_ = false;
};

}  // namespace lunar::scsi

// The unit attention conditions that one I_T_L nexus has still to be told of (SAM-5 §6.2).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "scsi/spec/sense.h"

namespace lunar::scsi {

// More than are ever pending at once: each additional sense code is queued once.
constexpr std::size_t kMaxUnitAttentions = 16;

// A bounded queue, told in the order of SAM-5 §6.2.2: resets before everything else, the greatest
// of them first and alone; then the oldest first.
class UnitAttentions {
 public:
  // Queues the condition unless it is pending already, or a greater reset that includes it is. A
  // power on makes moot whatever else is queued.
  void raise(spec::AdditionalSense condition) {
    const int rank = reset_rank(condition);
    if (rank != 0) {
      if (is_reset_pending()) {
        if (reset_rank(conditions_[0]) >= rank) return;
        remove(0);
      }
      if (rank >= kPowerOnRank) {
        count_ = 0;
        overflow_ = false;
      }
    }
    for (std::size_t i = 0; i < count_; ++i) {
      if (conditions_[i] == condition) return;
    }
    if (count_ == kMaxUnitAttentions) {
      overflow_ = true;
      if (rank == 0) return;
      --count_;
    }
    insert(rank != 0 ? 0 : count_, condition);
  }

  // The condition does not hold any more, or its initiator knows of it.
  void clear(spec::AdditionalSense condition) {
    const auto end = conditions_.begin() + count_;
    count_ = static_cast<std::uint8_t>(std::remove(conditions_.begin(), end, condition) -
                                       conditions_.begin());
    if (count_ == 0) overflow_ = false;
  }

  [[nodiscard]] bool pending() const { return count_ != 0; }
  [[nodiscard]] std::size_t count() const { return count_; }
  // The first is a power on, a reset or an I_T nexus loss, which is told before a RESERVATION
  // CONFLICT (SAM-5 §5.3.3).
  [[nodiscard]] bool is_reset_pending() const {
    return count_ != 0 && reset_rank(conditions_[0]) != 0;
  }
  // The first as sense data. Only when pending().
  [[nodiscard]] spec::Sense first() const {
    spec::Sense sense = spec::Sense::unit_attention(conditions_[0]);
    // SPC-5 §4.4.2.4.6: whether conditions were lost.
    sense.specific = spec::UnitAttentionOverflow{overflow_};
    return sense;
  }
  // Removes and returns the first. Only when pending().
  [[nodiscard]] spec::Sense take() {
    const spec::Sense sense = first();
    remove(0);
    if (count_ == 0) overflow_ = false;
    return sense;
  }

 private:
  static constexpr int kPowerOnRank = 4;

  // How much a reset includes (SAM-5 §6.2.2); 0: no reset.
  [[nodiscard]] static constexpr int reset_rank(spec::AdditionalSense condition) {
    using enum spec::AdditionalSense;
    if (condition == power_on_reset_or_bus_device_reset_occurred) return kPowerOnRank + 1;
    if (condition == power_on_occurred || condition == device_internal_reset) return kPowerOnRank;
    if (condition == scsi_bus_reset_occurred) return 3;
    if (condition == bus_device_reset_function_occurred) return 2;
    if (condition == i_t_nexus_loss_occurred) return 1;
    return 0;
  }

  void remove(std::size_t index) {
    --count_;
    for (std::size_t i = index; i < count_; ++i) conditions_[i] = conditions_[i + 1];
  }
  void insert(std::size_t index, spec::AdditionalSense condition) {
    for (std::size_t i = count_; i > index; --i) conditions_[i] = conditions_[i - 1];
    conditions_[index] = condition;
    ++count_;
  }

  std::array<spec::AdditionalSense, kMaxUnitAttentions> conditions_{};
  std::uint8_t count_ = 0;
  bool overflow_ = false;
};

}  // namespace lunar::scsi

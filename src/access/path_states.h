// In which state the paths to a disk are: SCSI's asymmetric logical unit access (SPC-5 §5.17.2),
// NVMe's asymmetric namespace access (NVM Express Base 2.0 §8.1).
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace lunar::access {

// What a path serves. To NVMe, standby and unavailable are both inaccessible.
enum class PathState : std::uint8_t {
  optimized,
  non_optimized,  // everything; hosts prefer another path
  standby,        // neither reads nor writes
  unavailable,    // nearly nothing
  changing,       // hosts wait for what comes next
};

// Why a path is in its state.
enum class StateSetBy : std::uint8_t {
  nobody,  // it began so
  host,
  management,
};

// The paths of one group, as one disk shows them. The protocol numbers its groups; two groups that
// lead to one disk have two numbers.
struct GroupAccess {
  std::uint16_t group = 0;
  PathState state = PathState::optimized;
  bool preferred = false;
  StateSetBy set_by = StateSetBy::nobody;
  bool operator==(const GroupAccess&) const = default;
};

// The groups that are no longer as they began. A value, cheap to copy.
class PathStates {
 public:
  // `initial`: as the group began.
  [[nodiscard]] GroupAccess of(const GroupAccess& initial) const;
  void set(const GroupAccess& access);
  // The group is as it began.
  void forget(std::uint16_t group);

 private:
  std::shared_ptr<const std::vector<GroupAccess>> changed_;
};

}  // namespace lunar::access

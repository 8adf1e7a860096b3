// Command priorities of I_T_L nexuses (SPC-5, SET PRIORITY): what initiators have agreed on.
//
// A nexus has the INITIAL COMMAND PRIORITY of the control extension mode page until SET PRIORITY
// gives it one of its own, which outlives its sessions, and ends with a reset. A device server may
// order SIMPLE commands by it (SAM-5 §8.3); ours starts each command as it comes, so there is no
// queue of them to order.
#pragma once

#include <cstdint>
#include <vector>

#include "scsi/state/nexus_identity.h"

namespace lunar::scsi {

// A named bound on what initiators may make us keep.
constexpr std::size_t kMaxPriorities = 1024;

struct NexusPriority {
  NexusIdentity nexus;
  std::uint8_t priority = 0;  // 1..15
};

// A part of UnitState.
struct Priorities {
  std::vector<NexusPriority> set;  // ascending by nexus: those that have one of their own

  [[nodiscard]] const NexusPriority* find(const NexusIdentity& nexus) const;
  // 0: it has none of its own any more. False: there is no room for one more.
  [[nodiscard]] bool assign(const NexusIdentity& nexus, std::uint8_t priority);
};

}  // namespace lunar::scsi

#include "scsi/state/priority.h"

#include <algorithm>

namespace lunar::scsi {

const NexusPriority* Priorities::find(const NexusIdentity& nexus) const {
  const auto at = std::ranges::lower_bound(set, nexus, {}, &NexusPriority::nexus);
  return at != set.end() && at->nexus == nexus ? &*at : nullptr;
}

bool Priorities::assign(const NexusIdentity& nexus, std::uint8_t priority) {
  const auto at = std::ranges::lower_bound(set, nexus, {}, &NexusPriority::nexus);
  const bool known = at != set.end() && at->nexus == nexus;
  if (priority == 0) {
    if (known) set.erase(at);
    return true;
  }
  if (known) {
    at->priority = priority;
    return true;
  }
  if (set.size() == kMaxPriorities) return false;
  set.insert(at, {nexus, priority});
  return true;
}

}  // namespace lunar::scsi

// What a node shows to initiators: its targets, and the portals that lead to them.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "iscsi/connection/connection_owner.h"
#include "iscsi/service/portals.h"

namespace lunar::iscsi {

// A snapshot that never changes. Every shard has one; the control shard replaces it whole.
struct Directory {
  struct Target {
    TargetId id;
    std::string name;
    std::string alias;
  };
  // In the order of their addition.
  std::vector<Target> targets;
  std::vector<Portal> portals;

  // Null: there is none.
  [[nodiscard]] const Target* find_target(std::string_view name) const {
    const auto found = std::ranges::find(targets, name, &Target::name);
    return found == targets.end() ? nullptr : &*found;
  }
  [[nodiscard]] const Portal* find_portal(PortalId id) const {
    const auto found = std::ranges::find(portals, id, &Portal::id);
    return found == portals.end() ? nullptr : &*found;
  }
};

}  // namespace lunar::iscsi

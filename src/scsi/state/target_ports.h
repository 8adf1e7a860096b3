// The target ports of a SCSI target device, and their groups (SPC-5 §5.17.2).
//
// A portal group is a target port (RFC 7143 §4.4.2), and each is a target port group of its own, so
// that one number names both: RELATIVE TARGET PORT IDENTIFIER and TARGET PORT GROUP. A service
// gives every port of every target a number of its own: hosts tell groups apart by number and
// logical unit only, and a logical unit may be reached through several targets.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "access/path_states.h"

namespace lunar::scsi {

constexpr std::size_t kMaxTargetPorts = 256;  // of one target

// How a target port group begins, and who may change its state.
struct PortGroupOptions {
  access::PathState state = access::PathState::optimized;
  bool preferred = false;         // PREF
  bool implicit_changes = true;   // whoever manages the target may
  bool explicit_changes = false;  // initiators may, by SET TARGET PORT GROUPS
};

struct TargetPort {
  std::uint16_t portal_group_tag = 0;
  std::uint16_t number = 0;  // not 0
  std::string name;          // "iqn…,t,0x<tpgt>" (RFC 7143 §4.2.7)
  PortGroupOptions group;

  // As the group begins.
  [[nodiscard]] access::GroupAccess initial_access() const {
    return {number, group.state, group.preferred, access::StateSetBy::nobody};
  }
};

// Filled before the target takes its first connection, then immutable, so that every shard reads
// it.
class TargetPorts {
 public:
  // Of a portal group that will be added, perhaps.
  void configure(std::uint16_t portal_group_tag, const PortGroupOptions& options) {
    options_[portal_group_tag] = options;
  }
  [[nodiscard]] std::vector<std::uint16_t> configured_tags() const;
  void add(std::uint16_t portal_group_tag, std::uint16_t number, std::string name);

  // In the order of their numbers.
  [[nodiscard]] std::span<const TargetPort> all() const { return ports_; }
  // Null: there is none.
  [[nodiscard]] const TargetPort* find(std::uint16_t number) const;
  [[nodiscard]] const TargetPort* find_tag(std::uint16_t portal_group_tag) const;
  // What TPGS of the INQUIRY data tells: whether there is a group that changes in this way.
  [[nodiscard]] bool implicit_changes() const { return implicit_; }
  [[nodiscard]] bool explicit_changes() const { return explicit_; }

 private:
  std::vector<TargetPort> ports_;
  std::map<std::uint16_t, PortGroupOptions> options_;  // by portal group tag
  bool implicit_ = false;
  bool explicit_ = false;
};

}  // namespace lunar::scsi

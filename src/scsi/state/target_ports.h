// The target ports of a SCSI target device, and their groups (SPC-5 §5.17.2).
//
// Each port is a target port group of its own, so that one number names both: RELATIVE TARGET PORT
// IDENTIFIER and TARGET PORT GROUP. A transport gives every port of every target a number of its
// own: hosts tell groups apart by number and logical unit only, and a logical unit may be reached
// through several targets.
#pragma once

#include <cstdint>
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
  std::uint16_t number = 0;  // not 0
  std::string name;          // the SCSI name string of the port
  PortGroupOptions group;

  // As the group begins.
  [[nodiscard]] access::GroupAccess initial_access() const {
    return {number, group.state, group.preferred, access::StateSetBy::nobody};
  }
};

// A value. A target that serves replaces it whole: Target::set_ports().
class TargetPorts {
 public:
  // A port of this number gives way to it.
  void put(TargetPort port);
  // False: no port has the number.
  bool remove(std::uint16_t number);

  // In the order of their numbers.
  [[nodiscard]] std::span<const TargetPort> all() const { return ports_; }
  // Null: there is none.
  [[nodiscard]] const TargetPort* find(std::uint16_t number) const;
  // What TPGS of the INQUIRY data tells: whether there is a group that changes in this way.
  [[nodiscard]] bool implicit_changes() const { return implicit_; }
  [[nodiscard]] bool explicit_changes() const { return explicit_; }

 private:
  void look_at_changes();

  std::vector<TargetPort> ports_;
  bool implicit_ = false;
  bool explicit_ = false;
};

}  // namespace lunar::scsi

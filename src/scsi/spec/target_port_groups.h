// CDBs and parameter data of REPORT TARGET PORT GROUPS and SET TARGET PORT GROUPS (SPC-5 §6.37,
// §6.45).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/endian.h"

namespace lunar::scsi::spec {

// ASYMMETRIC ACCESS STATE (SPC-5 §5.17.2.4)
enum class AccessState : std::uint8_t {
  active_optimized = 0x0,
  active_non_optimized = 0x1,
  standby = 0x2,
  unavailable = 0x3,
  logical_block_dependent = 0x4,
  offline = 0xe,
  transitioning = 0xf,
};

// STATUS CODE: reason for the group's state
enum class AccessStatus : std::uint8_t {
  not_available = 0,
  set_by_command = 1,  // SET TARGET PORT GROUPS
  set_implicitly = 2,
};

struct ReportTargetPortGroupsCdb {
  std::uint8_t operation_code = 0;
  std::uint8_t service_action = 0;  // PARAMETER DATA FORMAT, SERVICE ACTION
  be32 reserved;
  be32 allocation_length;
  std::uint8_t reserved2 = 0;
  std::uint8_t control = 0;

  static constexpr std::uint8_t kLengthOnly = 0;
  static constexpr std::uint8_t kExtended = 1;
  [[nodiscard]] constexpr std::uint8_t parameter_data_format() const { return service_action >> 5; }
};
static_assert(sizeof(ReportTargetPortGroupsCdb) == 12);
static_assert(offsetof(ReportTargetPortGroupsCdb, service_action) == 1);
static_assert(offsetof(ReportTargetPortGroupsCdb, allocation_length) == 6);

// Length only header.
struct TargetPortGroupsHeader {
  be32 return_data_length;  // bytes after this field, not altered by the ALLOCATION LENGTH
};
static_assert(sizeof(TargetPortGroupsHeader) == 4);

struct ExtendedTargetPortGroupsHeader {
  be32 return_data_length;  // bytes after this field
  std::uint8_t return_data_format = kExtended;
  std::uint8_t implicit_transition_time_s = 0;  // 0: not reported
  be16 reserved;

  static constexpr std::uint8_t kExtended = 0x10;
};
static_assert(sizeof(ExtendedTargetPortGroupsHeader) == 8);
static_assert(offsetof(ExtendedTargetPortGroupsHeader, return_data_format) == 4);
static_assert(offsetof(ExtendedTargetPortGroupsHeader, implicit_transition_time_s) == 5);

// target_port_count TargetPortDescriptors follow.
struct TargetPortGroupDescriptor {
  std::uint8_t state = 0;  // PREF, ASYMMETRIC ACCESS STATE
  std::uint8_t supported_states = 0;
  be16 target_port_group;
  std::uint8_t reserved = 0;
  std::uint8_t status_code = 0;
  std::uint8_t vendor_specific = 0;
  std::uint8_t target_port_count = 0;

  static constexpr std::uint8_t kPref = 0x80;
  static constexpr std::uint8_t kTransitioning = 0x80;  // supported_states
  static constexpr std::uint8_t kOffline = 0x40;
  static constexpr std::uint8_t kLogicalBlockDependent = 0x10;
  static constexpr std::uint8_t kUnavailable = 0x08;
  static constexpr std::uint8_t kStandby = 0x04;
  static constexpr std::uint8_t kActiveNonOptimized = 0x02;
  static constexpr std::uint8_t kActiveOptimized = 0x01;
};
static_assert(sizeof(TargetPortGroupDescriptor) == 8);
static_assert(offsetof(TargetPortGroupDescriptor, supported_states) == 1);
static_assert(offsetof(TargetPortGroupDescriptor, target_port_group) == 2);
static_assert(offsetof(TargetPortGroupDescriptor, status_code) == 5);
static_assert(offsetof(TargetPortGroupDescriptor, target_port_count) == 7);

struct TargetPortDescriptor {
  be16 obsolete;
  be16 relative_target_port_identifier;
};
static_assert(sizeof(TargetPortDescriptor) == 4);
static_assert(offsetof(TargetPortDescriptor, relative_target_port_identifier) == 2);

struct SetTargetPortGroupsCdb {
  std::uint8_t operation_code = 0;
  std::uint8_t service_action = 0;
  be32 reserved;
  be32 parameter_list_length;
  std::uint8_t reserved2 = 0;
  std::uint8_t control = 0;
};
static_assert(sizeof(SetTargetPortGroupsCdb) == 12);
static_assert(offsetof(SetTargetPortGroupsCdb, parameter_list_length) == 6);

// The parameter list: four reserved bytes, then these descriptors.
constexpr std::size_t kSetTargetPortGroupsHeaderLength = 4;
struct SetTargetPortGroupDescriptor {
  std::uint8_t state = 0;  // ASYMMETRIC ACCESS STATE
  std::uint8_t reserved = 0;
  be16 target_port_group;  // for a secondary state: the relative target port identifier

  static constexpr std::uint8_t kStateMask = 0x0f;
};
static_assert(sizeof(SetTargetPortGroupDescriptor) == 4);
static_assert(offsetof(SetTargetPortGroupDescriptor, target_port_group) == 2);

}  // namespace lunar::scsi::spec

// CDBs and parameter data of REPORT PRIORITY and SET PRIORITY (SPC-4 §6.31, §6.41; the same in
// SPC-5).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/endian.h"

namespace lunar::scsi::spec {

constexpr std::uint8_t kMaxPriority = 15;  // 1 is the highest, 15 the lowest; 0: no priority set

struct ReportPriorityCdb {
  std::uint8_t operation_code = 0;
  std::uint8_t service_action = 0;
  std::uint8_t reported = 0;  // PRIORITY REPORTED
  std::array<std::uint8_t, 3> reserved{};
  be32 allocation_length;
  std::uint8_t reserved2 = 0;
  std::uint8_t control = 0;

  static constexpr std::uint8_t kOwn = 0;         // only the requesting I_T_L nexus
  static constexpr std::uint8_t kNotInitial = 1;  // all that differ from the initial priority
  [[nodiscard]] constexpr std::uint8_t priority_reported() const { return reported >> 6; }
};
static_assert(sizeof(ReportPriorityCdb) == 12);
static_assert(offsetof(ReportPriorityCdb, reported) == 2);
static_assert(offsetof(ReportPriorityCdb, allocation_length) == 6);

struct ReportPriorityHeader {
  be32 priority_parameter_data_length_bytes;  // after this field
};
static_assert(sizeof(ReportPriorityHeader) == 4);

struct SetPriorityCdb {
  std::uint8_t operation_code = 0;
  std::uint8_t service_action = 0;
  std::uint8_t to_set = 0;  // I_T_L NEXUS TO SET
  std::array<std::uint8_t, 3> reserved{};
  be32 parameter_list_length;
  std::uint8_t reserved2 = 0;
  std::uint8_t control = 0;

  static constexpr std::uint8_t kOwn = 0;           // the requesting I_T_L nexus
  static constexpr std::uint8_t kOfList = 1;        // the one in the parameter list
  static constexpr std::uint8_t kAllToInitial = 2;  // resets all to the initial priority
  [[nodiscard]] constexpr std::uint8_t nexus_to_set() const { return to_set >> 6; }
};
static_assert(sizeof(SetPriorityCdb) == 12);
static_assert(offsetof(SetPriorityCdb, to_set) == 2);
static_assert(offsetof(SetPriorityCdb, parameter_list_length) == 6);

// A priority descriptor of REPORT PRIORITY, and the parameter list of SET PRIORITY. A TransportID
// follows.
struct PriorityDescriptor {
  std::uint8_t priority = 0;  // CURRENT PRIORITY, PRIORITY TO SET
  std::uint8_t reserved = 0;
  be16 relative_target_port_identifier;
  be16 reserved2;
  be16 additional_descriptor_length_bytes;

  static constexpr std::uint8_t kPriorityMask = 0x0f;
};
static_assert(sizeof(PriorityDescriptor) == 8);
static_assert(offsetof(PriorityDescriptor, relative_target_port_identifier) == 2);
static_assert(offsetof(PriorityDescriptor, additional_descriptor_length_bytes) == 6);

}  // namespace lunar::scsi::spec

// PERSISTENT RESERVE IN and OUT: CDBs and parameter data (SPC-5 §6.16, §6.17).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/endian.h"

namespace lunar::scsi::spec {

// TYPE of a persistent reservation (SPC-5 table 203).
enum class ReservationType : std::uint8_t {
  write_exclusive = 0x1,
  exclusive_access = 0x3,
  write_exclusive_registrants_only = 0x5,
  exclusive_access_registrants_only = 0x6,
  write_exclusive_all_registrants = 0x7,
  exclusive_access_all_registrants = 0x8,
};

constexpr std::uint8_t kScopeLogicalUnit = 0;  // SCOPE: LU_SCOPE, the only one that is not obsolete

struct PersistentReserveInCdb {
  std::uint8_t operation_code = 0;
  std::uint8_t service_action = 0;
  std::array<std::uint8_t, 5> reserved{};
  be16 allocation_length;
  std::uint8_t control = 0;
};
static_assert(sizeof(PersistentReserveInCdb) == 10);
static_assert(offsetof(PersistentReserveInCdb, allocation_length) == 7);

struct PersistentReserveOutCdb {
  std::uint8_t operation_code = 0;
  std::uint8_t service_action = 0;
  std::uint8_t scope_type = 0;  // SCOPE, TYPE
  be16 reserved;
  be32 parameter_list_length;
  std::uint8_t control = 0;

  [[nodiscard]] constexpr std::uint8_t scope() const { return scope_type >> 4; }
  [[nodiscard]] constexpr std::uint8_t type() const { return scope_type & 0x0f; }
};
static_assert(sizeof(PersistentReserveOutCdb) == 10);
static_assert(offsetof(PersistentReserveOutCdb, scope_type) == 2);
static_assert(offsetof(PersistentReserveOutCdb, parameter_list_length) == 5);

// The parameter list of all service actions except REGISTER AND MOVE.
struct PersistentReserveOutList {
  be64 reservation_key;
  be64 service_action_reservation_key;
  be32 obsolete;
  std::uint8_t flags = 0;
  std::uint8_t reserved = 0;
  be16 obsolete2;

  static constexpr std::uint8_t kSpecIPt = 0x08;  // TransportIDs follow
  static constexpr std::uint8_t kAllTgPt = 0x04;
  static constexpr std::uint8_t kAptpl = 0x01;
};
static_assert(sizeof(PersistentReserveOutList) == 24);
static_assert(offsetof(PersistentReserveOutList, service_action_reservation_key) == 8);
static_assert(offsetof(PersistentReserveOutList, flags) == 20);

// The parameter list of REGISTER AND MOVE. One TransportID follows.
struct RegisterAndMoveList {
  be64 reservation_key;
  be64 service_action_reservation_key;
  std::uint8_t reserved = 0;
  std::uint8_t flags = 0;
  be16 relative_target_port_identifier;
  be32 transport_id_length;

  static constexpr std::uint8_t kUnreg = 0x02;
  static constexpr std::uint8_t kAptpl = 0x01;
};
static_assert(sizeof(RegisterAndMoveList) == 24);
static_assert(offsetof(RegisterAndMoveList, flags) == 17);
static_assert(offsetof(RegisterAndMoveList, relative_target_port_identifier) == 18);
static_assert(offsetof(RegisterAndMoveList, transport_id_length) == 20);

// Header of READ KEYS, READ RESERVATION and READ FULL STATUS.
struct PersistentReserveInHeader {
  be32 pr_generation;
  be32 additional_length;
};
static_assert(sizeof(PersistentReserveInHeader) == 8);

struct ReservationDescriptor {
  be64 reservation_key;
  be32 obsolete;
  std::uint8_t reserved = 0;
  std::uint8_t scope_type = 0;
  be16 obsolete2;
};
static_assert(sizeof(ReservationDescriptor) == 16);
static_assert(offsetof(ReservationDescriptor, scope_type) == 13);

struct ReportCapabilitiesData {
  be16 length = std::uint16_t{8};
  std::uint8_t flags = 0;
  std::uint8_t flags3 = 0;
  be16 type_mask;
  be16 reserved;

  static constexpr std::uint8_t kCrh = 0x10;    // a holder may also use RESERVE and RELEASE
  static constexpr std::uint8_t kSipC = 0x08;   // SPEC_I_PT
  static constexpr std::uint8_t kAtpC = 0x04;   // ALL_TG_PT
  static constexpr std::uint8_t kPtplC = 0x01;  // APTPL can be activated
  // flags3
  static constexpr std::uint8_t kTmv = 0x80;  // the type mask is valid
  // ALLOW COMMANDS 100b: write exclusive and exclusive access reservations permit TEST UNIT READY,
  // MODE SENSE, REPORT SUPPORTED OPERATION CODES and the like.
  static constexpr std::uint8_t kAllowsTelling = 4 << 4;
  static constexpr std::uint8_t kPtplA = 0x01;  // APTPL is activated
  // All types: WR_EX_AR, EX_AC_RO, WR_EX_RO, EX_AC, WR_EX; EX_AC_AR.
  static constexpr std::uint16_t kAllTypes = 0xea01;
};
static_assert(sizeof(ReportCapabilitiesData) == 8);
static_assert(offsetof(ReportCapabilitiesData, type_mask) == 4);

// READ FULL STATUS. The TransportID follows.
struct FullStatusDescriptor {
  be64 reservation_key;
  be32 reserved;
  std::uint8_t flags = 0;
  std::uint8_t scope_type = 0;
  be32 reserved2;
  be16 relative_target_port_identifier;
  be32 additional_descriptor_length;

  static constexpr std::uint8_t kAllTgPt = 0x02;
  static constexpr std::uint8_t kRHolder = 0x01;
};
static_assert(sizeof(FullStatusDescriptor) == 24);
static_assert(offsetof(FullStatusDescriptor, flags) == 12);
static_assert(offsetof(FullStatusDescriptor, scope_type) == 13);
static_assert(offsetof(FullStatusDescriptor, relative_target_port_identifier) == 18);
static_assert(offsetof(FullStatusDescriptor, additional_descriptor_length) == 20);

}  // namespace lunar::scsi::spec

// GET LBA STATUS (SBC-4 §5.7, §5.8). The 16-byte CDB is in cdb_structs.h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/endian.h"

namespace lunar::scsi::spec {

struct GetLbaStatus32Cdb {
  std::uint8_t operation_code = 0;
  std::uint8_t control = 0;
  std::array<std::uint8_t, 5> reserved{};
  std::uint8_t additional_cdb_length = 0x18;
  be16 service_action;
  std::uint8_t report_type = 0;
  std::uint8_t reserved2 = 0;
  be64 starting_logical_block_address;
  be32 scan_length_blocks;  // 0: to the end of the medium
  be32 element_identifier;
  be32 allocation_length;
};
static_assert(sizeof(GetLbaStatus32Cdb) == 32);
static_assert(offsetof(GetLbaStatus32Cdb, additional_cdb_length) == 7);
static_assert(offsetof(GetLbaStatus32Cdb, report_type) == 10);
static_assert(offsetof(GetLbaStatus32Cdb, starting_logical_block_address) == 12);
static_assert(offsetof(GetLbaStatus32Cdb, scan_length_blocks) == 20);
static_assert(offsetof(GetLbaStatus32Cdb, element_identifier) == 24);
static_assert(offsetof(GetLbaStatus32Cdb, allocation_length) == 28);

// REPORT TYPE
enum class LbaReportType : std::uint8_t {
  all = 0x00,
  additional_status = 0x01,
  mapped = 0x02,
  deallocated = 0x03,
  anchored = 0x04,
  may_be_unrecovered = 0x10,
};

// COMPLETION CONDITION
enum class LbaStatusCompletion : std::uint8_t {
  not_told = 0,
  allocation_length = 1,
  scan_length = 2,
  end_of_medium = 3,
};

struct LbaStatusHeader {
  be32 parameter_data_length;  // bytes after this field
  std::array<std::uint8_t, 3> reserved{};
  std::uint8_t flags = 0;  // COMPLETION CONDITION in bits 3..1

  static constexpr std::uint8_t kRtp = 0x01;  // the REPORT TYPE was applied
  static constexpr unsigned kCompletionShift = 1;
};
static_assert(sizeof(LbaStatusHeader) == 8);
static_assert(offsetof(LbaStatusHeader, flags) == 7);

enum class LbaProvisioningStatus : std::uint8_t { mapped = 0, deallocated = 1, anchored = 2 };

struct LbaStatusDescriptor {
  be64 logical_block_address;
  be32 number_of_logical_blocks;
  std::uint8_t provisioning_status = 0;
  std::uint8_t additional_status = 0;
  be16 reserved;
};
static_assert(sizeof(LbaStatusDescriptor) == 16);
static_assert(offsetof(LbaStatusDescriptor, number_of_logical_blocks) == 8);
static_assert(offsetof(LbaStatusDescriptor, provisioning_status) == 12);

}  // namespace lunar::scsi::spec

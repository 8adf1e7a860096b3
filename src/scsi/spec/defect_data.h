// READ DEFECT DATA (SBC-4 §5.18, §5.19): CDBs and the headers of the defect lists.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/endian.h"

namespace lunar::scsi::spec {

// A byte in CDBs and headers: requested or returned lists, and their address descriptor format.
constexpr std::uint8_t kPrimaryDefectList = 0x10;  // REQ_PLIST, PLISTV
constexpr std::uint8_t kGrownDefectList = 0x08;    // REQ_GLIST, GLISTV
constexpr std::uint8_t kDefectListFormatMask = 0x07;

// DEFECT LIST FORMAT (SBC-4 table 40)
enum class DefectListFormat : std::uint8_t {
  short_block = 0,
  extended_bytes_from_index = 1,
  extended_physical_sector = 2,
  long_block = 3,
  bytes_from_index = 4,
  physical_sector = 5,
  vendor_specific = 6,
};

struct ReadDefectData10Cdb {
  std::uint8_t operation_code = 0;
  std::uint8_t reserved = 0;
  std::uint8_t lists = 0;
  std::array<std::uint8_t, 4> reserved2{};
  be16 allocation_length;
  std::uint8_t control = 0;
};
static_assert(sizeof(ReadDefectData10Cdb) == 10);
static_assert(offsetof(ReadDefectData10Cdb, lists) == 2);
static_assert(offsetof(ReadDefectData10Cdb, allocation_length) == 7);

struct ReadDefectData12Cdb {
  std::uint8_t operation_code = 0;
  std::uint8_t lists = 0;
  be32 address_descriptor_index;
  be32 allocation_length;
  std::uint8_t reserved = 0;
  std::uint8_t control = 0;
};
static_assert(sizeof(ReadDefectData12Cdb) == 12);
static_assert(offsetof(ReadDefectData12Cdb, lists) == 1);
static_assert(offsetof(ReadDefectData12Cdb, address_descriptor_index) == 2);
static_assert(offsetof(ReadDefectData12Cdb, allocation_length) == 6);

struct DefectList10Header {
  std::uint8_t reserved = 0;
  std::uint8_t lists = 0;
  be16 defect_list_length;
};
static_assert(sizeof(DefectList10Header) == 4);
static_assert(offsetof(DefectList10Header, lists) == 1);
static_assert(offsetof(DefectList10Header, defect_list_length) == 2);

struct DefectList12Header {
  std::uint8_t reserved = 0;
  std::uint8_t lists = 0;
  be16 generation_code;
  be32 defect_list_length;
};
static_assert(sizeof(DefectList12Header) == 8);
static_assert(offsetof(DefectList12Header, lists) == 1);
static_assert(offsetof(DefectList12Header, generation_code) == 2);
static_assert(offsetof(DefectList12Header, defect_list_length) == 4);

}  // namespace lunar::scsi::spec

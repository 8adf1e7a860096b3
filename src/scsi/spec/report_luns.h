// REPORT LUNS parameter data (SPC-5).
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/endian.h"

namespace lunar::scsi::spec {

// SELECT REPORT of the CDB
enum class SelectReport : std::uint8_t {
  addressed_not_well_known = 0x00,
  well_known_only = 0x01,
  all = 0x02,
  administrative = 0x10,
  administrative_and_simple = 0x11,  // "simple": not part of a conglomerate
  subsidiary = 0x12,  // the addressed administrative logical unit and its subsidiary ones
};

// Parameter data: this header, then one be64 per logical unit, encoded by encode_lun().
struct ReportLunsHeader {
  be32 lun_list_length;  // bytes after the header, not altered by the ALLOCATION LENGTH
  be32 reserved;
};
static_assert(sizeof(ReportLunsHeader) == 8);
static_assert(offsetof(ReportLunsHeader, lun_list_length) == 0);

}  // namespace lunar::scsi::spec

// Additional Header Segments of a SCSI Command (RFC 7143 §11.2.2).
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "lunar/result.h"

namespace lunar::iscsi::spec {

enum class AhsType : std::uint8_t {
  extended_cdb = 1,
  bidirectional_read_expected_data_transfer_length = 2,
};
constexpr std::uint8_t kAhsTypeMask = 0x3f;

// What the AHSs of one command said. Views into the bytes that were parsed.
struct AhsContents {
  Bytes extended_cdb;  // the bytes of the CDB from byte 16 on; empty: the CDB fits the BHS
  std::optional<std::uint32_t> bidirectional_read_expected_data_transfer_length;
};

// `bytes` is the whole of the segments, TotalAHSLength * 4 long. ErrorCode::malformed when a length
// runs over the end, a type is unknown, or one comes twice.
Result<AhsContents> parse_ahs(Bytes bytes);

}  // namespace lunar::iscsi::spec

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

// Contents of a command's AHSs. Views of the parsed bytes.
struct AhsContents {
  Bytes extended_cdb;  // bytes of the CDB from byte 16; empty: the CDB fits into the BHS
  std::optional<std::uint32_t> bidirectional_read_expected_data_transfer_length;
};

// `bytes`: all segments, TotalAHSLength * 4 bytes. ErrorCode::malformed: a length exceeds the end,
// or a type is unknown or repeated.
Result<AhsContents> parse_ahs(Bytes bytes);

}  // namespace lunar::iscsi::spec

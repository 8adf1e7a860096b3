#include "iscsi/spec/ahs.h"

#include "base/endian.h"
#include "iscsi/spec/pdu.h"

namespace lunar::iscsi::spec {
namespace {

struct AhsHeader {
  be16 ahs_length;  // bytes after ahs_type, without padding
  std::uint8_t ahs_type = 0;
};
static_assert(sizeof(AhsHeader) == 3);

}  // namespace

Result<AhsContents> parse_ahs(Bytes bytes) {
  AhsContents contents;
  ByteReader reader(bytes);
  while (reader.remaining() != 0) {
    const auto header = reader.read<AhsHeader>();
    if (!header) return fail(ErrorCode::malformed, "AHS header cut short");
    const std::size_t length = header->ahs_length.value();
    const auto body = reader.read_bytes(length);
    const std::size_t unpadded = sizeof(AhsHeader) + length;
    // Both types start with a reserved byte.
    if (!body || length == 0) return fail(ErrorCode::malformed, "AHSLength does not fit");
    if (!reader.read_bytes(padded_length(unpadded) - unpadded)) {
      return fail(ErrorCode::malformed, "AHS is not padded to four bytes");
    }
    const auto type = static_cast<AhsType>(header->ahs_type & kAhsTypeMask);
    if (type == AhsType::extended_cdb) {
      if (!contents.extended_cdb.empty() || length == 1) {
        return fail(ErrorCode::malformed, "Extended CDB AHS empty or repeated");
      }
      contents.extended_cdb = body->subspan(1);
    } else if (type == AhsType::bidirectional_read_expected_data_transfer_length) {
      const auto value = load<be32>(body->subspan(1));
      if (length != 5 || !value || contents.bidirectional_read_expected_data_transfer_length) {
        return fail(ErrorCode::malformed, "bidirectional read length AHS wrong or repeated");
      }
      contents.bidirectional_read_expected_data_transfer_length = value->value();
    } else {
      return fail(ErrorCode::malformed, "unknown AHSType");
    }
  }
  return contents;
}

}  // namespace lunar::iscsi::spec

// TransportIDs of iSCSI initiator ports (SPC-5 §7.6.4.6).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace lunar::scsi::spec {

constexpr std::size_t kTransportIdHeaderBytes = 4;
constexpr std::size_t kMinTransportIdBytes = 24;
// An iSCSI name of 223 bytes, ",i,0x", twelve digits, the null; padded to four.
constexpr std::size_t kMaxTransportIdBytes = kTransportIdHeaderBytes + 244;

struct TransportId {
  // TPID FORMAT 01b: the initiator port, "iqn…,i,0x" and twelve digits (RFC 7143 §4.2.7.3).
  // TPID FORMAT 00b: the initiator device, "iqn…": every port of it.
  std::string name;
  bool is_port = false;
  bool operator==(const TransportId&) const = default;
};

// The first TransportID of the bytes, in its normal form (lower case, all digits of the ISID), and
// how many bytes it takes. Nothing: it is none of iSCSI, or malformed, or cut off.
struct ParsedTransportId {
  TransportId id;
  std::size_t bytes = 0;
};
[[nodiscard]] std::optional<ParsedTransportId> parse_transport_id(Bytes bytes);

// That of an initiator port by its name.
[[nodiscard]] std::size_t transport_id_bytes(std::string_view port_name);
void append_transport_id(ByteWriter& out, std::string_view port_name);

// "iqn…" of "iqn…,i,0x…".
[[nodiscard]] std::string_view device_name_of_port(std::string_view port_name);

}  // namespace lunar::scsi::spec

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
// An iSCSI name of 223 bytes, ",i,0x", twelve digits, the null; padded to a multiple of four.
constexpr std::size_t kMaxTransportIdBytes = kTransportIdHeaderBytes + 244;

struct TransportId {
  // TPID FORMAT 01b: the initiator port, "iqn…,i,0x" and twelve digits (RFC 7143 §4.2.7.3).
  // TPID FORMAT 00b: the initiator device, "iqn…", that is, all its ports.
  std::string name;
  bool is_port = false;
  bool operator==(const TransportId&) const = default;
};

// Parses the first TransportID: its name in normal form (lower case, all ISID digits), and its
// length in bytes. Nothing: another protocol, malformed, or cut off.
struct ParsedTransportId {
  TransportId id;
  std::size_t bytes = 0;
};
[[nodiscard]] std::optional<ParsedTransportId> parse_transport_id(Bytes bytes);

// The TransportID of an initiator port with that name.
[[nodiscard]] std::size_t transport_id_bytes(std::string_view port_name);
void append_transport_id(ByteWriter& out, std::string_view port_name);

// "iqn…" from "iqn…,i,0x…".
[[nodiscard]] std::string_view device_name_of_port(std::string_view port_name);

}  // namespace lunar::scsi::spec

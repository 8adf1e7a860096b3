#include "scsi/spec/transport_id.h"

#include <algorithm>

#include "base/endian.h"
#include "scsi/spec/designator.h"

namespace lunar::scsi::spec {
namespace {

constexpr std::uint8_t kFormatDevice = 0 << 6;
constexpr std::uint8_t kFormatPort = 1 << 6;
constexpr std::string_view kSeparator = ",i,0x";
constexpr std::size_t kIsidDigits = 12;
constexpr std::size_t kMaxIscsiName = 223;  // RFC 7143 §4.2.7.1

struct Header {
  std::uint8_t format_protocol = 0;  // TPID FORMAT, PROTOCOL IDENTIFIER
  std::uint8_t reserved = 0;
  be16 additional_length;
};
static_assert(sizeof(Header) == kTransportIdHeaderBytes);

char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

// Characters of names (RFC 7143 §4.2.7.2). Beyond ASCII any UTF-8 is accepted.
bool is_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxIscsiName) return false;
  return std::ranges::all_of(
      name, [](char c) { return static_cast<unsigned char>(c) > ' ' && c != '\x7f'; });
}

std::optional<TransportId> parse_port(std::string_view text) {
  const std::size_t at = text.rfind(kSeparator);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view name = text.substr(0, at);
  const std::string_view isid = text.substr(at + kSeparator.size());
  if (!is_name(name) || isid.empty() || isid.size() > kIsidDigits) return std::nullopt;
  if (!std::ranges::all_of(isid, is_hex)) return std::nullopt;
  TransportId id;
  id.name = std::string(name) + std::string(kSeparator);
  id.name.append(kIsidDigits - isid.size(), '0');
  id.name += isid;
  id.is_port = true;
  return id;
}

std::size_t padded_text_bytes(std::size_t length) {
  constexpr std::size_t kLeast = kMinTransportIdBytes - kTransportIdHeaderBytes;
  return std::max<std::size_t>(kLeast, round_up(length + 1, 4));
}

}  // namespace

std::optional<ParsedTransportId> parse_transport_id(Bytes bytes) {
  const auto header = load<Header>(bytes);
  if (!header) return std::nullopt;
  const std::size_t length = header->additional_length;
  const std::size_t total = sizeof(Header) + length;
  if (total > bytes.size() || total < kMinTransportIdBytes || length % 4 != 0) return std::nullopt;
  // UTF-8, null-terminated and null-padded.
  const std::string_view field = as_text(bytes.subspan(sizeof(Header), length));
  const std::size_t end = field.find('\0');
  if (end == std::string_view::npos) return std::nullopt;
  std::string text(field.substr(0, end));
  std::ranges::transform(text, text.begin(), to_lower);
  std::optional<TransportId> id;
  if (header->format_protocol == (kFormatPort | kProtocolIscsi)) {
    id = parse_port(text);
  } else if (header->format_protocol == (kFormatDevice | kProtocolIscsi) && is_name(text)) {
    id = TransportId{std::move(text), false};
  }
  if (!id) return std::nullopt;
  return ParsedTransportId{std::move(*id), total};
}

std::size_t transport_id_bytes(std::string_view port_name) {
  return sizeof(Header) + padded_text_bytes(port_name.size());
}

void append_transport_id(ByteWriter& out, std::string_view port_name) {
  const std::size_t length = padded_text_bytes(port_name.size());
  Header header;
  header.format_protocol = kFormatPort | kProtocolIscsi;
  header.additional_length = static_cast<std::uint16_t>(length);
  out.write(header);
  out.write_padded(port_name, length, '\0');
}

std::string_view device_name_of_port(std::string_view port_name) {
  return port_name.substr(0, port_name.rfind(kSeparator));
}

}  // namespace lunar::scsi::spec

// What of Reservations outlives a power loss, as text: a line "lunar reservations 1", one for the
// type of the reservation ("type 5", or "type -"), one a registration with its fields between tabs,
// and "end".
#include <fmt/format.h>

#include <algorithm>

#include "scsi/state/record_text.h"
#include "scsi/state/reservations.h"

namespace lunar::scsi {
namespace {

constexpr std::string_view kFirstLine = "lunar reservations 1";
constexpr std::string_view kLastLine = "end";
constexpr std::string_view kTypePrefix = "type ";
constexpr std::string_view kNoType = "-";
constexpr std::string_view kHolds = "holder";
constexpr std::string_view kRegistered = "registered";

// Takes the text up to the separator, which must be there.
std::optional<std::string_view> take(std::string_view& rest, char separator) {
  const std::size_t at = rest.find(separator);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view head = rest.substr(0, at);
  rest.remove_prefix(at + 1);
  return head;
}

std::optional<Registration> parse_registration(std::string_view line) {
  const auto role = take(line, '\t');
  const auto key_text = take(line, '\t');
  const auto port_text = take(line, '\t');
  const auto target_port = take(line, '\t');
  if (!role || !key_text || !port_text || !target_port || line.empty()) return std::nullopt;
  const auto key = parse_number<std::uint64_t>(*key_text, 16);
  const auto port = parse_number<std::uint16_t>(*port_text);
  if (!key || *key == 0 || !port || (*role != kHolds && *role != kRegistered)) return std::nullopt;
  return Registration{{std::string(line), std::string(*target_port), *port}, *key, *role == kHolds};
}

// What perform() keeps true.
bool is_consistent(const Reservations& reservations) {
  const auto& all = reservations.registrations;
  if (all.size() > kMaxRegistrations) return false;
  const auto not_ascending = [](const Registration& a, const Registration& b) {
    return !(a.nexus < b.nexus);
  };
  if (std::ranges::adjacent_find(all, not_ascending) != all.end()) return false;
  const auto holders = std::ranges::count_if(all, &Registration::holder);
  if (!reservations.type) return holders == 0;
  return spec::is_all_registrants(*reservations.type) ? holders == 0 && !all.empty() : holders == 1;
}

}  // namespace

std::string to_record(const Reservations& reservations) {
  std::string text = fmt::format("{}\n{}", kFirstLine, kTypePrefix);
  if (reservations.type) {
    text += fmt::format("{}\n", static_cast<unsigned>(*reservations.type));
  } else {
    text += fmt::format("{}\n", kNoType);
  }
  for (const Registration& each : reservations.registrations) {
    text += fmt::format("{}\t{:016x}\t{}\t{}\t{}\n", each.holder ? kHolds : kRegistered, each.key,
                        each.nexus.relative_target_port_id, each.nexus.target_port,
                        each.nexus.initiator_port);
  }
  return text + fmt::format("{}\n", kLastLine);
}

std::optional<Reservations> from_record(std::string_view record) {
  Reservations reservations;
  reservations.aptpl = true;  // or it would not have been kept
  if (take(record, '\n') != kFirstLine) return std::nullopt;
  auto type = take(record, '\n');
  if (!type || !type->starts_with(kTypePrefix)) return std::nullopt;
  type->remove_prefix(kTypePrefix.size());
  if (*type != kNoType) {
    const auto value = parse_number<std::uint8_t>(*type);
    if (!value || !spec::is_reservation_type(*value)) return std::nullopt;
    reservations.type = static_cast<spec::ReservationType>(*value);
  }
  for (;;) {
    const auto line = take(record, '\n');
    if (!line) return std::nullopt;
    if (*line == kLastLine) break;
    auto registration = parse_registration(*line);
    if (!registration) return std::nullopt;
    reservations.registrations.push_back(std::move(*registration));
  }
  if (!record.empty() || !is_consistent(reservations)) return std::nullopt;
  return reservations;
}

}  // namespace lunar::scsi

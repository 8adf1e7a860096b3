// PERSISTENT RESERVE commands of a testing::Initiator.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "scsi/spec/opcodes.h"
#include "scsi/spec/reservation.h"
#include "scsi/testing/bench.h"
#include "state/testing/memory_store.h"

namespace lunar::scsi::testing {

constexpr std::uint8_t kSpecIPt = spec::PersistentReserveOutList::kSpecIPt;
constexpr std::uint8_t kAllTgPt = spec::PersistentReserveOutList::kAllTgPt;
constexpr std::uint8_t kAptpl = spec::PersistentReserveOutList::kAptpl;

struct PrOut {
  std::uint64_t key = 0;
  std::uint64_t new_key = 0;  // SERVICE ACTION RESERVATION KEY
  std::uint8_t type = 0;      // with the SCOPE above it
  std::uint8_t flags = 0;
  std::vector<std::byte> tail{};  // behind the 24 bytes
};

inline std::vector<std::uint8_t> pr_out_cdb(spec::ServiceActionCode code, std::uint8_t type,
                                            std::size_t length) {
  return {0x5f,
          static_cast<std::uint8_t>(code),
          type,
          0,
          0,
          0,
          static_cast<std::uint8_t>(length >> 16),
          static_cast<std::uint8_t>(length >> 8),
          static_cast<std::uint8_t>(length),
          0};
}

inline std::unique_ptr<TestCommand> start_pr_out(Initiator& initiator, spec::ServiceActionCode code,
                                                 const PrOut& what) {
  spec::PersistentReserveOutList list;
  list.reservation_key = what.key;
  list.service_action_reservation_key = what.new_key;
  list.flags = what.flags;
  const Bytes head = as_bytes(list);
  std::vector<std::byte> out(head.begin(), head.end());
  out.insert(out.end(), what.tail.begin(), what.tail.end());
  const std::size_t length = out.size();
  return initiator.start(pr_out_cdb(code, what.type, length), std::move(out));
}

inline Outcome pr_out(Initiator& initiator, spec::ServiceActionCode code, const PrOut& what) {
  const auto command = start_pr_out(initiator, code, what);
  return initiator.finish(*command);
}

struct TransportIdText {
  std::uint8_t first;  // TPID FORMAT, PROTOCOL IDENTIFIER
  std::string text;
};

inline std::vector<std::byte> transport_id(const TransportIdText& id) {
  const std::size_t length = std::max<std::size_t>(20, round_up(id.text.size() + 1, 4));
  std::vector<std::byte> bytes(4 + length);
  bytes[0] = std::byte{id.first};
  bytes[2] = static_cast<std::byte>(length >> 8);
  bytes[3] = static_cast<std::byte>(length);
  std::memcpy(bytes.data() + 4, id.text.data(), id.text.size());
  return bytes;
}

// With the length before them, as SPEC_I_PT wants.
inline std::vector<std::byte> transport_id_list(const std::vector<TransportIdText>& ids) {
  std::vector<std::byte> list(4);
  for (const TransportIdText& id : ids) {
    const auto bytes = transport_id(id);
    list.insert(list.end(), bytes.begin(), bytes.end());
  }
  const be32 length = static_cast<std::uint32_t>(list.size() - 4);
  std::memcpy(list.data(), length.raw.data(), 4);
  return list;
}

// REGISTER AND MOVE
inline Outcome move(Initiator& initiator, std::uint64_t key, std::uint64_t new_key,
                    const std::string& to, std::uint16_t port = 1, bool unregister = false) {
  const std::vector<std::byte> id = transport_id({0x45, to});
  spec::RegisterAndMoveList list;
  list.reservation_key = key;
  list.service_action_reservation_key = new_key;
  if (unregister) list.flags = list.kUnreg;
  list.relative_target_port_identifier = port;
  list.transport_id_length = static_cast<std::uint32_t>(id.size());
  const Bytes head = as_bytes(list);
  std::vector<std::byte> out(head.begin(), head.end());
  out.insert(out.end(), id.begin(), id.end());
  const std::size_t length = out.size();
  return initiator.run(pr_out_cdb(spec::service_action::register_and_move, 0, length),
                       std::move(out));
}

inline Outcome pr_in(Initiator& initiator, spec::ServiceActionCode code,
                     std::uint16_t length = 0xffff) {
  return initiator.run({0x5e, static_cast<std::uint8_t>(code), 0, 0, 0, 0, 0,
                        static_cast<std::uint8_t>(length >> 8), static_cast<std::uint8_t>(length),
                        0});
}

inline std::uint64_t big_endian(const std::vector<std::uint8_t>& data, std::size_t at,
                                std::size_t bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = at; i < at + bytes; ++i) value = (value << 8) | data.at(i);
  return value;
}

inline std::vector<std::uint64_t> read_keys(Initiator& initiator) {
  const Outcome outcome = pr_in(initiator, spec::service_action::read_keys);
  assert(outcome.is_good());
  std::vector<std::uint64_t> keys;
  for (std::size_t at = 8; at < outcome.data.size(); at += 8)
    keys.push_back(big_endian(outcome.data, at, 8));
  return keys;
}

inline std::uint64_t generation_of(Initiator& initiator) {
  return big_endian(pr_in(initiator, spec::service_action::read_keys).data, 0, 4);
}

// Key and type; nothing: there is none.
inline std::optional<std::pair<std::uint64_t, int>> reservation_of(Initiator& initiator) {
  const Outcome outcome = pr_in(initiator, spec::service_action::read_reservation);
  if (outcome.data.size() < 24) return std::nullopt;
  return std::pair(big_endian(outcome.data, 8, 8), int{outcome.data[21]});
}

// INVALID FIELD IN PARAMETER LIST that points there.
inline bool is_list_field(const Outcome& outcome, std::uint16_t byte) {
  const auto* pointer = std::get_if<spec::FieldPointer>(&outcome.sense.specific);
  return outcome.is_illegal(spec::AdditionalSense::invalid_field_in_parameter_list) &&
         pointer != nullptr && pointer->byte == byte && !pointer->in_cdb;
}

}  // namespace lunar::scsi::testing

#include "lunar/uuid.h"

#include <fmt/format.h>

namespace lunar {
namespace {

void stamp(Uuid& uuid, std::uint8_t version) {
  uuid.bytes[6] = static_cast<std::uint8_t>((uuid.bytes[6] & 0x0f) | (version << 4));
  uuid.bytes[8] =
      static_cast<std::uint8_t>((uuid.bytes[8] & 0x3f) | 0x80);  // RFC 9562 §4.1 variant
}

// FNV-1a with a final mix. Two of them, with different seeds, fill a UUID. Not for secrets.
std::uint64_t hash_name(std::string_view name, std::uint64_t seed) {
  std::uint64_t h = 0xcbf29ce484222325ULL ^ seed;
  for (const char c : name) {
    h = (h ^ static_cast<std::uint8_t>(c)) * 0x100000001b3ULL;
  }
  h ^= h >> 33;
  h *= 0xff51afd7ed558ccdULL;
  h ^= h >> 33;
  h *= 0xc4ceb9fe1a85ec53ULL;
  return h ^ (h >> 33);
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

Uuid Uuid::from_random(std::span<const std::uint8_t, 16> random) {
  Uuid uuid;
  for (std::size_t i = 0; i < 16; ++i) uuid.bytes[i] = random[i];
  stamp(uuid, 4);
  return uuid;
}

Uuid Uuid::from_name(std::string_view name) {
  Uuid uuid;
  const std::uint64_t halves[2] = {hash_name(name, 0), hash_name(name, 0x9e3779b97f4a7c15ULL)};
  for (std::size_t i = 0; i < 16; ++i) {
    uuid.bytes[i] = static_cast<std::uint8_t>(halves[i / 8] >> (8 * (i % 8)));
  }
  stamp(uuid, 8);
  return uuid;
}

Result<Uuid> Uuid::parse(std::string_view text) {
  const auto bad = [&] {
    return fail(ErrorCode::invalid_argument,
                fmt::format("'{}' is not a UUID (xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx)", text));
  };
  if (text.size() != 36) return bad();
  Uuid uuid;
  std::size_t digit = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (text[i] != '-') return bad();
      continue;
    }
    const int value = hex_value(text[i]);
    if (value < 0) return bad();
    auto& byte = uuid.bytes[digit / 2];
    byte = static_cast<std::uint8_t>((byte << 4) | value);
    ++digit;
  }
  return uuid;
}

std::string Uuid::to_string() const {
  const auto& b = bytes;
  return fmt::format(
      "{:02x}{:02x}{:02x}{:02x}-{:02x}{:02x}-{:02x}{:02x}-{:02x}{:02x}-{:02x}{:02x}{:02x}{:02x}{:"
      "02x}{:02x}",
      b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
      b[15]);
}

}  // namespace lunar

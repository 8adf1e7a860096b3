// Literal bytes for the tests of this folder: hex("28 00 ff").
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace lunar::scsi::spec {

inline std::vector<std::byte> hex(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::vector<std::byte> bytes;
  std::size_t digits = 0;
  for (const char c : text) {
    const std::size_t value = kDigits.find(c);
    if (value == std::string_view::npos) continue;
    if (digits++ % 2 == 0) bytes.emplace_back();
    bytes.back() = static_cast<std::byte>((static_cast<std::size_t>(bytes.back()) << 4) | value);
  }
  return bytes;
}

inline std::string to_hex(Bytes bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::byte b : bytes) {
    if (!text.empty()) text += ' ';
    text += kDigits[static_cast<std::size_t>(b) >> 4];
    text += kDigits[static_cast<std::size_t>(b) & 15];
  }
  return text;
}

}  // namespace lunar::scsi::spec

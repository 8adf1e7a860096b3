// Reads a fuzzer's input forward. Gives zeroes behind its end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lunar::testing {

class FuzzInput {
 public:
  FuzzInput(const std::uint8_t* data, std::size_t size) : rest_(data, size) {}

  [[nodiscard]] bool empty() const { return rest_.empty(); }
  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const std::uint8_t value = rest_.front();
    rest_ = rest_.subspan(1);
    return value;
  }
  std::uint32_t word() {
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i) value = value << 8 | byte();
    return value;
  }
  // As std::byte or std::uint8_t.
  template <class Byte>
  std::vector<Byte> bytes(std::size_t count) {
    std::vector<Byte> all(count);
    for (Byte& each : all) each = Byte{byte()};
    return all;
  }

 private:
  std::span<const std::uint8_t> rest_;
};

}  // namespace lunar::testing

// Integers in a fixed byte order, for wire structs. They have alignment 1 and no padding, so a
// struct of them has exactly the layout of the specification's table.
#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace lunar {

// An unsigned integer stored in `Bytes` bytes. value() reads it, assignment sets it.
template <class T, std::size_t Bytes, std::endian Order>
struct WireInteger {
  static_assert(std::is_unsigned_v<T> && Bytes <= sizeof(T));
  std::array<std::uint8_t, Bytes> raw{};

  constexpr WireInteger() = default;
  constexpr WireInteger(T v) { *this = v; }  // NOLINT: implicit by design, as the integer it is

  constexpr WireInteger& operator=(T v) {
    if constexpr (kWhole) {
      if (!std::is_constant_evaluated()) {
        const T ordered = Order == std::endian::native ? v : byteswap(v);
        std::memcpy(raw.data(), &ordered, Bytes);
        return *this;
      }
    }
    for (std::size_t i = 0; i < Bytes; ++i) {
      raw[index(i)] = static_cast<std::uint8_t>(v >> (8 * i));
    }
    return *this;
  }

  [[nodiscard]] constexpr T value() const {
    if constexpr (kWhole) {
      if (!std::is_constant_evaluated()) {
        T v;
        std::memcpy(&v, raw.data(), Bytes);
        return Order == std::endian::native ? v : byteswap(v);
      }
    }
    T v = 0;
    for (std::size_t i = 0; i < Bytes; ++i)
      v = static_cast<T>(v | (static_cast<T>(raw[index(i)]) << (8 * i)));
    return v;
  }
  constexpr operator T() const { return value(); }  // NOLINT

 private:
  // One load or store of the whole integer. Compilers find this by themselves only for loads.
  static constexpr bool kWhole = Bytes == sizeof(T) && Bytes > 1;

  static constexpr T byteswap(T v) {
    if constexpr (sizeof(T) == 2) return __builtin_bswap16(v);
    if constexpr (sizeof(T) == 4) return __builtin_bswap32(v);
    if constexpr (sizeof(T) == 8) return __builtin_bswap64(v);
  }
  // Position of the i-th least significant byte.
  static constexpr std::size_t index(std::size_t i) {
    return Order == std::endian::little ? i : Bytes - 1 - i;
  }
};

using be16 = WireInteger<std::uint16_t, 2, std::endian::big>;
using be24 = WireInteger<std::uint32_t, 3, std::endian::big>;
using be32 = WireInteger<std::uint32_t, 4, std::endian::big>;
using be48 = WireInteger<std::uint64_t, 6, std::endian::big>;
using be64 = WireInteger<std::uint64_t, 8, std::endian::big>;
using le16 = WireInteger<std::uint16_t, 2, std::endian::little>;
using le32 = WireInteger<std::uint32_t, 4, std::endian::little>;
using le64 = WireInteger<std::uint64_t, 8, std::endian::little>;

static_assert(sizeof(be24) == 3 && alignof(be24) == 1);
static_assert(sizeof(be64) == 8 && alignof(be64) == 1);

}  // namespace lunar

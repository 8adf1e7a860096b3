// Bounds-checked reading and writing of bytes, for data from outside.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

namespace lunar {

using Bytes = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

// A struct that describes bytes on the wire: alignment 1, and any bytes are a valid value. Arrays
// are excluded, because a string literal is text and goes without its terminator.
template <class T>
concept WireStruct = std::is_trivially_copyable_v<T> && alignof(T) == 1 && !std::is_array_v<T>;

template <WireStruct T>
[[nodiscard]] Bytes as_bytes(const T& value) {
  return {reinterpret_cast<const std::byte*>(&value), sizeof(T)};
}

[[nodiscard]] inline Bytes as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

[[nodiscard]] inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The first sizeof(T) bytes as a T. Nothing if there are fewer.
template <WireStruct T>
[[nodiscard]] std::optional<T> load(Bytes bytes) {
  if (bytes.size() < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data(), sizeof(T));
  return value;
}

[[nodiscard]] constexpr bool is_power_of_two(std::uint64_t v) {
  return v != 0 && (v & (v - 1)) == 0;
}
[[nodiscard]] constexpr std::uint64_t round_up(std::uint64_t v, std::uint64_t alignment) {
  return (v + alignment - 1) / alignment * alignment;
}
// Whether [offset, offset + length) lies in [0, size), without overflow.
[[nodiscard]] constexpr bool range_fits(std::uint64_t offset, std::uint64_t length,
                                        std::uint64_t size) {
  return length <= size && offset <= size - length;
}

// Reads forward. A read that asks for more than is left returns nothing and consumes nothing.
class ByteReader {
 public:
  explicit ByteReader(Bytes bytes) : rest_(bytes) {}

  template <WireStruct T>
  [[nodiscard]] std::optional<T> read() {
    auto value = load<T>(rest_);
    if (value) rest_ = rest_.subspan(sizeof(T));
    return value;
  }
  [[nodiscard]] std::optional<Bytes> read_bytes(std::size_t count) {
    if (rest_.size() < count) return std::nullopt;
    const Bytes head = rest_.first(count);
    rest_ = rest_.subspan(count);
    return head;
  }
  [[nodiscard]] std::size_t remaining() const { return rest_.size(); }
  [[nodiscard]] Bytes rest() const { return rest_; }

 private:
  Bytes rest_;
};

// Writes forward into a fixed buffer. Bytes that do not fit are dropped but counted, as an
// ALLOCATION LENGTH requires (SPC-5 §4.2.5.6): written() is the full length, stored() the part
// kept.
class ByteWriter {
 public:
  explicit ByteWriter(MutableBytes out) : out_(out) {}

  template <WireStruct T>
  void write(const T& value) {
    write_bytes(as_bytes(value));
  }
  void write_u8(std::uint8_t value) {
    write_bytes({reinterpret_cast<const std::byte*>(&value), 1});
  }
  void write_text(std::string_view text) { write_bytes(as_bytes(text)); }
  void write_bytes(Bytes bytes) {
    if (written_ < out_.size()) {
      const std::size_t count = std::min(bytes.size(), out_.size() - written_);
      if (count != 0) std::memcpy(out_.data() + written_, bytes.data(), count);
    }
    written_ += bytes.size();
  }
  // Left-justified text padded with `pad` to `width`; longer text is cut.
  void write_padded(std::string_view text, std::size_t width, char pad = ' ') {
    write_text(text.substr(0, width));
    for (std::size_t i = text.size(); i < width; ++i) write_u8(static_cast<std::uint8_t>(pad));
  }
  void write_zeroes(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) write_u8(0);
  }

  [[nodiscard]] std::size_t written() const { return written_; }
  [[nodiscard]] std::size_t stored() const { return std::min(written_, out_.size()); }
  [[nodiscard]] Bytes bytes() const { return out_.first(stored()); }

 private:
  MutableBytes out_;
  std::size_t written_ = 0;
};

}  // namespace lunar

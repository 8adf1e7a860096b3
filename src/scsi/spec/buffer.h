// READ BUFFER and WRITE BUFFER (SPC-5 §6.24, §6.25, §6.49).
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/endian.h"

namespace lunar::scsi::spec {

// MODE: the values for a device without downloadable microcode.
enum class BufferMode : std::uint8_t {
  data = 0x02,
  descriptor = 0x03,
  echo = 0x0a,
  echo_descriptor = 0x0b,
};
constexpr std::uint8_t kBufferModeMask = 0x1f;

// READ BUFFER (10) and WRITE BUFFER. The length is ALLOCATION LENGTH or PARAMETER LIST LENGTH.
struct BufferCdb10 {
  std::uint8_t operation_code = 0;
  std::uint8_t mode = 0;  // MODE SPECIFIC, MODE
  std::uint8_t buffer_id = 0;
  be24 buffer_offset_bytes;
  be24 length_bytes;
  std::uint8_t control = 0;
};
static_assert(sizeof(BufferCdb10) == 10);
static_assert(offsetof(BufferCdb10, buffer_offset_bytes) == 3);
static_assert(offsetof(BufferCdb10, length_bytes) == 6);

// READ BUFFER (16)
struct BufferCdb16 {
  std::uint8_t operation_code = 0;
  std::uint8_t mode = 0;
  be64 buffer_offset_bytes;
  be32 length_bytes;
  std::uint8_t buffer_id = 0;
  std::uint8_t control = 0;
};
static_assert(sizeof(BufferCdb16) == 16);
static_assert(offsetof(BufferCdb16, buffer_offset_bytes) == 2);
static_assert(offsetof(BufferCdb16, length_bytes) == 10);
static_assert(offsetof(BufferCdb16, buffer_id) == 14);

// Mode 03h
struct BufferDescriptor {
  std::uint8_t offset_boundary = 0;  // offsets are multiples of 2 to this power
  be24 buffer_capacity_bytes;
};
static_assert(sizeof(BufferDescriptor) == 4);

// Mode 0Bh
struct EchoBufferDescriptor {
  std::uint8_t flags = 0;
  std::uint8_t reserved = 0;
  be16 buffer_capacity_bytes;  // 13 bits

  // A nexus reads what it has written, or is told that another has overwritten it.
  static constexpr std::uint8_t kEbos = 0x01;
};
static_assert(sizeof(EchoBufferDescriptor) == 4);
static_assert(offsetof(EchoBufferDescriptor, buffer_capacity_bytes) == 2);

}  // namespace lunar::scsi::spec

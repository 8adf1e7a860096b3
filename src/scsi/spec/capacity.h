// READ CAPACITY parameter data (SBC-4).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/endian.h"

namespace lunar::scsi::spec {

struct ReadCapacity10Data {
  be32 returned_logical_block_address;  // of the last block; kCapacityTooLarge: use READ CAPACITY
                                        // (16)
  be32 logical_block_length_bytes;
};
static_assert(sizeof(ReadCapacity10Data) == 8);
static_assert(offsetof(ReadCapacity10Data, logical_block_length_bytes) == 4);

constexpr std::uint32_t kCapacityTooLarge = 0xffffffff;

struct ReadCapacity16Data {
  be64 returned_logical_block_address;  // of the last block
  be32 logical_block_length_bytes;
  std::uint8_t protection = 0;  // RC_BASIS, P_TYPE, PROT_EN
  std::uint8_t exponents = 0;   // P_I_EXPONENT, LOGICAL BLOCKS PER PHYSICAL BLOCK EXPONENT
  // LBPME, LBPRZ and LOWEST ALIGNED LOGICAL BLOCK ADDRESS (14 bits)
  be16 provisioning_and_alignment;
  std::array<std::uint8_t, 16> reserved{};

  static constexpr std::uint8_t kProtEn = 0x01;
  static constexpr unsigned kPTypeShift = 1;  // P_TYPE is the protection type minus one
  static constexpr std::uint8_t kExponentMask = 0x0f;
  static constexpr std::uint16_t kLbpme = 0x8000;  // VPD page B2h has LBPU, LBPWS or LBPWS10
  static constexpr std::uint16_t kLbprz = 0x4000;  // unmapped blocks read as zeroes
  static constexpr std::uint16_t kLowestAlignedMask = 0x3fff;
};
static_assert(sizeof(ReadCapacity16Data) == 32);
static_assert(offsetof(ReadCapacity16Data, logical_block_length_bytes) == 8);
static_assert(offsetof(ReadCapacity16Data, protection) == 12);
static_assert(offsetof(ReadCapacity16Data, exponents) == 13);
static_assert(offsetof(ReadCapacity16Data, provisioning_and_alignment) == 14);

}  // namespace lunar::scsi::spec

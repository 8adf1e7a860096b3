// Protection information (SBC-4 §4.21): eight bytes per logical block.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/endian.h"

namespace lunar::scsi::spec {

struct ProtectionInformation {
  be16 guard;            // LOGICAL BLOCK GUARD: CRC of the user data
  be16 application_tag;  // LOGICAL BLOCK APPLICATION TAG
  be32 reference_tag;    // LOGICAL BLOCK REFERENCE TAG
};
static_assert(sizeof(ProtectionInformation) == 8);
static_assert(offsetof(ProtectionInformation, application_tag) == 2);
static_assert(offsetof(ProtectionInformation, reference_tag) == 4);

constexpr std::size_t kProtectionBytes = sizeof(ProtectionInformation);
constexpr std::uint16_t kNoApplicationTag = 0xffff;    // these two disable checks
constexpr std::uint32_t kNoReferenceTag = 0xffffffff;  // (SBC-4 §4.21.3)

// Protection type of a formatted logical unit (SBC-4 §4.21.2).
enum class ProtectionType : std::uint8_t {
  none,    // type 0
  type_1,  // the reference tag is the low half of the LBA
  type_2,  // the command (of 32 bytes) gives the reference tag of the first block
  type_3,  // the application client owns the reference tag
};

// Largest value of RDPROTECT, WRPROTECT, VRPROTECT and ORPROTECT. Larger ones are reserved.
constexpr std::uint8_t kMaxProtectField = 5;

}  // namespace lunar::scsi::spec

// Protection information (SBC-4 §4.21): eight bytes that go with each logical block.
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
constexpr std::uint16_t kNoApplicationTag = 0xffff;    // these two turn checks off
constexpr std::uint32_t kNoReferenceTag = 0xffffffff;  // (SBC-4 §4.21.3)

// What a logical unit is formatted to (SBC-4 §4.21.2).
enum class ProtectionType : std::uint8_t {
  none,    // type 0
  type_1,  // the reference tag is the low half of the LBA
  type_2,  // the reference tag of the first block comes with the command, which has 32 bytes
  type_3,  // the reference tag is the application client's
};

// The values of RDPROTECT, WRPROTECT, VRPROTECT and ORPROTECT; those above are reserved.
constexpr std::uint8_t kMaxProtectField = 5;

}  // namespace lunar::scsi::spec

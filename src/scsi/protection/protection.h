// What protection information says of a block: how it is made, and what of it is checked (SBC-4
// §4.21 and the tables of RDPROTECT, WRPROTECT, VRPROTECT and ORPROTECT). Nothing here touches the
// medium; protected_medium.h does.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "lunar/types.h"
#include "scsi/spec/additional_sense.h"
#include "scsi/spec/protection.h"

namespace lunar::scsi {

struct Command;

struct ProtectionChecks {
  bool guard = false;
  bool application_tag = false;
  bool reference_tag = false;
};

// For `protect` up to kMaxProtectField. 000b transfers no protection information; what is on the
// medium is checked nevertheless.
[[nodiscard]] constexpr ProtectionChecks checks_of(std::uint8_t protect) {
  switch (protect) {
    case 0:
    case 1:
    case 5: return {true, true, true};
    case 2: return {false, true, true};
    case 4: return {true, false, false};
    default: return {};  // 011b
  }
}

// Of one command, whose blocks are counted from its first.
struct ProtectionRules {
  spec::ProtectionType type = spec::ProtectionType::none;
  // ATO: the application tags are the application client's.
  bool application_tag_owned = false;
  ProtectionChecks checks;
  // What the first block must have, where that is known; each further block has one more.
  std::optional<std::uint32_t> reference_tag;
  // The bits of the mask are compared.
  std::uint16_t application_tag = 0;
  std::uint16_t application_tag_mask = 0;

  // Of a block that came without (SBC-4, WRPROTECT 000b).
  [[nodiscard]] spec::ProtectionInformation generate(Bytes block, Lba lba) const;
  // The additional sense code of the check that fails first.
  [[nodiscard]] std::optional<spec::AdditionalSense> check(
      Bytes block, const spec::ProtectionInformation& information, std::uint64_t index) const;
  // What a block of the medium says of itself turns all checks off (SBC-4 §4.21.3).
  [[nodiscard]] bool is_unchecked(const spec::ProtectionInformation& information) const;
  [[nodiscard]] std::optional<spec::AdditionalSense> check_medium(
      Bytes block, const spec::ProtectionInformation& information, std::uint64_t index) const {
    if (is_unchecked(information)) return std::nullopt;
    return check(block, information, index);
  }
};

// The field of the CDB: RDPROTECT, WRPROTECT, VRPROTECT, ORPROTECT. READ (6), WRITE (6): zero.
[[nodiscard]] std::uint8_t protect_field_of(const Command& command);
// For what is transferred with the data, and for a medium that is read to be transferred.
[[nodiscard]] ProtectionRules protection_rules_of(const Command& command);

// The comparison of a VERIFY with BYTCHK 01b or 11b (SBC-4, VRPROTECT): the additional sense code
// of the first field that differs.
[[nodiscard]] std::optional<spec::AdditionalSense> compare_protection(
    const ProtectionRules& rules, std::uint8_t protect, const spec::ProtectionInformation& given,
    const spec::ProtectionInformation& on_medium);

// SBC-4, WRITE SAME: what block `index` gets when one block came for all.
[[nodiscard]] spec::ProtectionInformation repeated(spec::ProtectionType type,
                                                   spec::ProtectionInformation first,
                                                   std::uint64_t index);

}  // namespace lunar::scsi

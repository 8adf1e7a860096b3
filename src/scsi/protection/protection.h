// Protection information of a block: how it is generated and checked (SBC-4 §4.21 and the tables of
// RDPROTECT, WRPROTECT, VRPROTECT and ORPROTECT). Pure computation; core/protection_area.h accesses
// the medium.
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

// `protect`: up to kMaxProtectField. 000b transfers no protection information, but that on the
// medium is still checked.
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

// Rules of one command. Its blocks are counted from its first.
struct ProtectionRules {
  spec::ProtectionType type = spec::ProtectionType::none;
  // The ATO bit: the application tags belong to the application client.
  bool application_tag_owned = false;
  ProtectionChecks checks;
  // Tag of the first block, where known. Each following block's tag is one higher.
  std::optional<std::uint32_t> reference_tag;
  // Only the bits in the mask are compared.
  std::uint16_t application_tag = 0;
  std::uint16_t application_tag_mask = 0;

  // Information for a block that was transferred without (SBC-4, WRPROTECT 000b).
  [[nodiscard]] spec::ProtectionInformation generate(Bytes block, Lba lba) const;
  // Additional sense code of the first check that fails.
  [[nodiscard]] std::optional<spec::AdditionalSense> check(
      Bytes block, const spec::ProtectionInformation& information, std::uint64_t index) const;
  // Whether information on the medium disables all checks of its block (SBC-4 §4.21.3).
  [[nodiscard]] bool is_unchecked(const spec::ProtectionInformation& information) const;
  [[nodiscard]] std::optional<spec::AdditionalSense> check_medium(
      Bytes block, const spec::ProtectionInformation& information, std::uint64_t index) const {
    if (is_unchecked(information)) return std::nullopt;
    return check(block, information, index);
  }
};

// RDPROTECT, WRPROTECT, VRPROTECT or ORPROTECT of the CDB. Zero for READ (6) and WRITE (6).
[[nodiscard]] std::uint8_t protect_field_of(const Command& command);
// Rules for transferred data, and for data read from the medium to be transferred.
[[nodiscard]] ProtectionRules protection_rules_of(const Command& command);

// Comparison of a VERIFY with BYTCHK 01b or 11b (SBC-4, VRPROTECT). Gives the additional sense code
// of the first field that differs.
[[nodiscard]] std::optional<spec::AdditionalSense> compare_protection(
    const ProtectionRules& rules, std::uint8_t protect, const spec::ProtectionInformation& given,
    const spec::ProtectionInformation& on_medium);

// Information of block `index` when WRITE SAME repeats one block (SBC-4).
[[nodiscard]] spec::ProtectionInformation repeated(spec::ProtectionType type,
                                                   spec::ProtectionInformation first,
                                                   std::uint64_t index);

}  // namespace lunar::scsi

#include "scsi/protection/protection.h"

#include "base/crc16.h"
#include "scsi/core/command_description.h"
#include "scsi/core/completion.h"
#include "scsi/core/logical_unit.h"

namespace lunar::scsi {

using spec::AdditionalSense;
using spec::ProtectionInformation;
using spec::ProtectionType;

ProtectionInformation ProtectionRules::generate(Bytes block, Lba lba) const {
  ProtectionInformation made;
  made.guard = crc16_t10dif(block);
  made.reference_tag = type == ProtectionType::type_1 ? static_cast<std::uint32_t>(lba.value)
                                                      : spec::kNoReferenceTag;
  // FFFFh if the application client owns the tags, otherwise any value. Zero keeps the block's
  // checks enabled. With type 2 that would check a reference tag that nobody has set.
  const bool unchecked = application_tag_owned || type == ProtectionType::type_2;
  made.application_tag = unchecked ? spec::kNoApplicationTag : std::uint16_t{0};
  return made;
}

std::optional<AdditionalSense> ProtectionRules::check(Bytes block,
                                                      const ProtectionInformation& information,
                                                      std::uint64_t index) const {
  if (checks.guard && information.guard != crc16_t10dif(block))
    return AdditionalSense::logical_block_guard_check_failed;
  if (checks.application_tag &&
      ((information.application_tag ^ application_tag) & application_tag_mask) != 0) {
    return AdditionalSense::logical_block_application_tag_check_failed;
  }
  if (checks.reference_tag && reference_tag &&
      information.reference_tag != static_cast<std::uint32_t>(*reference_tag + index)) {
    return AdditionalSense::logical_block_reference_tag_check_failed;
  }
  return std::nullopt;
}

bool ProtectionRules::is_unchecked(const ProtectionInformation& information) const {
  if (information.application_tag != spec::kNoApplicationTag) return false;
  return type != ProtectionType::type_3 || information.reference_tag == spec::kNoReferenceTag;
}

std::uint8_t protect_field_of(const Command& command) {
  const spec::Cdb cdb = cdb_of(command);
  if (cdb.size() == sizeof(spec::BlockCdb6)) return 0;
  const std::size_t flags = cdb.size() == sizeof(spec::BlockCdb32)
                                ? offsetof(spec::BlockCdb32, flags)
                                : offsetof(spec::BlockCdb10, flags);
  return spec::BlockFlags{cdb.byte(flags)}.protect();
}

ProtectionRules protection_rules_of(const Command& command) {
  const UnitState& state = command.unit->state();
  const std::uint8_t protect = protect_field_of(command);
  ProtectionRules rules;
  rules.type = state.protection;
  rules.application_tag_owned = state.mode.application_tag_owned();
  // DPICZ: without a protection field in the CDB that says otherwise, nothing is checked (SPC-5
  // §7.5.11).
  const bool unchecked = protect == 0 && state.mode.protection_check_disabled();
  if (!unchecked) rules.checks = checks_of(protect);
  const spec::Cdb cdb = cdb_of(command);
  if (rules.type == ProtectionType::type_1) {
    const std::uint64_t lba = command.description->opcode == spec::Opcode::compare_and_write
                                  ? spec::decode_compare_and_write(cdb).lba.value
                                  : spec::decode_block_command(cdb).lba.value;
    rules.reference_tag = static_cast<std::uint32_t>(lba);
  } else if (rules.type == ProtectionType::type_2 && cdb.size() == sizeof(spec::BlockCdb32)) {
    const auto wire = cdb.as<spec::BlockCdb32>();
    rules.reference_tag = wire.expected_initial_logical_block_reference_tag;
    if (rules.application_tag_owned) {
      rules.application_tag = wire.expected_logical_block_application_tag;
      rules.application_tag_mask = wire.logical_block_application_tag_mask;
    }
  }
  return rules;
}

std::optional<AdditionalSense> compare_protection(const ProtectionRules& rules,
                                                  std::uint8_t protect,
                                                  const ProtectionInformation& given,
                                                  const ProtectionInformation& on_medium) {
  constexpr std::uint8_t kNoGuard = 2;
  constexpr std::uint8_t kEveryReferenceTag = 5;
  if (protect != kNoGuard && given.guard != on_medium.guard)
    return AdditionalSense::logical_block_guard_check_failed;
  if (rules.application_tag_owned && given.application_tag != on_medium.application_tag)
    return AdditionalSense::logical_block_application_tag_check_failed;
  const bool reference_tags = rules.type != ProtectionType::type_3 ||
                              !rules.application_tag_owned || protect == kEveryReferenceTag;
  if (reference_tags && given.reference_tag != on_medium.reference_tag)
    return AdditionalSense::logical_block_reference_tag_check_failed;
  return std::nullopt;
}

ProtectionInformation repeated(ProtectionType type, ProtectionInformation first,
                               std::uint64_t index) {
  if (type != ProtectionType::type_3)
    first.reference_tag = static_cast<std::uint32_t>(first.reference_tag + index);
  return first;
}

}  // namespace lunar::scsi

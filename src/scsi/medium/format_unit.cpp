// FORMAT UNIT (SBC-4 §5.4). The medium has no format of its own; the command fills all blocks with
// zeroes or with the initialization pattern.
#include <algorithm>
#include <optional>

#include "base/bytes.h"
#include "scsi/core/completion.h"
#include "scsi/core/logical_unit.h"
#include "scsi/medium/condition_commands.h"
#include "scsi/medium/run_medium_operation.h"
#include "scsi/spec/format.h"

namespace lunar::scsi {
namespace {

using spec::AdditionalSense;
using spec::FormatUnitCdb;
using spec::InitializationPatternDescriptor;
using spec::Sense;

// The longest useful list: a header and a pattern of one block.
constexpr std::uint32_t kMaxFormatListBytes =
    sizeof(spec::FormatLongHeader) + sizeof(InitializationPatternDescriptor) + 64 * kKiB;

struct Wanted {
  MediumOperationPlan plan;
  bool immed = false;
};

bool refuse_length(Command& command) {
  return refuse(command, Sense::illegal_request(AdditionalSense::parameter_list_length_error));
}

bool read_pattern(Command& command, ByteReader& list, MediumOperationPlan& plan) {
  const auto at = static_cast<std::uint16_t>(command.data_out.size() - list.remaining());
  const auto descriptor = list.read<InitializationPatternDescriptor>();
  if (!descriptor) return refuse_length(command);
  if (descriptor->modifier != 0) return refuse(command, Sense::invalid_field_in_parameter_list(at));
  const std::size_t length = descriptor->pattern_length_bytes;
  const bool repeats = descriptor->pattern_type == descriptor->kRepeatPattern;
  if (descriptor->pattern_type > descriptor->kRepeatPattern) {
    return refuse(command,
                  Sense::invalid_field_in_parameter_list(static_cast<std::uint16_t>(at + 1)));
  }
  if (repeats != (length != 0) || length > command.unit->unit().block_size()) {
    return refuse(command,
                  Sense::invalid_field_in_parameter_list(static_cast<std::uint16_t>(at + 2)));
  }
  const auto pattern = list.read_bytes(length);
  if (!pattern) return refuse_length(command);
  plan.pattern.assign(pattern->begin(), pattern->end());
  return true;
}

// SBC-4, FMTPINFO field and PROTECTION FIELD USAGE field: protection types that a unit with all
// types can be formatted to. `usage`: zero without a list.
bool read_protection(Command& command, std::uint8_t usage, MediumOperationPlan& plan) {
  constexpr std::uint8_t kMostSignificantBit = 2;
  using spec::ProtectionType;
  if (command.unit->unit().has_protection_room()) {
    switch (cdb_of(command).as<FormatUnitCdb>().fmtpinfo()) {
      case 0: plan.protection = ProtectionType::none; break;
      case 2: plan.protection = ProtectionType::type_1; break;
      case 3:
        plan.protection = usage == 1 ? ProtectionType::type_3 : ProtectionType::type_2;
        if (usage == 1) return true;
        break;
      default: break;  // refused by decode_format_unit
    }
  }
  return usage == 0 ||
         refuse(command, Sense::invalid_field_in_parameter_list(0, kMostSignificantBit));
}

// SBC-4 table 41: a header, an initialization pattern when IP is set, a defect list.
bool read_list(Command& command, Wanted& wanted) {
  ByteReader list(command.data_out);
  std::uint8_t protection = 0;
  std::uint8_t flags = 0;
  std::uint32_t defects_bytes = 0;
  std::uint16_t defects_field = 2;
  if (cdb_of(command).as<FormatUnitCdb>().long_list()) {
    const auto header = list.read<spec::FormatLongHeader>();
    if (!header) return refuse_length(command);
    if (header->protection_interval != 0)
      return refuse(command, Sense::invalid_field_in_parameter_list(3));
    protection = header->protection_field_usage;
    flags = header->flags;
    defects_bytes = header->defect_list_length_bytes;
    defects_field = 4;
  } else {
    const auto header = list.read<spec::FormatShortHeader>();
    if (!header) return refuse_length(command);
    protection = header->protection_field_usage;
    flags = header->flags;
    defects_bytes = header->defect_list_length_bytes;
  }
  if (!read_protection(command, protection, wanted.plan)) return false;
  if ((flags & spec::kFormatFov) == 0 && (flags & spec::kFormatOptions) != 0)
    return refuse(command, Sense::invalid_field_in_parameter_list(1));
  // Only the medium itself could relocate blocks, so defect lists cannot be applied.
  if (defects_bytes != 0)
    return refuse(command, Sense::invalid_field_in_parameter_list(defects_field));
  wanted.immed = (flags & spec::kFormatImmed) != 0;
  return (flags & spec::kFormatIp) == 0 || read_pattern(command, list, wanted.plan);
}

engine::Task<void> format(Command& command) {
  Wanted wanted;
  wanted.plan.kind = MediumOperation::format;
  const bool has_list = cdb_of(command).as<FormatUnitCdb>().format_data();
  const bool understood =
      has_list ? read_list(command, wanted) : read_protection(command, 0, wanted.plan);
  if (!understood) co_return;
  const auto progress = co_await run_medium_operation(command, std::move(wanted.plan));
  if (progress != nullptr && !wanted.immed) co_await await_medium_operation(command, progress);
}

}  // namespace

bool decode_format_unit(Command& command) {
  constexpr std::uint8_t kReservedFmtpInfo = 1;
  constexpr std::uint8_t kMostSignificantBit = 7;
  const auto cdb = cdb_of(command).as<FormatUnitCdb>();
  if (cdb.fmtpinfo() == kReservedFmtpInfo) {
    return refuse(command,
                  Sense::invalid_field_in_cdb(offsetof(FormatUnitCdb, flags), kMostSignificantBit));
  }
  if (!cdb.format_data()) {
    command.direction = DataDirection::none;
    // SBC-4 §5.4.1: the other bits of the byte describe a list, and there is none.
    if ((cdb.flags & ~cdb.kFmtpInfoMask) == 0) return true;
    return refuse(command, Sense::invalid_field_in_cdb(offsetof(FormatUnitCdb, flags), 4));
  }
  // The CDB has no length: the list has as many bytes as the initiator sends.
  command.data_out_bytes = std::min(command.expected_out_bytes, kMaxFormatListBytes);
  return true;
}

void execute_format_unit(Command& command) { run_sequence(command, format); }

}  // namespace lunar::scsi

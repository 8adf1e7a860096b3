#include "scsi/target/command_table.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <functional>

#include "scsi/blocks/block_rows.h"
#include "scsi/core/completion.h"
#include "scsi/core/logical_unit.h"
#include "scsi/core/nexus.h"
#include "scsi/core/target.h"
#include "scsi/diagnostics/diagnostic_rows.h"
#include "scsi/medium/condition_rows.h"
#include "scsi/modes/mode_rows.h"
#include "scsi/paths/access_rows.h"
#include "scsi/protection/protected_rows.h"
#include "scsi/reports/report_rows.h"
#include "scsi/reservations/reservation_rows.h"
#include "scsi/target/supported_opcodes.h"

namespace lunar::scsi {
namespace {

using spec::Opcode;

// REPORT SUPPORTED OPERATION CODES, which reads this table.
constexpr std::array<CommandDescription, 1> table_rows() {
  using namespace rows;
  return {// clang-format off
      row({Opcode::maintenance_in, action::report_supported_operation_codes, kWithServiceAction | kDuringMediumOperation, kPathUnavailable | kPathInTransition, kIn, kQuick,
         {0, kAction, 0x87, kFull, kFull, kFull, kFull, kFull, kFull, kFull},
         decode_report_supported_operation_codes, execute_report_supported_operation_codes})};
          // clang-format on
}

constexpr bool precedes(const CommandDescription& a, const CommandDescription& b) {
  return a.opcode != b.opcode ? a.opcode < b.opcode : a.service_action < b.service_action;
}

template <std::size_t... counts>
constexpr auto in_order(const std::array<CommandDescription, counts>&... families) {
  std::array<CommandDescription, (counts + ...)> all{};
  auto next = all.begin();
  ((next = std::ranges::copy(families, next).out), ...);
  std::ranges::sort(all, precedes);
  return all;
}
constexpr auto kPlainCommands =
    in_order(kBlockRows, kLongBlockRows, kDiagnosticRows, kConditionRows, kAccessRows, kModeRows,
             kReservationRows, kReportRows, table_rows());

constexpr const ProtectedRow* protected_row_of(const CommandDescription& row) {
  for (const ProtectedRow& special : kProtectedRows) {
    if (special.opcode == row.opcode && special.service_action == row.service_action)
      return &special;
  }
  return nullptr;
}
constexpr auto mark_protected(auto commands) {
  for (CommandDescription& row : commands) {
    if (protected_row_of(row) != nullptr || row.opcode == Opcode::format_unit)
      row.heeds |= kProtectionRoom;
  }
  return commands;
}
constexpr auto kCommands = mark_protected(kPlainCommands);

// The same rows in the same order, for a medium with room for protection information: without any,
// with any, and with type 2, where only 32-byte commands transfer it.
constexpr auto with_room() {
  auto commands = kCommands;
  for (CommandDescription& row : commands) {
    if (row.opcode == Opcode::format_unit) row.usage[1] |= rows::kFmtpInfo;
  }
  return commands;
}
constexpr auto kUnprotectedCommands = with_room();

constexpr auto with_protection(bool type_2) {
  auto commands = kUnprotectedCommands;
  for (CommandDescription& row : commands) {
    const ProtectedRow* special = protected_row_of(row);
    if (special == nullptr) continue;
    row.flags &= static_cast<CommandFlags>(~kPlainWrite);
    row.decode = special->decode;
    row.execute = special->execute;
    if (special->protect_field && !type_2) row.usage[1] |= rows::kProtect;
  }
  return commands;
}
constexpr auto kProtectedCommands = with_protection(false);
constexpr auto kType2Commands = with_protection(true);
static_assert(kCommands.size() < 256);
static_assert(std::ranges::adjacent_find(kCommands, std::not_fn(precedes)) == kCommands.end(),
              "two rows of one command");

// Index of the first row of each operation code, and the number of its rows.
struct Rows {
  std::uint8_t first = 0;
  std::uint8_t count = 0;
};
constexpr std::array<Rows, 256> index_rows() {
  std::array<Rows, 256> index{};
  for (std::size_t i = 0; i < kCommands.size(); ++i) {
    Rows& rows = index[static_cast<std::uint8_t>(kCommands[i].opcode)];
    if (rows.count++ == 0) rows.first = static_cast<std::uint8_t>(i);
  }
  return index;
}
constexpr std::array<Rows, 256> kIndex = index_rows();

spec::ServiceActionCode service_action_of(const std::array<std::uint8_t, kMaxCdbBytes>& cdb) {
  if (static_cast<Opcode>(cdb[0]) == Opcode::variable_length_cdb) {
    return static_cast<spec::ServiceActionCode>((cdb[8] << 8) | cdb[9]);
  }
  return cdb[1] & rows::kAction;
}

}  // namespace

std::span<const CommandDescription> all_commands() { return kCommands; }

std::span<const CommandDescription> commands_of(Opcode opcode) {
  const Rows rows = kIndex[static_cast<std::uint8_t>(opcode)];
  return std::span(kCommands).subspan(rows.first, rows.count);
}

const CommandDescription* find_command(const std::array<std::uint8_t, kMaxCdbBytes>& cdb) {
  const Rows rows = kIndex[cdb[0]];
  if (rows.count == 0) return nullptr;
  const CommandDescription* row = &kCommands[rows.first];
  if (!row->is(kWithServiceAction)) [[likely]]
    return row;
  const spec::ServiceActionCode wanted = service_action_of(cdb);
  for (const CommandDescription* end = row + rows.count; row != end; ++row) {
    if (row->service_action == wanted) return row;
  }
  return nullptr;
}

const CommandDescription* row_for(const CommandDescription* row, const LogicalUnitShard& unit) {
  if (!unit.unit().has_protection_room()) return row;
  const auto index = static_cast<std::size_t>(row - kCommands.data());
  switch (protection_rows_of(unit.state().protection)) {
    case ProtectionRows::without: return &kUnprotectedCommands[index];
    case ProtectionRows::with: return &kProtectedCommands[index];
    case ProtectionRows::type_2: return &kType2Commands[index];
  }
  return row;
}

bool take_row_for_protection(Command& command) {
  const auto index = static_cast<std::size_t>(command.description - kCommands.data());
  command.description = row_for(command.description, *command.unit);
  command.protection_rows = protection_rows_of(command.unit->state().protection);
  const bool type_2 = command.protection_rows == ProtectionRows::type_2;
  const bool has_field = kCommands[index].opcode != Opcode::format_unit &&
                         (kProtectedCommands[index].usage[1] & rows::kProtect) != 0;
  if (type_2 && has_field && (command.cdb[1] & rows::kProtect) != 0) {
    return refuse(command, spec::Sense::illegal_request(
                               spec::AdditionalSense::invalid_command_operation_code));
  }
  return true;
}

bool offers(const Command& command, const CommandDescription& description) {
  const LogicalUnit& unit = command.unit->unit();
  const TargetPorts& ports = command.nexus->ports();
  if (description.is(kNeedsThin) && !unit.thin()) return false;
  if (description.is(kNeedsRemovable) && !unit.options().removable) return false;
  if (description.is(kNeedsType2) &&
      command.unit->state().protection != spec::ProtectionType::type_2) {
    return false;
  }
  if (description.is(kNeedsAtomicWrites) && unit.atomic_limits().max_blocks == 0) return false;
  if (description.is(kNeedsExplicitAccess) && !ports.explicit_changes()) return false;
  return !description.is(kNeedsPortGroups) || ports.implicit_changes() || ports.explicit_changes();
}

spec::Sense unknown_command_sense(const Command& command) {
  const auto opcode = static_cast<Opcode>(command.cdb[0]);
  const auto offered = [&](const CommandDescription& row) { return offers(command, row); };
  const bool has_others =
      spec::has_service_action(opcode) && std::ranges::any_of(commands_of(opcode), offered);
  // SBC-4, READ (32) and similar commands: only processed with type 2 protection.
  const CommandDescription* row = find_command(command.cdb);
  const bool of_other_type = row != nullptr && row->is(kNeedsType2);
  if (!has_others || of_other_type) {
    return spec::Sense::illegal_request(spec::AdditionalSense::invalid_command_operation_code);
  }
  if (opcode == Opcode::variable_length_cdb) return spec::Sense::invalid_field_in_cdb(8);
  return spec::Sense::invalid_field_in_cdb(1, std::uint8_t{4});
}

namespace {

// SPC-5 §4.4.2.4.2: the field pointer names the left-most bit of a field. Fields that rows do not
// read are single bits, except RDPROTECT and the like: bits 7 to 5 of the flags byte.
[[nodiscard]] std::uint8_t bit_in_error(const CommandDescription& row, std::size_t byte,
                                        std::uint8_t unread) {
  const std::size_t flags = row.opcode == spec::Opcode::variable_length_cdb ? 10 : 1;
  const bool protect = (unread & rows::kProtect) != 0 && (row.usage[byte] & rows::kProtect) == 0;
  if (byte == flags && protect) return 7;
  return static_cast<std::uint8_t>(std::bit_width(unread) - 1);
}

}  // namespace

bool check_usage(Command& command) {
  const CommandDescription& description = *command.description;
  // Checks sixteen bytes at once. For nearly every CDB this is all.
  std::array<std::uint64_t, 2> cdb;
  std::array<std::uint64_t, 2> usage;
  std::memcpy(cdb.data(), command.cdb.data(), sizeof(cdb));
  std::memcpy(usage.data(), description.usage.data(), sizeof(usage));
  const std::uint64_t unread_bits = (cdb[0] & ~usage[0]) | (cdb[1] & ~usage[1]);
  if (unread_bits == 0 && description.cdb_length <= sizeof(cdb)) [[likely]]
    return true;
  // SPC-5 §4.2.3: a variable length CDB must have the length of its command.
  constexpr std::uint16_t kAdditionalLength = 7;
  if (description.opcode == Opcode::variable_length_cdb &&
      command.cdb[kAdditionalLength] != description.cdb_length - kAdditionalLength - 1) {
    return refuse(command, spec::Sense::invalid_field_in_cdb(kAdditionalLength));
  }
  // Ignores bytes beyond the CDB's length, with which a transport may pad.
  for (std::uint16_t i = 1; i < description.cdb_length; ++i) {
    const auto unread = static_cast<std::uint8_t>(command.cdb[i] & ~description.usage[i]);
    if (unread == 0) [[likely]]
      continue;
    return refuse(command,
                  spec::Sense::invalid_field_in_cdb(i, bit_in_error(description, i, unread)));
  }
  return true;
}

}  // namespace lunar::scsi

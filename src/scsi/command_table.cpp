#include "scsi/command_table.h"

#include <bit>
#include <cstring>

#include "scsi/commands.h"
#include "scsi/logical_unit.h"
#include "scsi/spec/cdb.h"

namespace lunar::scsi {
namespace {

using spec::Opcode;
using Usage = std::array<std::uint8_t, kMaxCdbBytes>;

constexpr std::uint8_t kFull = 0xff;    // a byte that is read whole
constexpr std::uint8_t kGroup = 0x3f;   // GROUP NUMBER: taken, and no statistics are kept of it
constexpr std::uint8_t kAction = 0x1f;  // SERVICE ACTION
constexpr std::uint8_t kDpoFua = 0x18;
constexpr std::uint8_t kVerify = 0x16;     // DPO, BYTCHK
constexpr std::uint8_t kSameUnmap = 0x08;  // WRITE SAME: UNMAP
constexpr std::uint8_t kSameNdob = 0x01;   // WRITE SAME (16): NDOB
constexpr std::uint8_t kImmed = 0x02;
constexpr std::uint8_t kPmi = 0x01;

// Byte 1 of a block command has the flags, the protection fields among them: no logical unit has
// protection information yet, so any RDPROTECT, WRPROTECT or VRPROTECT but zero is refused (SBC-4
// §5.15).
constexpr Usage block_6() { return {0, 0x1f, kFull, kFull, kFull}; }
constexpr Usage block_10(std::uint8_t flags) {
  return {0, flags, kFull, kFull, kFull, kFull, kGroup, kFull, kFull};
}
constexpr Usage block_12(std::uint8_t flags) {
  return {0, flags, kFull, kFull, kFull, kFull, kFull, kFull, kFull, kFull, kGroup};
}
constexpr Usage block_16(std::uint8_t flags) {
  return {0,     flags, kFull, kFull, kFull, kFull, kFull, kFull,
          kFull, kFull, kFull, kFull, kFull, kFull, kGroup};
}

constexpr auto kIn = DataDirection::in;
constexpr auto kOut = DataDirection::out;
constexpr auto kNone = DataDirection::none;

// Seconds after which an initiator may give up: small for what needs no medium.
constexpr std::uint16_t kQuick = 10;
constexpr std::uint16_t kMedium = 30;
constexpr std::uint16_t kLong = 120;

constexpr CommandDescription row(Opcode opcode, spec::ServiceActionCode action, CommandFlags flags,
                                 DataDirection direction, std::uint16_t timeout_s, Usage usage,
                                 bool (*decode)(Command&), void (*execute)(Command&)) {
  CommandDescription description{opcode};
  description.service_action = action;
  description.flags = flags;
  description.direction = direction;
  description.cdb_length = static_cast<std::uint8_t>(spec::cdb_length(opcode));
  description.recommended_timeout_s = timeout_s;
  description.usage = usage;
  description.usage[0] = static_cast<std::uint8_t>(opcode);
  description.decode = decode;
  description.execute = execute;
  return description;
}

namespace action = spec::service_action;
constexpr CommandFlags kAlways = kWhileUnitAttention | kWithoutUnit;
constexpr CommandFlags kWrite = kWritesMedium | kPlainWrite;

constexpr auto kCommands = std::to_array<CommandDescription>({
    // clang-format off
    row(Opcode::test_unit_ready, 0, 0, kNone, kQuick, {}, decode_nothing, execute_test_unit_ready),
    row(Opcode::request_sense, 0, kAlways, kIn, kQuick, {0, 0x01, 0, 0, kFull}, decode_request_sense, execute_request_sense),
    row(Opcode::read_6, 0, 0, kIn, kMedium, block_6(), decode_read, execute_read),
    row(Opcode::write_6, 0, kWrite, kOut, kMedium, block_6(), decode_write, execute_write),
    row(Opcode::inquiry, 0, kAlways, kIn, kQuick, {0, 0x01, kFull, kFull, kFull}, decode_inquiry, execute_inquiry),
    row(Opcode::mode_sense_6, 0, 0, kIn, kQuick, {0, 0x08, kFull, kFull, kFull}, decode_mode_sense_6, execute_mode_sense_6),
    row(Opcode::read_capacity_10, 0, 0, kIn, kQuick, {0, 0, kFull, kFull, kFull, kFull, 0, 0, kPmi}, decode_read_capacity_10, execute_read_capacity_10),
    row(Opcode::read_10, 0, 0, kIn, kMedium, block_10(kDpoFua), decode_read, execute_read),
    row(Opcode::write_10, 0, kWrite, kOut, kMedium, block_10(kDpoFua), decode_write, execute_write),
    row(Opcode::verify_10, 0, 0, kOut, kMedium, block_10(kVerify), decode_verify, execute_verify),
    row(Opcode::synchronize_cache_10, 0, 0, kNone, kLong, block_10(kImmed), decode_synchronize_cache, execute_synchronize_cache),
    row(Opcode::write_same_10, 0, kWritesMedium, kOut, kLong, block_10(kSameUnmap), decode_write_same, execute_write_same),
    row(Opcode::unmap, 0, kWritesMedium | kNeedsThin, kOut, kLong, {0, 0, 0, 0, 0, 0, kGroup, kFull, kFull}, decode_unmap, execute_unmap),
    row(Opcode::mode_sense_10, 0, 0, kIn, kQuick, {0, 0x18, kFull, kFull, 0, 0, 0, kFull, kFull}, decode_mode_sense_10, execute_mode_sense_10),
    row(Opcode::read_16, 0, 0, kIn, kMedium, block_16(kDpoFua), decode_read, execute_read),
    row(Opcode::write_16, 0, kWrite, kOut, kMedium, block_16(kDpoFua), decode_write, execute_write),
    row(Opcode::verify_16, 0, 0, kOut, kMedium, block_16(kVerify), decode_verify, execute_verify),
    row(Opcode::synchronize_cache_16, 0, 0, kNone, kLong, block_16(kImmed), decode_synchronize_cache, execute_synchronize_cache),
    row(Opcode::write_same_16, 0, kWritesMedium, kOut, kLong, block_16(kSameUnmap | kSameNdob), decode_write_same, execute_write_same),
    row(Opcode::service_action_in_16, action::read_capacity_16, kWithServiceAction, kIn, kQuick,
        {0, kAction, kFull, kFull, kFull, kFull, kFull, kFull, kFull, kFull, kFull, kFull, kFull, kFull, kPmi}, decode_read_capacity_16, execute_read_capacity_16),
    row(Opcode::report_luns, 0, kAlways, kIn, kQuick, {0, 0, kFull, 0, 0, 0, kFull, kFull, kFull, kFull}, decode_report_luns, execute_report_luns),
    row(Opcode::maintenance_in, action::report_supported_operation_codes, kWithServiceAction, kIn, kQuick,
        {0, kAction, 0x87, kFull, kFull, kFull, kFull, kFull, kFull, kFull},
        decode_report_supported_operation_codes, execute_report_supported_operation_codes),
    row(Opcode::read_12, 0, 0, kIn, kMedium, block_12(kDpoFua), decode_read, execute_read),
    row(Opcode::write_12, 0, kWrite, kOut, kMedium, block_12(kDpoFua), decode_write, execute_write),
    row(Opcode::verify_12, 0, 0, kOut, kMedium, block_12(kVerify), decode_verify, execute_verify),
    // clang-format on
});

// The first row of each operation code, and how many it has.
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

constexpr bool is_sorted() {
  for (std::size_t i = 1; i < kCommands.size(); ++i) {
    if (kCommands[i - 1].opcode > kCommands[i].opcode) return false;
    if (kCommands[i - 1].opcode == kCommands[i].opcode &&
        kCommands[i - 1].service_action >= kCommands[i].service_action) {
      return false;
    }
  }
  return true;
}
static_assert(kCommands.size() < 256 && is_sorted());

spec::ServiceActionCode service_action_of(const std::array<std::uint8_t, kMaxCdbBytes>& cdb) {
  if (static_cast<Opcode>(cdb[0]) == Opcode::variable_length_cdb) {
    return static_cast<spec::ServiceActionCode>((cdb[8] << 8) | cdb[9]);
  }
  return cdb[1] & kAction;
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

bool offers(const LogicalUnit& unit, const CommandDescription& description) {
  return !description.is(kNeedsThin) || unit.thin();
}

spec::Sense unknown_command_sense(const Command& command) {
  const auto opcode = static_cast<Opcode>(command.cdb[0]);
  const bool has_others = !commands_of(opcode).empty() && spec::has_service_action(opcode);
  if (!has_others) {
    return spec::Sense::illegal_request(spec::AdditionalSense::invalid_command_operation_code);
  }
  if (opcode == Opcode::variable_length_cdb) return spec::Sense::invalid_field_in_cdb(8);
  return spec::Sense::invalid_field_in_cdb(1, std::uint8_t{4});
}

bool check_usage(Command& command) {
  const CommandDescription& description = *command.description;
  // Sixteen bytes at once: nearly every CDB ends here.
  std::array<std::uint64_t, 2> cdb;
  std::array<std::uint64_t, 2> usage;
  std::memcpy(cdb.data(), command.cdb.data(), sizeof(cdb));
  std::memcpy(usage.data(), description.usage.data(), sizeof(usage));
  const std::uint64_t unread_bits = (cdb[0] & ~usage[0]) | (cdb[1] & ~usage[1]);
  if (unread_bits == 0 && description.cdb_length <= sizeof(cdb)) [[likely]]
    return true;
  // Not the bytes behind the CDB's own, with which a transport may pad.
  for (std::uint16_t i = 1; i < description.cdb_length; ++i) {
    const auto unread = static_cast<std::uint8_t>(command.cdb[i] & ~description.usage[i]);
    if (unread == 0) [[likely]]
      continue;
    command.status_code = spec::Status::check_condition;
    command.sense =
        spec::Sense::invalid_field_in_cdb(i, static_cast<std::uint8_t>(std::bit_width(unread) - 1));
    return false;
  }
  return true;
}

}  // namespace lunar::scsi

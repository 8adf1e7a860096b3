// Rows of the command table: commands on logical blocks with protection information (SBC-4 §4.21).
#pragma once

#include "scsi/blocks/block_commands.h"
#include "scsi/core/rows.h"
#include "scsi/protection/protected_commands.h"

namespace lunar::scsi {

// Differences from the command's row in block_rows.h if the medium has protection information.
struct ProtectedRow {
  spec::Opcode opcode;
  spec::ServiceActionCode service_action = 0;
  bool protect_field = false;  // byte 1 of the CDB has a protection field
  bool (*decode)(Command&) = nullptr;
  void (*execute)(Command&) = nullptr;
};

namespace rows {

constexpr bool kWithField = true;
constexpr bool kWithoutField = false;

constexpr auto kProtectedRows = std::to_array<ProtectedRow>({
    // clang-format off
    {Opcode::read_6, 0, kWithoutField, decode_protected_read, execute_protected_read},
    {Opcode::read_10, 0, kWithField, decode_protected_read, execute_protected_read},
    {Opcode::read_12, 0, kWithField, decode_protected_read, execute_protected_read},
    {Opcode::read_16, 0, kWithField, decode_protected_read, execute_protected_read},
    {Opcode::write_6, 0, kWithoutField, decode_protected_write, execute_protected_write},
    {Opcode::write_10, 0, kWithField, decode_protected_write, execute_protected_write},
    {Opcode::write_12, 0, kWithField, decode_protected_write, execute_protected_write},
    {Opcode::write_16, 0, kWithField, decode_protected_write, execute_protected_write},
    {Opcode::verify_10, 0, kWithField, decode_protected_verify, execute_protected_verify},
    {Opcode::verify_12, 0, kWithField, decode_protected_verify, execute_protected_verify},
    {Opcode::verify_16, 0, kWithField, decode_protected_verify, execute_protected_verify},
    {Opcode::write_and_verify_10, 0, kWithField, decode_protected_write_and_verify, execute_protected_write_and_verify},
    {Opcode::write_and_verify_12, 0, kWithField, decode_protected_write_and_verify, execute_protected_write_and_verify},
    {Opcode::write_and_verify_16, 0, kWithField, decode_protected_write_and_verify, execute_protected_write_and_verify},
    {Opcode::compare_and_write, 0, kWithField, decode_protected_compare_and_write, execute_protected_compare_and_write},
    {Opcode::orwrite_16, 0, kWithField, decode_protected_write, execute_protected_orwrite},
    {Opcode::write_same_10, 0, kWithField, decode_protected_write_same, execute_protected_write_same},
    {Opcode::write_same_16, 0, kWithField, decode_protected_write_same, execute_protected_write_same},
    {Opcode::unmap, 0, kWithoutField, decode_unmap, execute_protected_unmap},
    {Opcode::synchronize_cache_10, 0, kWithoutField, decode_synchronize_cache, execute_protected_synchronize_cache},
    {Opcode::synchronize_cache_16, 0, kWithoutField, decode_synchronize_cache, execute_protected_synchronize_cache},
    // clang-format on
});

// Available with type 2 protection only.
constexpr CommandFlags kLong32 = kWithServiceAction | kNeedsType2;
constexpr auto kLongBlockRows = std::to_array<CommandDescription>({
    // clang-format off
    row({Opcode::variable_length_cdb, action::read_32, kLong32, kReads, kIn, kMedium, block_32(kProtect | kDpoFua), decode_protected_read, execute_protected_read}),
    row({Opcode::variable_length_cdb, action::verify_32, kLong32, kReads, kOut, kMedium, block_32(kProtect | kVerify), decode_protected_verify, execute_protected_verify}),
    row({Opcode::variable_length_cdb, action::write_32, kLong32, kWrites, kOut, kMedium, block_32(kProtect | kDpoFua), decode_protected_write, execute_protected_write}),
    row({Opcode::variable_length_cdb, action::write_and_verify_32, kLong32, kWrites, kOut, kMedium, block_32(kProtect | kVerify), decode_protected_write_and_verify, execute_protected_write_and_verify}),
    row({Opcode::variable_length_cdb, action::write_same_32, kLong32, kWrites, kOut, kLong, block_32(kProtect | kSameUnmap | kSameNdob), decode_protected_write_same, execute_protected_write_same}),
    // clang-format on
});

}  // namespace rows
using rows::kLongBlockRows;
using rows::kProtectedRows;

}  // namespace lunar::scsi

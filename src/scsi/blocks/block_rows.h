// Rows of the command table: commands on logical blocks (SBC-4 §5).
#pragma once

#include "scsi/blocks/block_commands.h"
#include "scsi/core/rows.h"

namespace lunar::scsi {
namespace rows {

// Does not return the blocks' contents, so ALLOW COMMANDS 100b of PERSISTENT RESERVE IN permits it.
constexpr Restrictions kTellsOfDefects = kReads & ~kReservedReads;

constexpr auto kBlockRows = std::to_array<CommandDescription>({
    // clang-format off
    row({Opcode::read_6, 0, 0, kReads, kIn, kMedium, block_6(), decode_read, execute_read}),
    row({Opcode::read_10, 0, 0, kReads, kIn, kMedium, block_10(kDpoFua), decode_read, execute_read}),
    row({Opcode::read_12, 0, 0, kReads, kIn, kMedium, block_12(kDpoFua), decode_read, execute_read}),
    row({Opcode::read_16, 0, 0, kReads, kIn, kMedium, block_16(kDpoFua), decode_read, execute_read}),
    row({Opcode::write_6, 0, kPlainWrite, kWrites, kOut, kMedium, block_6(), decode_write, execute_write}),
    row({Opcode::write_10, 0, kPlainWrite, kWrites, kOut, kMedium, block_10(kDpoFua), decode_write, execute_write}),
    row({Opcode::write_12, 0, kPlainWrite, kWrites, kOut, kMedium, block_12(kDpoFua), decode_write, execute_write}),
    row({Opcode::write_16, 0, kPlainWrite, kWrites, kOut, kMedium, block_16(kDpoFua), decode_write, execute_write}),
    row({Opcode::verify_10, 0, 0, kReads, kOut, kMedium, block_10(kVerify), decode_verify, execute_verify}),
    row({Opcode::verify_12, 0, 0, kReads, kOut, kMedium, block_12(kVerify), decode_verify, execute_verify}),
    row({Opcode::verify_16, 0, 0, kReads, kOut, kMedium, block_16(kVerify), decode_verify, execute_verify}),
    row({Opcode::write_and_verify_10, 0, 0, kWrites, kOut, kMedium, block_10(kVerify), decode_write_and_verify, execute_write_and_verify}),
    row({Opcode::write_and_verify_12, 0, 0, kWrites, kOut, kMedium, block_12(kVerify), decode_write_and_verify, execute_write_and_verify}),
    row({Opcode::write_and_verify_16, 0, 0, kWrites, kOut, kMedium, block_16(kVerify), decode_write_and_verify, execute_write_and_verify}),
    row({Opcode::compare_and_write, 0, 0, kWrites, kOut, kMedium, {0, kDpoFua, kFull, kFull, kFull, kFull, kFull, kFull, kFull, kFull, 0, 0, 0, kFull, kGroup},
         decode_compare_and_write, execute_compare_and_write}),
    row({Opcode::orwrite_16, 0, 0, kWrites, kOut, kMedium, block_16(kDpoFua), decode_orwrite, execute_orwrite}),
    row({Opcode::write_atomic_16, 0, kNeedsAtomicWrites, kWrites, kOut, kMedium, {0, kDpoFua, kFull, kFull, kFull, kFull, kFull, kFull, kFull, kFull, 0, 0, kFull, kFull, kGroup},
         decode_write_atomic, execute_write_atomic}),
    row({Opcode::pre_fetch_10, 0, 0, kReads, kNone, kMedium, block_10(kImmed), decode_pre_fetch, execute_pre_fetch}),
    row({Opcode::pre_fetch_16, 0, 0, kReads, kNone, kMedium, block_16(kImmed), decode_pre_fetch, execute_pre_fetch}),
    row({Opcode::read_defect_data_10, 0, 0, kTellsOfDefects, kIn, kQuick, {0, 0, kDefectLists, 0, 0, 0, 0, kFull, kFull}, decode_read_defect_data_10, execute_read_defect_data_10}),
    row({Opcode::read_defect_data_12, 0, 0, kTellsOfDefects, kIn, kQuick, {0, kDefectLists, kFull, kFull, kFull, kFull, kFull, kFull, kFull, kFull}, decode_read_defect_data_12, execute_read_defect_data_12}),
    row({Opcode::synchronize_cache_10, 0, 0, kSynchronizes, kNone, kLong, block_10(kImmed), decode_synchronize_cache, execute_synchronize_cache}),
    row({Opcode::synchronize_cache_16, 0, 0, kSynchronizes, kNone, kLong, block_16(kImmed), decode_synchronize_cache, execute_synchronize_cache}),
    row({Opcode::write_same_10, 0, 0, kWrites, kOut, kLong, block_10(kSameUnmap), decode_write_same, execute_write_same}),
    row({Opcode::write_same_16, 0, 0, kWrites, kOut, kLong, block_16(kSameUnmap | kSameNdob), decode_write_same, execute_write_same}),
    row({Opcode::unmap, 0, kNeedsThin, kWrites, kOut, kLong, {0, 0, 0, 0, 0, 0, kGroup, kFull, kFull}, decode_unmap, execute_unmap}),
    row({Opcode::read_capacity_10, 0, 0, kTellsCapacity, kIn, kQuick, {0, 0, kFull, kFull, kFull, kFull, 0, 0, kPmi}, decode_read_capacity_10, execute_read_capacity_10}),
    row({Opcode::service_action_in_16, action::get_lba_status_16, kWithServiceAction, kReads, kIn, kMedium,
         {0, kAction, kFull, kFull, kFull, kFull, kFull, kFull, kFull, kFull, kFull, kFull, kFull, kFull, kFull}, decode_get_lba_status_16, execute_get_lba_status}),
    row({Opcode::variable_length_cdb, action::get_lba_status_32, kWithServiceAction | kNeedsType2, kReads, kIn, kMedium,
         {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, kFull, 0, kFull, kFull, kFull, kFull, kFull, kFull, kFull, kFull, kFull, kFull, kFull, kFull, kFull, kFull, kFull, kFull, kFull, kFull, kFull, kFull},
         decode_get_lba_status_32, execute_get_lba_status}),
    row({Opcode::service_action_in_16, action::read_capacity_16, kWithServiceAction, kTellsCapacity, kIn, kQuick,
         {0, kAction, kFull, kFull, kFull, kFull, kFull, kFull, kFull, kFull, kFull, kFull, kFull, kFull, kPmi}, decode_read_capacity_16, execute_read_capacity_16}),
    // clang-format on
});

}  // namespace rows
using rows::kBlockRows;

}  // namespace lunar::scsi

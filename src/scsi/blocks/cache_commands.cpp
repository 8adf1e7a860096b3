// SYNCHRONIZE CACHE and PRE-FETCH (SBC-4 §5.11, §5.33).
#include <utility>

#include "block/front.h"
#include "scsi/blocks/block_commands.h"
#include "scsi/blocks/block_range.h"
#include "scsi/blocks/flush.h"
#include "scsi/core/completion.h"
#include "scsi/core/logical_unit.h"

namespace lunar::scsi {
namespace {

[[nodiscard]] bool is_immediate(const Command& command) {
  return spec::decode_block_command(cdb_of(command)).flags.immed();
}

// Zero blocks means up to the end of the medium.
bool decode_cache_command(Command& command) {
  const spec::BlockCommand block = spec::decode_block_command(cdb_of(command));
  return check_range(command, block.lba, block.blocks);
}

// Flushes until no request has come since the last flush began. So any number of commands with
// IMMED costs one frame and one request at a time. These commands have been promised the flush, so
// a stop gives the medium some time for it.
engine::Task<void> flush_while_wanted(LogicalUnitShard& part) {
  LogicalUnitShard::BackgroundFlush& flush = part.background_flush();
  flush.running = true;
  while (std::exchange(flush.wanted, false)) {
    auto flushing = flush_medium({&part}, OwnRequest::Effort::insists);
    const block::Status status = co_await flushing;
    if (status != block::Status::ok) flush.failed = true;
  }
  flush.running = false;
}

void flush_in_background(LogicalUnitShard& part) {
  LogicalUnitShard::BackgroundFlush& flush = part.background_flush();
  flush.wanted = true;
  if (!flush.running) part.spawn(flush_while_wanted(part));
}

}  // namespace

bool decode_synchronize_cache(Command& command) {
  // SPC-5 §4.4.7: the failure of a flush whose command has ended is reported to the next command
  // that relies on a flush.
  if (std::exchange(command.unit->background_flush().failed, false)) {
    spec::Sense sense =
        spec::Sense::of(spec::SenseKey::medium_error, spec::AdditionalSense::write_error);
    sense.deferred = true;
    return refuse(command, sense);
  }
  return decode_cache_command(command);
}

void execute_synchronize_cache(Command& command) {
  LogicalUnitShard& part = *command.unit;
  if (is_immediate(command)) {
    // SBC-4 §5.33: with IMMED, the status is sent once the CDB has been checked.
    flush_in_background(part);
    return end_soon(command);
  }
  command.op = block::Op::flush;
  command.flags = 0;
  submit(command, medium_done);
}

bool decode_pre_fetch(Command& command) { return decode_cache_command(command); }

void execute_pre_fetch(Command& command) {
  // SBC-4 §5.11: CONDITION MET means that all blocks are in the cache; GOOD means that they do not
  // fit. A medium that lends its memory is as fast as a cache. For other media lunar has no cache.
  if (command.unit->front().capabilities().lend) {
    command.status_code = spec::Status::condition_met;
  }
  end_soon(command);
}

}  // namespace lunar::scsi

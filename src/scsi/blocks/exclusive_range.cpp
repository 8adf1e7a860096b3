#include "scsi/blocks/exclusive_range.h"

#include <utility>

#include "block/disk.h"
#include "scsi/core/completion.h"
#include "scsi/core/logical_unit.h"
#include "scsi/core/unless_unwanted.h"

namespace lunar::scsi {

engine::Task<ExclusiveRange> ExclusiveRange::wait(block::RangeLocks& locks, block::Range range,
                                                  block::Exclusion exclusion) {
  ExclusiveRange taken(locks, range, exclusion);
  co_await locks.lock(*taken.hold_);
  co_return taken;
}

engine::Task<std::optional<ExclusiveRange>> ExclusiveRange::take(const Command& command,
                                                                 block::Range range,
                                                                 block::Exclusion exclusion) {
  auto waiting = wait(command.unit->unit().disk().range_locks(), range, exclusion);
  return unless_unwanted(on_behalf_of(command), std::move(waiting));
}

engine::Task<void> ExclusiveRange::give_back() { co_await locks_->unlock(*hold_); }

engine::Task<void> run_alone(Command& command, block::Range range, block::Exclusion exclusion,
                             engine::Task<void> (*steps)(Command&)) {
  auto taking = ExclusiveRange::take(command, range, exclusion);
  std::optional<ExclusiveRange> taken = co_await taking;
  if (!taken) {
    command.status = block::Status::aborted;
    set_outcome(command);
    co_return;
  }
  co_await steps(command);
  co_await taken->give_back();
}

}  // namespace lunar::scsi

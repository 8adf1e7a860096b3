// A command's turn to have some blocks for itself on every shard (block/range_lock.h), for which it
// waits no longer than it is wanted: others may be in a medium that does not answer them.
#pragma once

#include <memory>
#include <new>
#include <optional>

#include "block/range_lock.h"
#include "engine/slab.h"
#include "engine/task.h"
#include "scsi/core/command.h"

namespace lunar::scsi {

class ExclusiveRange {
 public:
  // Nothing: the command is not wanted any more. Its logical unit stays open until give_back().
  static engine::Task<std::optional<ExclusiveRange>> take(const Command& command,
                                                          block::Range range,
                                                          block::Exclusion exclusion);
  // Always, also after an error or an abort.
  engine::Task<void> give_back();

 private:
  using Hold = block::RangeLocks::Hold;
  // A place of its own, as its command may leave before its turn comes.
  struct Free {
    void operator()(Hold* hold) const {
      hold->~Hold();
      engine::slab::deallocate(hold, sizeof(Hold));
    }
  };
  ExclusiveRange(block::RangeLocks& locks, block::Range range, block::Exclusion exclusion)
      : locks_(&locks), hold_(new(engine::slab::allocate(sizeof(Hold))) Hold(range, exclusion)) {}
  static engine::Task<ExclusiveRange> wait(block::RangeLocks& locks, block::Range range,
                                           block::Exclusion exclusion);

  block::RangeLocks* locks_;
  std::unique_ptr<Hold, Free> hold_;
};

// Runs `steps` while the command has the range for itself; sets its outcome.
engine::Task<void> run_alone(Command& command, block::Range range, block::Exclusion exclusion,
                             engine::Task<void> (*steps)(Command&));

}  // namespace lunar::scsi

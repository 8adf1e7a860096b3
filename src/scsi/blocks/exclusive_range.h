// Exclusive use of a range of blocks by one command, on every shard (block/range_lock.h). The wait
// for it ends early if the command is aborted, as its holder may hang in its medium.
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
  // Nothing: the command was aborted. The logical unit stays open until give_back().
  static engine::Task<std::optional<ExclusiveRange>> take(const Command& command,
                                                          block::Range range,
                                                          block::Exclusion exclusion);
  // Always required, also after an error or an abort.
  engine::Task<void> give_back();

 private:
  using Hold = block::RangeLocks::Hold;
  // Allocated apart, as the command may end before its turn comes.
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

// Runs `steps` while the command has the range exclusively. Sets the command's outcome.
engine::Task<void> run_alone(Command& command, block::Range range, block::Exclusion exclusion,
                             engine::Task<void> (*steps)(Command&));

}  // namespace lunar::scsi

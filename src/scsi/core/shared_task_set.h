// One task set for all I_T nexuses of a logical unit (TST 000b, SPC-5 §7.5.11): how commands that
// are not SIMPLE count over all of its shards (SAM-5 §8.6). Each LogicalUnitShard has one of these.
//
// Such a command takes a turn, at its arrival. Its unit's home shard puts turns into an order, in
// which they get a mark on every shard, between the commands that were there before, which are
// older, and those that come later. An ORDERED command runs when the older ones have left on every
// shard, and what is younger waits on each until it has left; a HEAD OF QUEUE command runs at once,
// and all others that have not begun wait. Both leave their marks when they leave the task set.
//
// SIMPLE commands pay nothing for this: while a shard has a mark each of its ItlNexuses has one
// more in `ordering`, so that only then somebody looks here. A mark takes a walk over the commands
// of its shard; turns are for what happens seldom.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/task.h"
#include "lunar/list.h"

namespace lunar::scsi {

struct Command;
struct ItlNexus;
class LogicalUnitShard;

class SharedTaskSet {
 public:
  explicit SharedTaskSet(LogicalUnitShard& part);
  SharedTaskSet(const SharedTaskSet&) = delete;
  SharedTaskSet& operator=(const SharedTaskSet&) = delete;
  ~SharedTaskSet();

  // There are marks here, so that commands may have to wait.
  [[nodiscard]] bool is_ordering() const { return !marks_.empty(); }
  // A command of this shard takes a turn: it is in the task set of its nexus, and not SIMPLE.
  void enter(Command& command);
  // Any command leaves. At least while is_ordering(), or when it has a turn.
  void leave(Command& command);
  // Whether a command that has not begun has to wait for those of other nexuses.
  [[nodiscard]] bool holds(const Command& command);

  struct Turn;

 private:
  struct Mark;
  using Step = engine::Task<void> (*)(Turn& turn, unsigned shard_index);

  static engine::Task<void> at_home(Turn& turn, Step step);
  static engine::Task<void> on_each(Turn& turn, Step step);
  static engine::Task<void> on(Turn& turn, unsigned shard_index, Step step);
  static engine::Task<void> set_mark(Turn& turn, unsigned shard_index);
  static engine::Task<void> take_mark(Turn& turn, unsigned shard_index);
  engine::Task<void> take_turn(Command& command);
  void add(Mark& mark);
  void remove(Mark& mark);
  std::uint32_t mark_older(ItlNexus& itl, std::uint64_t number);
  void start_all();

  LogicalUnitShard& part_;
  List<Mark> marks_;  // ascending by number
  std::uint64_t last_number_ = 0;
};

}  // namespace lunar::scsi

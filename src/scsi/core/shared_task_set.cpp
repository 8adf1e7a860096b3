#include "scsi/core/shared_task_set.h"

#include <cassert>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "engine/gate.h"
#include "engine/shard.h"
#include "scsi/core/logical_unit.h"
#include "scsi/core/task_set.h"

namespace lunar::scsi {

// A turn's mark on one shard. Owned by that shard, except `of`.
struct SharedTaskSet::Mark : ListHook {
  explicit Mark(Turn& turn) : of(turn) {}

  Turn& of;
  std::uint64_t number = 0;       // among those of this shard
  std::uint32_t older_count = 0;  // commands before it that have not left
  engine::Event quiet;            // there are none, or nobody waits for that any more
  engine::Gate::Holder held;      // the part, while the mark is in its list
};

// Lives on the shard of its command, until no shard has a mark of it.
struct SharedTaskSet::Turn {
  Turn(LogicalUnit& logical_unit, Command& whose)
      : unit(logical_unit),
        is_head(whose.attribute == TaskAttribute::head_of_queue),
        home_of_command(*whose.shard),
        command(&whose) {
    for (std::size_t i = 0; i < unit.shards().size(); ++i) marks.emplace_back(*this);
  }

  LogicalUnit& unit;
  const bool is_head;
  engine::Shard& home_of_command;
  Command* command;        // null: it has left
  bool is_placed = false;  // the mark on its own shard is, or was
  bool has_begun = false;  // the command's time has come
  engine::Event left;
  std::optional<engine::Task<void>> ending;  // once it has left
  std::deque<Mark> marks;                    // by shard
};

SharedTaskSet::SharedTaskSet(LogicalUnitShard& part) : part_(part) {}

SharedTaskSet::~SharedTaskSet() { assert(marks_.empty()); }

void SharedTaskSet::enter(Command& command) { part_.spawn(take_turn(command)); }

engine::Task<void> SharedTaskSet::take_turn(Command& command) {
  Turn turn(part_.unit(), command);
  command.turn = &turn;
  co_await at_home(turn, set_mark);
  if (turn.command != nullptr && !turn.is_head) {
    turn.has_begun = true;
    start_waiting(*turn.command->itl);
  }
  co_await turn.left;
  engine::Task<void>& ending = *turn.ending;
  co_await ending;
}

void SharedTaskSet::leave(Command& command) {
  const std::uint64_t older_than = std::exchange(command.older_than, 0);
  if (older_than != 0) {
    for (Mark& mark : marks_) {
      if (mark.number >= older_than && --mark.older_count == 0) mark.quiet.set();
    }
  }
  if (command.turn == nullptr) return;
  Turn& turn = *std::exchange(command.turn, nullptr);
  turn.command = nullptr;
  turn.ending.emplace(at_home(turn, take_mark));
  turn.left.set();
}

bool SharedTaskSet::holds(const Command& command) {
  if (command.attribute == TaskAttribute::head_of_queue) return false;
  if (command.turn != nullptr && !command.turn->has_begun) return true;
  for (const Mark& mark : marks_) {
    if (mark.of.is_head) return true;
    const bool is_older = command.older_than != 0 && command.older_than <= mark.number;
    if (command.turn == nullptr && !is_older) return true;
  }
  return false;
}

// ---- Over all shards

// All turns go by the home shard, so that their marks come to every shard in the same order, and
// those of a turn that has ended are looked for only where they have come.
engine::Task<void> SharedTaskSet::at_home(Turn& turn, Step step) {
  auto make = [&turn, step] { return on_each(turn, step); };
  auto there = engine::await_on(turn.unit.home(), make);
  co_await there;
}

// The messages to all shards are on their way before the first is awaited.
engine::Task<void> SharedTaskSet::on_each(Turn& turn, Step step) {
  std::vector<engine::Task<void>> steps;
  for (const engine::Shard* shard : turn.unit.shards())
    steps.push_back(on(turn, shard->index(), step));
  for (engine::Task<void>& task : steps) co_await task;
}

engine::Task<void> SharedTaskSet::on(Turn& turn, unsigned shard_index, Step step) {
  auto make = [&turn, shard_index, step] { return step(turn, shard_index); };
  auto there = engine::await_on(*turn.unit.shards()[shard_index], make);
  co_await there;
}

// Completes when nothing older is left on this shard, or the mark has been taken away.
engine::Task<void> SharedTaskSet::set_mark(Turn& turn, unsigned shard_index) {
  LogicalUnitShard* part = turn.unit.find(shard_index);
  if (part == nullptr || part->is_stopping()) co_return;
  Mark& mark = turn.marks[shard_index];
  mark.held = part->hold();
  part->shared_task_set().add(mark);
  if (shard_index == turn.home_of_command.index()) turn.is_placed = true;
  if (!turn.is_head && mark.older_count != 0) co_await mark.quiet;
}

engine::Task<void> SharedTaskSet::take_mark(Turn& turn, unsigned shard_index) {
  Mark& mark = turn.marks[shard_index];
  if (!mark.is_linked()) co_return;
  const auto held = std::exchange(mark.held, {});
  turn.unit.on(shard_index).shared_task_set().remove(mark);
}

// ---- On one shard

void SharedTaskSet::add(Mark& mark) {
  if (marks_.empty()) {
    for (ItlNexus& itl : part_.nexuses()) ++itl.ordering;
  }
  mark.number = ++last_number_;
  marks_.push_back(mark);
  for (ItlNexus& itl : part_.nexuses()) mark.older_count += mark_older(itl, mark.number);
}

void SharedTaskSet::remove(Mark& mark) {
  static_cast<ListHook&>(mark).unlink();
  if (marks_.empty()) {
    for (ItlNexus& itl : part_.nexuses()) {
      --itl.ordering;
      for (Command& command : itl.task_set) command.older_than = 0;
    }
  }
  start_all();
  mark.quiet.set();
}

// An ORDERED command whose own mark is still to come has its turn later, and so has what waits for
// it.
std::uint32_t SharedTaskSet::mark_older(ItlNexus& itl, std::uint64_t number) {
  std::uint32_t count = 0;
  for (Command& command : itl.task_set) {
    if (command.turn != nullptr && !command.turn->is_placed && !command.turn->is_head) break;
    if (command.older_than == 0) command.older_than = number;
    ++count;
  }
  return count;
}

void SharedTaskSet::start_all() {
  for (ItlNexus& itl : part_.nexuses()) start_waiting(itl);
}

}  // namespace lunar::scsi

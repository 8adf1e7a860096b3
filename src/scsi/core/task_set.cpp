#include "scsi/core/task_set.h"

#include <utility>

#include "block/front.h"
#include "block/statistics.h"
#include "scsi/core/command_description.h"
#include "scsi/core/completion.h"
#include "scsi/core/logical_unit.h"
#include "scsi/core/nexus_restrictions.h"
#include "scsi/core/on_each_part.h"

namespace lunar::scsi {
namespace {

bool is_finished(const Command& command) { return command.state == CommandState::finished; }

void start(Command& command) {
  command.state = CommandState::running;
  command.description->execute(command);
}

// SAM-5 §8.6: HEAD OF QUEUE waits for nobody; SIMPLE waits for every HEAD OF QUEUE and every older
// ORDERED; ORDERED waits for every HEAD OF QUEUE and everything older.
struct Barrier {
  bool head_of_queue = false;  // one is in the task set
  bool ordered = false;        // an older one is
  bool any = false;            // anything older is

  [[nodiscard]] bool holds(const Command& command) const {
    switch (command.attribute) {
      case TaskAttribute::head_of_queue: return false;
      case TaskAttribute::simple: return head_of_queue || ordered;
      case TaskAttribute::ordered: return head_of_queue || any;
      case TaskAttribute::aca: return false;  // refused before it comes here
    }
    return false;
  }
  void pass(const Command& command) {
    any = true;
    ordered = ordered || command.attribute == TaskAttribute::ordered;
  }
};

bool has_head_of_queue(ItlNexus& itl) {
  for (const Command& command : itl.task_set) {
    if (command.attribute == TaskAttribute::head_of_queue && !is_finished(command)) return true;
  }
  return false;
}

// Cold, as are the others of their kind: so that the path of SIMPLE commands saves no registers.
[[gnu::cold, gnu::noinline]] bool must_wait(ItlNexus& itl, const Command& wanted) {
  if (wanted.description->is(kPassesOthers)) return false;
  if (itl.unit.shared_task_set().holds(wanted)) return true;
  Barrier barrier;
  barrier.head_of_queue = has_head_of_queue(itl);
  for (const Command& command : itl.task_set) {
    if (&command == &wanted) break;
    if (!is_finished(command)) barrier.pass(command);
  }
  return barrier.holds(wanted);
}

bool has_rows_of_now(const Command& command) {
  return command.protection_rows == protection_rows_of(command.unit->state().protection);
}

// What it waited for may have changed what it may do (START STOP UNIT, MODE SELECT): SAM-5 §8.6
// lets it begin only now.
void start_late(Command& command) {
  const Restrictions heeded = command.itl->restrictions & command.description->heeds;
  const bool restricted = (heeded & ~kNoRefusals) != 0;
  if (restricted) {
    (void)refuse_restricted(command);
  } else if ((heeded & kProtectionRoom) != 0 && !has_rows_of_now(command)) {
    // FORMAT UNIT: it was decoded for blocks with other protection information.
    set_check_condition(
        command, spec::Sense::unit_attention(spec::AdditionalSense::capacity_data_has_changed));
  } else {
    return start(command);
  }
  end_soon(command);
}

bool has_unfinished(ItlNexus& itl) {
  for (const Command& command : itl.task_set) {
    if (!is_finished(command)) return true;
  }
  return false;
}

engine::Task<void> clear_elsewhere(LogicalUnit& unit, const Nexus* nexus, engine::Shard& here) {
  auto clear = [nexus, &here](LogicalUnitShard& part) -> engine::Task<void> {
    if (&part.shard() != &here) clear_commands(part, nexus);
    co_return;
  };
  co_await on_each_part(unit, clear);
}

[[gnu::cold, gnu::noinline]] void take_turn(ItlNexus& itl, Command& command) {
  ++itl.ordering;
  if (itl.unit.state().mode.one_task_set()) itl.unit.shared_task_set().enter(command);
}

}  // namespace

void start_waiting(ItlNexus& itl) {
  SharedTaskSet& shared = itl.unit.shared_task_set();
  Barrier barrier;
  barrier.head_of_queue = has_head_of_queue(itl);
  for (Command& command : itl.task_set) {
    if (is_finished(command)) continue;
    const bool waits = command.state == CommandState::waiting;
    if (waits && !barrier.holds(command) && !shared.holds(command)) start_late(command);
    barrier.pass(command);
  }
}

void enter_task_set(ItlNexus& itl, Command& command) {
  itl.task_set.push_back(command);
  ++itl.task_count;
  itl.unit.commands_in_flight().increment();
  if (command.attribute != TaskAttribute::simple) [[unlikely]]
    take_turn(itl, command);
}

void leave_task_set(Command& command) {
  ItlNexus& itl = *command.itl;
  static_cast<TaskSetHook&>(command).unlink();
  --itl.task_count;
  itl.unit.commands_in_flight().decrement();
  if (itl.ordering != 0) [[unlikely]] {
    if (command.attribute != TaskAttribute::simple) --itl.ordering;
    itl.unit.shared_task_set().leave(command);
    if (itl.when_empty != nullptr && itl.task_set.empty()) {
      itl.unlink();
      itl.unit.shard().enqueue(*std::exchange(itl.when_empty, nullptr));
      return;
    }
    start_waiting(itl);
  }
}

void start_or_wait(Command& command) {
  const bool ordering = command.itl != nullptr && command.itl->ordering != 0;
  if (ordering && must_wait(*command.itl, command)) [[unlikely]] {
    command.state = CommandState::waiting;
    // Somebody may wait for the end of its data: see leases_ended().
    if (command.in_medium) command.unit->awaited_command_finished();
    return;
  }
  start(command);
}

bool is_on_medium(const Command& command) {
  return command.description == nullptr || !command.description->is(kOffMedium);
}

void withdraw_command(Command& command, const spec::Sense& why) {
  switch (command.state) {
    case CommandState::idle:
    case CommandState::finished: return;
    case CommandState::prepared:
    case CommandState::waiting:
      set_check_condition(command, why);
      end_soon(command);
      return;
    case CommandState::running: break;
  }
  if (command.aborted || command.withdrawn != nullptr) return;
  command.withdrawn = &why;
  if (command.buffer_waiter.is_linked()) {
    command.buffer_waiter.cancel();
    set_check_condition(command, why);
    end_soon(command);
    return;
  }
  command.unit->front().abort(command);
  command.unit->end_unwanted_waits();
}

void abort_command(Command& command) {
  switch (command.state) {
    case CommandState::idle:
    case CommandState::finished: return;
    case CommandState::prepared:
    case CommandState::waiting:
      command.aborted = true;
      end_soon(command);
      return;
    case CommandState::running: break;
  }
  if (command.aborted) return;
  command.aborted = true;
  if (command.buffer_waiter.is_linked()) {
    // Still in the pool's queue, or served but not run yet.
    command.buffer_waiter.cancel();
    end_soon(command);
    return;
  }
  command.unit->front().abort(command);
  command.unit->end_unwanted_waits();
}

void abort_for_another_nexus(Command& command) {
  // Not when its own nexus has given it up before.
  if (!command.aborted && command.unit->state().mode.task_aborted_status())
    command.tell_aborted = true;
  abort_command(command);
}

void clear_commands_of(ItlNexus& itl) {
  if (has_unfinished(itl) && !itl.unit.state().mode.task_aborted_status())
    itl.attentions.raise(spec::AdditionalSense::commands_cleared_by_another_initiator);
  for (Command& command : itl.task_set) abort_for_another_nexus(command);
}

void clear_commands(LogicalUnitShard& part, const Nexus* requester) {
  for (ItlNexus& itl : part.nexuses()) {
    if (&itl.nexus != requester) {
      clear_commands_of(itl);
      continue;
    }
    for (Command& command : itl.task_set) abort_command(command);
  }
}

void obey_qerr(Command& command) {
  if (command.itl == nullptr || command.aborted) return;
  LogicalUnitShard& part = *command.unit;
  const ModeParameters& mode = part.state().mode;
  if (!mode.errors_abort_others()) return;
  for (Command& other : command.itl->task_set) {
    if (&other != &command) abort_command(other);
  }
  if (!mode.one_task_set() || !mode.errors_abort_task_set()) return;
  for (ItlNexus& itl : part.nexuses()) {
    if (&itl.nexus != command.nexus) clear_commands_of(itl);
  }
  if (part.unit().shards().size() > 1 && !part.is_stopping())
    part.spawn(clear_elsewhere(part.unit(), command.nexus, part.shard()));
}

}  // namespace lunar::scsi

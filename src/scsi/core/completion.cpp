#include "scsi/core/completion.h"

#include <optional>
#include <utility>

#include "base/log.h"
#include "block/front.h"
#include "engine/shard.h"
#include "scsi/core/logical_unit.h"
#include "scsi/core/status_map.h"
#include "scsi/core/task_set.h"

namespace lunar::scsi {
namespace {

// SPC-5 §7.5.11, UA_INTLCK_CTRL 11b. A condition that is pending is not queued twice.
std::optional<spec::AdditionalSense> attention_of(spec::Status status) {
  using enum spec::AdditionalSense;
  if (status == spec::Status::busy) return previous_busy_status;
  if (status == spec::Status::task_set_full) return previous_task_set_full_status;
  if (status == spec::Status::reservation_conflict) return previous_reservation_conflict_status;
  return std::nullopt;
}

void tell(const Command& command) {
  const bool has_sense = command.status_code == spec::Status::check_condition;
  log::debug("{}: LUN {}: {}: {}{}{}", command.nexus->initiator_port_name(), command.itl->lun.value,
             to_text(static_cast<spec::Opcode>(command.cdb[0])), to_text(command.status_code),
             has_sense ? ": " : "", has_sense ? to_text(command.sense) : "");
}

// The control mode page has a say in how a command ends that is not GOOD.
[[gnu::cold, gnu::noinline]] void obey_control_page(Command& command) {
  if (log::enabled(log::Level::debug)) tell(command);
  const ModeParameters& mode = command.unit->state().mode;
  if (mode.descriptor_sense()) command.sense_format = spec::SenseFormat::descriptor;
  if (!mode.statuses_interlocked()) return;
  const auto attention = attention_of(command.status_code);
  if (attention) command.itl->attentions.raise(*attention);
}

}  // namespace

void Command::reset() {
  assert(state == CommandState::idle || state == CommandState::finished);
  cdb_length = 16;
  attribute = TaskAttribute::simple;
  nexus = nullptr;
  expected_in_bytes = expected_out_bytes = 0;
  direction = DataDirection::none;
  data_out_bytes = 0;
  data_out = {};
  status_code = spec::Status::good;
  sense_format = spec::SenseFormat::fixed;
  data_in = {};
  description = nullptr;
  unit = nullptr;
  itl = nullptr;
  state = CommandState::idle;
  aborted = tell_aborted = to_well_known = false;
  in_medium = false;
  withdrawn = nullptr;
  flags = 0;
}

void Command::release_memory() {
  buffer.reset();
  loan = {};
}

void end_now(Command& command) noexcept {
  command.state = CommandState::finished;
  LogicalUnitShard* told = nullptr;
  if (command.aborted || command.in_medium) [[unlikely]] {
    told = command.unit;
    if (command.aborted) {
      command.status_code = spec::Status::task_aborted;
      command.data_in = {};
    }
  }
  if (command.itl != nullptr) [[likely]] {
    if (command.status_code != spec::Status::good) [[unlikely]]
      obey_control_page(command);
    leave_task_set(command);
    command.itl = nullptr;
    command.unit = nullptr;
  }
  command.finished(command);
  // A task management function answers only after the transport has seen the end of what it
  // aborted.
  if (told != nullptr) told->awaited_command_finished();
}

void end_soon(Command& command) {
  command.state = CommandState::finished;
  command.run = [](engine::Runnable& self) noexcept { end_now(static_cast<Command&>(self)); };
  command.shard->enqueue(command);
}

bool refuse(Command& command, const spec::Sense& sense) {
  set_check_condition(command, sense);
  return false;
}

void set_check_condition(Command& command, const spec::Sense& sense) {
  command.status_code = spec::Status::check_condition;
  command.sense = sense;
  command.data_in = {};
  obey_qerr(command);
}

bool refuse_amount_of_data(Command& command) {
  return refuse(command, spec::Sense::illegal_request(
                             spec::AdditionalSense::invalid_field_in_command_information_unit));
}

void set_outcome(Command& command) {
  if (command.status == block::Status::ok) [[likely]] {
    command.status_code = spec::Status::good;
    return;
  }
  if (command.status == block::Status::aborted && command.withdrawn != nullptr) {
    set_check_condition(command, *command.withdrawn);
    return;
  }
  const StatusMapping mapping = map_status(command.status, command);
  if (mapping.status == spec::Status::check_condition) {
    set_check_condition(command, mapping.sense);
    return;
  }
  command.status_code = mapping.status;
  command.data_in = {};
}

void run_sequence(Command& command, engine::Task<void> (*sequence)(Command&)) {
  const auto run = [](Command& self, engine::Task<void> (*steps)(Command&)) -> engine::Task<void> {
    co_await steps(self);
    end_soon(self);
  };
  run(command, sequence).detach();
}

void submit(Command& command, block::Request::Done done) {
  command.done = done;
  command.unit->front().submit(command);
}

void medium_done(block::Request& request) noexcept {
  Command& command = command_of(request);
  set_outcome(command);
  end_now(command);
}

void with_buffer(Command& command, std::size_t bytes, void (*then)(Command&) noexcept) {
  command.buffer = command.shard->buffers().try_allocate(bytes);
  if (command.buffer) [[likely]] {
    then(command);
    return;
  }
  Command::Waiter& waiter = command.buffer_waiter;
  waiter.bytes = bytes;
  waiter.command = &command;
  waiter.then = then;
  waiter.run = [](engine::Runnable& self) noexcept {
    Command::Waiter& served = static_cast<Command::Waiter&>(self);
    served.command->buffer = std::move(served.buffer);
    served.then(*served.command);
  };
  command.shard->buffers().wait(waiter);
}

}  // namespace lunar::scsi

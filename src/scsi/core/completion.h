// How a command ends, and what it waits for: shared by the commands of all families.
#pragma once

#include <cstddef>

#include "engine/task.h"
#include "scsi/core/command.h"
#include "scsi/spec/cdb.h"
#include "scsi/spec/sense.h"

namespace lunar::scsi {

// Ends the command with the outcome that is set. Called from the shard's loop only, as its owner
// may destroy the command.
void end_now(Command& command) noexcept;
// The same in the shard's next loop: from anywhere.
void end_soon(Command& command);

// Sets the outcome. Returns false, so that a decode function can `return refuse(…)`.
bool refuse(Command& command, const spec::Sense& sense);
void set_check_condition(Command& command, const spec::Sense& sense);
// RFC 7143 §11.4.5: the transport was told of an amount of data that the command cannot use. That
// is the fault, not a field of the CDB. Returns false.
bool refuse_amount_of_data(Command& command);
// What the medium said, as status and sense. `request` is the command's own.
void set_outcome(Command& command);

// Runs a command that is a sequence of steps; when they have ended the command does, with the
// outcome that they have set. For what happens seldom: the medium's own commands go without a
// coroutine.
void run_sequence(Command& command, engine::Task<void> (*sequence)(Command&));

// Passes the command's own block request on; `done` is called from the loop with the result.
void submit(Command& command, block::Request::Done done);
// For the last request of a command: its `done`.
void medium_done(block::Request& request) noexcept;

// Calls then(command) when command.buffer holds `bytes`: at once when the pool has them.
void with_buffer(Command& command, std::size_t bytes, void (*then)(Command&) noexcept);

// The CDB of a command whose description is known, so that its length is, too.
[[nodiscard]] inline spec::Cdb cdb_of(const Command& command) {
  return *spec::Cdb::parse(
      Bytes(reinterpret_cast<const std::byte*>(command.cdb.data()), command.cdb.size()));
}

[[nodiscard]] inline Command& command_of(block::Request& request) {
  return static_cast<Command&>(request);
}

}  // namespace lunar::scsi

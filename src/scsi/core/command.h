// One SCSI command as a transport hands it to the device server, and what comes back.
#pragma once

#include <array>
#include <coroutine>
#include <cstdint>

#include "base/bytes.h"
#include "engine/buffer_pool.h"
#include "engine/gate.h"
#include "lunar/block/request.h"
#include "lunar/types.h"
#include "scsi/core/shared_task_set.h"
#include "scsi/spec/sense.h"
#include "scsi/spec/status.h"

namespace lunar::scsi {

struct ItlNexus;
class LogicalUnitShard;
class Nexus;
struct CommandDescription;  // a row of the command table

constexpr std::size_t kMaxCdbBytes = 32;

// SAM-5 §8.2 task attributes.
enum class TaskAttribute : std::uint8_t { simple, head_of_queue, ordered, aca };

// Which way data goes, seen from the initiator (SAM-5 §5.4.3).
enum class DataDirection : std::uint8_t { none, in, out };

// The rows of the command table for media with room for protection information: while they have
// none, while they have some, and while that is of type 2.
enum class ProtectionRows : std::uint8_t { without, with, type_2 };

// The life of a command, for whoever aborts it.
enum class CommandState : std::uint8_t {
  idle,      // not known to the device server
  prepared,  // decoded; the transport gathers its data
  waiting,   // executed, but its task attribute or an older command's holds it back
  running,   // in the device server or below
  finished,  // status is set; `finished` has been called or is on its way
};

// A command's place in its task set, beside its place on run lists.
struct TaskSetHook : ListHook {};

// The block request is the command's own, so that a READ needs no second object. A transport
// derives its task from this. Pooled, one shard, never moved. Call reset() before each use. From
// prepare() to `finished` the Runnable in it is the device server's.
struct Command : block::Request, TaskSetHook {
  using Finished = void (*)(Command&) noexcept;

  // ---- Set by the transport before prepare().
  std::array<std::uint8_t, kMaxCdbBytes> cdb{};
  std::uint8_t cdb_length = 16;             // bytes given
  std::array<std::uint8_t, 8> lun_field{};  // SAM-5 §4.7, as received
  TaskAttribute attribute = TaskAttribute::simple;
  Nexus* nexus = nullptr;
  // Expected Data Transfer Length: the most data-in that is wanted, how much data-out is offered.
  std::uint32_t expected_in_bytes = 0;
  std::uint32_t expected_out_bytes = 0;
  // The transport reads data_in more than once (a digest): it must be a copy, not the medium's
  // memory.
  bool stable_data_in = false;
  // SAM-5 §5.3.3: no status goes to the initiator when `aborted` is set, but for `tell_aborted`.
  Finished finished = nullptr;  // called on the shard's loop, never from inside prepare or execute

  // ---- Set by prepare(): what the CDB asks for. When prepare() says `finished`, only the outcome
  // counts.
  DataDirection direction = DataDirection::none;
  // What the CDB needs; the transport gathers min(this, expected_out_bytes).
  std::uint32_t data_out_bytes = 0;

  // ---- Set by the transport between prepare() and execute(): the data-out, contiguous, aligned to
  // engine::kMinBufferBytes for medium writes. May lie in `buffer`, in the transport's own memory,
  // or in the medium (write window).
  MutableBytes data_out;

  // ---- Outcome.
  spec::Status status_code = spec::Status::good;
  spec::Sense sense;  // valid when status_code is check_condition
  // Of that sense data: D_SENSE of the logical unit's control mode page when the command ended.
  spec::SenseFormat sense_format = spec::SenseFormat::fixed;
  // Before truncation to expected_in_bytes: its size is what the CDB asked to return. With GOOD and
  // with nothing else.
  Bytes data_in;
  engine::Buffer buffer;  // owns data_in or data_out where it is not lent

  // ---- The device server's own.
  const CommandDescription* description = nullptr;
  // Until the command has finished: the logical unit may go then. Null: the target itself answers.
  LogicalUnitShard* unit = nullptr;
  ItlNexus* itl = nullptr;
  CommandState state = CommandState::idle;
  bool aborted = false;        // a task management function or the end of the nexus wants it gone
  bool tell_aborted = false;   // another nexus did it, and TAS is one: the status is TASK ABORTED
  bool in_medium = false;      // its data-out comes into a write window
  bool to_well_known = false;  // `unit` is null: the REPORT LUNS well known logical unit answers
  // Where the row heeds kProtectionRoom: which rows were in force when the command was decoded.
  ProtectionRows protection_rows = ProtectionRows::without;
  // Set once it may not run any more, as the logical unit has changed: the outcome, unless the
  // medium has done what was asked.
  const spec::Sense* withdrawn = nullptr;
  // While data_in is memory that the medium has lent: keeps its logical unit open on this shard.
  // Let go by release_memory().
  engine::Gate::Holder loan;
  std::uint32_t allocation_length = 0;  // of a command that returns parameter data
  struct Waiter : engine::BufferWaiter {
    Command* command = nullptr;
    void (*then)(Command&) noexcept = nullptr;
  } buffer_waiter;                   // while the pool is empty
  std::coroutine_handle<> sequence;  // waits for the block request: see medium_step.h
  // Where a command of several block requests stands (VERIFY, UNMAP, WRITE SAME).
  struct Steps {
    Lba lba;                  // the next block
    BlockCount left;          // blocks to go
    std::uint32_t index = 0;  // of the next descriptor
  } steps;

  // Its place in a task set of all nexuses; nothing while it is in none.
  SharedTaskSet::Turn* turn = nullptr;
  std::uint64_t older_than = 0;  // the first mark that came after it; 0: none

  // Forgets the command before, whose memory has been released. Not while one is under way.
  void reset();
  // The transport has sent the data: gives back `buffer`, and what the medium has lent.
  void release_memory();
};

// Whether it should end as soon as it can.
[[nodiscard]] inline bool is_unwanted(const Command& command) {
  return command.aborted || command.withdrawn != nullptr;
}

}  // namespace lunar::scsi

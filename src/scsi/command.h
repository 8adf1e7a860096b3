// One SCSI command as a transport hands it to the device server, and what comes back.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"
#include "engine/buffer_pool.h"
#include "lunar/block/request.h"
#include "lunar/types.h"
#include "scsi/spec/sense.h"
#include "scsi/spec/status.h"

namespace lunar::scsi {

class LogicalUnitShard;
class Nexus;
struct CommandDescription;  // a row of the command table

constexpr std::size_t kMaxCdbBytes = 32;

// SAM-5 §8.2 task attributes.
enum class TaskAttribute : std::uint8_t { simple, head_of_queue, ordered, aca };

// Which way data goes, seen from the initiator (SAM-5 §5.4.3).
enum class DataDirection : std::uint8_t { none, in, out };

// The life of a command, for whoever aborts it.
enum class CommandState : std::uint8_t {
  idle,      // not known to the device server
  prepared,  // decoded; the transport gathers its data
  running,   // in the device server or below
  finished,  // status is set; `finished` has been called or is on its way
};

// The block request is the command's own, so that a READ needs no second object. A transport derives its
// task from this. Pooled, one shard, never moved.
// A command's place in its logical unit's task set, beside its place on run lists.
struct TaskSetHook : ListHook {};

struct Command : block::Request, TaskSetHook {
  using Finished = void (*)(Command&) noexcept;

  // ---- Set by the transport before prepare().
  std::array<std::uint8_t, kMaxCdbBytes> cdb{};
  std::uint8_t cdb_length = 16;           // bytes given
  std::array<std::uint8_t, 8> lun_field{};  // SAM-5 §4.7, as received
  TaskAttribute attribute = TaskAttribute::simple;
  Nexus* nexus = nullptr;
  std::uint32_t expected_in_bytes = 0;   // the transport's limit to data-in (Expected Data Transfer Length)
  std::uint32_t expected_out_bytes = 0;  // how much data-out the initiator offers
  Finished finished = nullptr;           // called on the shard's loop, never from inside prepare or execute

  // ---- Set by prepare(): what the CDB asks for. When prepare() says `finished`, only the outcome counts.
  DataDirection direction = DataDirection::none;
  std::uint32_t data_out_bytes = 0;  // what the CDB needs; the transport gathers min(this, expected_out_bytes)

  // ---- Set by the transport between prepare() and execute(): the data-out, contiguous, aligned to the
  // device's buffer_alignment for medium writes (see DeviceServer::data_out_alignment). May lie in `buffer`,
  // in the transport's own memory, or in the medium (write window).
  MutableBytes data_out;

  // ---- Outcome.
  spec::Status status_code = spec::Status::good;
  spec::Sense sense;         // valid when status_code is check_condition
  Bytes data_in;             // before truncation to expected_in_bytes: its size is what the CDB asked to return
  engine::Buffer buffer;     // owns data_in or data_out where it is not lent

  // ---- The device server's own.
  const CommandDescription* description = nullptr;
  LogicalUnitShard* unit = nullptr;
  CommandState state = CommandState::idle;
  bool aborted = false;      // a task management function or the end of the nexus wants it gone
  engine::BufferWaiter buffer_waiter;  // while the pool is empty
};

}  // namespace lunar::scsi

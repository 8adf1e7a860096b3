// An iSCSI task that carries a SCSI command (RFC 7143 §4.2.2, §11.3).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <new>

#include "base/cache_line.h"
#include "block/statistics.h"
#include "iscsi/session/block_pool.h"
#include "iscsi/session/kept_data.h"
#include "iscsi/spec/pdu.h"
#include "scsi/core/command.h"

namespace lunar::iscsi {

class SessionConnection;

// The most R2Ts that one task has outstanding, whatever MaxOutstandingR2T allows.
constexpr std::uint32_t kMaxOutstandingR2t = 8;

// One sequence of Data-Out PDUs: the unsolicited one, or what an R2T asked for.
struct DataOutSequence {
  std::uint32_t target_transfer_tag = spec::kReservedTag;  // reserved: unsolicited
  std::uint32_t offset = 0;                                // of the next byte expected
  std::uint32_t end = 0;                                   // one past the last
  std::uint32_t next_data_sn = 0;
};

// Page-aligned memory outside the pool.
struct FreeSpill {
  void operator()(std::byte* memory) const {
    ::operator delete[](memory, std::align_val_t(engine::kMinBufferBytes));
  }
};
using Spill = std::unique_ptr<std::byte[], FreeSpill>;

// How far the Data-In PDUs of a task have been made. They are made as the socket takes them: see
// data_in.cpp.
struct DataInCursor {
  std::uint32_t offset = 0;     // of the next PDU's data
  std::uint32_t end = 0;        // one past the last byte
  std::uint32_t burst_end = 0;  // of this sequence (MaxBurstLength)
  // Told with the status.
  std::uint32_t residual = 0;
  std::uint8_t residual_flags = 0;
};

// A task's place among those that wait for a buffer.
struct PlaceHook : ListHook {};
// A task's place among those whose Data-In PDUs have not all been made.
struct DataInHook : ListHook {};

struct alignas(kCacheLine) Task : scsi::Command, PlaceHook, DataInHook {
  // It came by this one, which alone answers it (connection allegiance), and is its session's.
  SessionConnection* connection = nullptr;
  Task* next_in_bucket = nullptr;  // by initiator task tag; free list when free
  std::uint32_t initiator_task_tag = 0;
  std::uint32_t expected_data_transfer_length = 0;
  std::uint8_t flags = 0;  // of the SCSI Command PDU: kRead, kWrite
  bool immediate = false;  // delivery
  bool windowed = false;   // counts against the command window

  std::uint32_t data_in_pdus = 0;  // made; ExpDataSN of the response
  DataInCursor data_in_cursor;
  // What of data_in was copied before the medium changed it, and has no PDU yet.
  std::unique_ptr<KeptData> kept;

  // ---- Data-out.
  Spill spill;  // owns data_out while the pool is empty and data comes unasked
  std::uint32_t wanted_out_bytes = 0;  // min(what the CDB needs, what the initiator has)
  std::uint32_t next_r2t_offset = 0;
  std::uint32_t r2t_sn = 0;      // of the next R2T
  bool held = false;             // waits for an earlier CmdSN
  bool prepared = false;         // the device server knows it
  bool executing = false;        // and has all its data
  bool outcome_known = false;    // status and sense are set; waits for announced data to end
  bool transfer_failed = false;  // transfer_sense is the outcome, whatever the device server says
  bool dropped = false;          // ends without a response
  bool managed = false;          // a task management function for its task set is under way
  bool end_deferred = false;     // ends when the data segment that is arriving for it has come
  bool expects_unsolicited = false;  // the unsolicited sequence has not had its F bit
  DataOutSequence unsolicited;
  std::uint32_t asked_alarms = 0;    // SessionConnection::alarms_ when data-out was last asked for
  std::uint64_t asked_at_bytes = 0;  // where its last R2T ends, in all that the connection sends
  std::uint8_t first_sequence = 0;   // of the ring of solicited ones, in the order asked
  std::uint8_t sequence_count = 0;
  std::array<DataOutSequence, kMaxOutstandingR2t> sequences;
  scsi::spec::Sense transfer_sense;
  engine::Event* gone = nullptr;  // set when it has ended; of a task management function

  // Forgets the command before, both its SCSI and its iSCSI part.
  void reset_all();

  [[nodiscard]] bool has_write() const { return (flags & spec::kWrite) != 0; }
  [[nodiscard]] bool has_read() const { return (flags & spec::kRead) != 0; }
  // Data-Out PDUs of it may still come.
  [[nodiscard]] bool expects_data() const { return expects_unsolicited || sequence_count != 0; }
};

// Memory of the tasks of one shard.
class TaskPool {
 public:
  Task& take();
  void give_back(Task& task);
  // From any thread.
  [[nodiscard]] std::size_t in_use() const { return in_use_.value(); }
  [[nodiscard]] std::size_t size() const { return pool_.size(); }
  void trim() { pool_.trim(); }

 private:
  BlockPool<Task, &Task::next_in_bucket> pool_;
  block::Gauge in_use_;
};

// The tasks of a session by initiator task tag.
class TaskTable {
 public:
  [[nodiscard]] Task* find(std::uint32_t initiator_task_tag) const;
  void insert(Task& task);
  void remove(Task& task);
  template <class Visit>
  void for_each(Visit visit) {
    for (Task* task : buckets_) {
      while (task != nullptr) {
        Task* next = task->next_in_bucket;
        visit(*task);
        task = next;
      }
    }
  }

 private:
  static constexpr std::size_t kBuckets = 128;
  static std::size_t bucket_of(std::uint32_t tag) { return (tag ^ (tag >> 16)) % kBuckets; }

  std::array<Task*, kBuckets> buckets_{};
};

}  // namespace lunar::iscsi

// One connection in the full feature phase of its session (RFC 7143 §4.2): takes PDUs, completions
// and time, gives PDUs and SCSI commands. It knows no socket; a Connection, the simulator or a
// fuzzer drives it.
//
// Its own are the CID, StatSN, the queue of PDUs and their receiver, the parameters that each
// connection negotiates, and the tasks whose commands came by it: it alone answers them (connection
// allegiance, RFC 7143 §4.2.2.1). What it shares with other connections is in Session. One shard,
// the session's.
//
// Error recovery level 0: what cannot be put right by a status or a Reject ends the connection, and
// the initiator's session recovery does the rest. Split over several files by subject:
//   session_connection.cpp  the dispatch of requests, NOP, text, rejects
//   scsi_command.cpp        a SCSI command arrives, with its immediate data
//   data_out.cpp            data-out: unsolicited and asked for by R2T
//   data_out_places.cpp     memory for data-out, and what happens while there is none
//   response.cpp            the outcome: status, residuals
//   data_in.cpp             data-in, made as the socket takes it
//   task_management.cpp     task management functions, for all of the session
//   logout.cpp              the end of a connection: logout, stop
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/cache_line.h"
#include "engine/gate.h"
#include "engine/shard.h"
#include "iscsi/login/text_request.h"
#include "iscsi/session/pdu_queue.h"
#include "iscsi/session/pdu_receiver.h"
#include "iscsi/session/session.h"
#include "iscsi/session/task.h"

namespace lunar::iscsi {

// Task management requests in progress, of one connection.
constexpr std::size_t kMaxManagementRequests = 32;
// At as many alarms one after the other (kNopIntervalNs) an initiator may owe data-out.
constexpr std::uint32_t kPatientAlarms = 2;
// Responses that the initiator does not fetch; past it we stop reading requests.
constexpr std::size_t kMaxQueuedPdus = 4096;
constexpr std::size_t kMaxQueuedBytes = 1 * kMiB;  // of data copied into them: echoes, text
[[nodiscard]] inline bool is_full(const PduQueue& queue) {
  return queue.count() >= kMaxQueuedPdus || queue.owned_bytes() >= kMaxQueuedBytes;
}
// Past as many PDUs, or bytes, in the queue no Data-In is made: it waits in its task. Enough for
// the next sends, little enough that what is sent ahead of it (R2T, NOP-In, task management) does
// not come late.
constexpr std::size_t kMaxMadePdus = 512;
constexpr std::size_t kMaxMadeBytes = 2 * kMiB;
// Data-in that the initiator does not fetch while WRITE ATOMIC changes the medium's memory that it
// lies in; past it the connection ends. Nobody's write waits for a peer that does not read.
constexpr std::size_t kMaxKeptBytes = 32 * kMiB;

// Pools that the connections of one shard share.
struct SessionPools {
  TaskPool tasks;
  OutboundPduPool pdus;
  // What a peak needed goes back to the system.
  void trim() {
    tasks.trim();
    pdus.trim();
  }
};

class alignas(kCacheLine) SessionConnection final : public SessionHook,
                                                    private PduReceiver::Handler {
 public:
  // Who drives a connection.
  class Host {
   public:
    // PDUs wait in the queue: send them when this batch ends.
    virtual void output_ready() = 0;
    // The connection must end: after what is queued has been sent, or at once.
    virtual void close_after_output() = 0;
    virtual void close_now(std::string_view why) = 0;
    // The receiver was stalled and can go on.
    virtual void input_unblocked() = 0;
    // Every session of this target must end (TARGET COLD RESET); this one after its output.
    virtual void target_cold_reset() = 0;

   protected:
    ~Host() = default;
  };
  struct Environment {
    engine::Shard& shard;
    SessionPools& pools;
    Host& host;
    const NegotiationPolicy& policy;
    const TargetLister& lister;
    std::string initiator_address{};  // for the log
  };

  // Not in a session yet: the host logs in through queue() and receiver(), which `login` handles.
  SessionConnection(const Environment& environment, PduReceiver::Handler& login);
  ~SessionConnection();  // after stop(), if it has joined a session

  // After login; `next_stat_sn` is that of the first response. From here on it handles what the
  // receiver gives.
  void join(std::shared_ptr<Session> session, std::uint16_t cid,
            const ConnectionParameters& parameters, std::uint32_t next_stat_sn);

  // ---- From its host.
  [[nodiscard]] PduQueue& queue() { return queue_; }
  [[nodiscard]] const PduQueue& queue() const { return queue_; }
  [[nodiscard]] PduReceiver& receiver() { return receiver_; }
  [[nodiscard]] const PduReceiver& receiver() const { return receiver_; }
  // Null before join().
  [[nodiscard]] Session* session() const { return session_.get(); }
  // The last PDU of this task has been sent.
  void on_task_sent(Task& task);
  // To be called before each send: what Data-In waits gets PDUs, as far as the queue has room.
  void make_data_in_for_send() {
    if (!making_data_in_.empty()) [[unlikely]]
      make_more_data_in();
  }
  // Asks whether the initiator is alive (RFC 7143 §11.19).
  void send_nop_in();
  // Ignores commands that come from now on.
  void drain() { draining_ = true; }
  // Drops what is queued, aborts every task that came by it, and completes when none is left, no
  // sequence runs, and the session is without it. Then it can be destroyed; it queues nothing more.
  // After the receiver has stopped.
  engine::Task<void> stop();
  // Its SCSI tasks whose status has not been queued.
  [[nodiscard]] std::size_t active_tasks() const { return active_tasks_; }
  // Whether data-out may come, or will be asked for.
  [[nodiscard]] bool awaits_data();
  // PDUs that the initiator sent, for the keep-alive.
  [[nodiscard]] std::uint64_t received_pdus() const { return received_pdus_; }
  // To be asked at each alarm of the connection: whether the initiator owes data-out since
  // kPatientAlarms of them and has sent none. Others may wait for what such a command holds: a
  // buffer, or the blocks that it writes. `taken_bytes`: how much of all that was sent the
  // initiator's machine has.
  [[nodiscard]] bool misses_data_out(std::uint64_t taken_bytes);

  // ---- From its session.
  [[nodiscard]] std::uint16_t cid() const { return cid_; }
  // Neither logging out nor ending.
  [[nodiscard]] bool takes_requests() const { return !logged_out_ && !stopping_; }
  // The turn of a request that waited for its CmdSN has come.
  void deliver(Task& task);
  void dispatch(const InboundPdu& pdu);
  // Delivers what else waited, of whatever connection.
  void deliver_held() noexcept;
  // Ends a task without a response, now or when the device server lets go of it.
  void drop(Task& task);
  // Drops the managed tasks whose data have not all been made into PDUs. `lun`: those of one
  // logical unit; null: of all.
  void drop_managed_data_in(const std::array<std::uint8_t, 8>* lun);
  // See block::Borrower.
  void keep_lent_data(Bytes memory) noexcept;
  void close(std::string_view why) { host_.close_now(why); }
  void on_other_left() { other_left_.set(); }

 private:
  using Delivery = CommandOrder::Delivery;

  // ---- PduReceiver::Handler
  Placement on_header(InboundPdu& pdu, bool whole) override;
  void on_pdu(InboundPdu& pdu) override;
  void on_format_error(std::string_view what) override;

  // Runs `work`. Memory that cannot be had ends the connection, never the shard.
  template <class Work>
  void guarded(const Work& work) noexcept;
  // StatSN (consumed), ExpCmdSN, MaxCmdSN; then queues it.
  template <class Pdu>
  void send(OutboundPdu& out, const Pdu& pdu);
  // The same for a `pdu` that was filled in its place: out.begin().
  template <class Pdu>
  void send_begun(OutboundPdu& out, Pdu& pdu);
  // As send(), for PDUs that carry StatSN without consuming it.
  template <class Pdu>
  void send_without_status(OutboundPdu& out, const Pdu& bhs);

  // ---- session_connection.cpp
  void hold(const InboundPdu& pdu, Task* task);
  void on_nop_out(const InboundPdu& pdu);
  void on_text_request(const InboundPdu& pdu);
  void reject(const spec::Bhs& bhs, spec::RejectReason reason, std::string_view why);

  // ---- scsi_command.cpp
  Placement place_command_data(const InboundPdu& pdu, bool whole);
  void on_scsi_command(const InboundPdu& pdu);
  Task* begin_task(const InboundPdu& pdu);
  bool prepare(Task& task);

  // ---- data_out.cpp
  Placement place_data_out(const InboundPdu& pdu, bool whole);
  void on_data_out(const InboundPdu& pdu);
  void continue_transfer(Task& task);
  void request_data(Task& task);
  void place_bytes(Task& task, std::uint32_t offset, Bytes data);
  DataOutSequence* sequence_of(Task& task, const spec::DataOut& header);
  void end_sequence(Task& task, const DataOutSequence& sequence);
  void fail_transfer(Task& task, const scsi::spec::Sense& sense);

  // ---- data_out_places.cpp
  bool find_place(Task& task);
  bool place_unasked_data(Task& task, const InboundPdu& pdu);
  [[nodiscard]] bool may_stall();
  void wait_for_place(Task& task);
  void stop_waiting_for_place(Task& task);
  void wait_for_buffer(std::size_t bytes);
  void on_buffer();
  void serve_waiting();

  // ---- response.cpp
  void on_finished(Task& task) noexcept;
  void settle(Task& task);
  void conclude(Task& task);
  void respond(Task& task);
  void send_scsi_response(Task& task, std::uint8_t residual_flags, std::uint32_t residual);
  void forget(Task& task);
  void release(Task& task);
  void tell_gone(engine::Event* gone);
  // Calls visit(task) for each task that came by this connection.
  template <class Visit>
  void for_each_task(const Visit& visit);

  // ---- data_in.cpp
  [[nodiscard]] bool has_room_for_data_in() const {
    return queue_.count() < kMaxMadePdus && queue_.bytes() < kMaxMadeBytes;
  }
  void begin_data_in(Task& task, std::uint32_t bytes, std::uint8_t residual_flags,
                     std::uint32_t residual);
  void send_last_data_in(Task& task, OutboundPdu& out, spec::DataIn& pdu,
                         std::uint8_t residual_flags, std::uint32_t residual);
  void make_more_data_in();
  bool make_data_in(Task& task);
  void stop_data_in(Task& task);
  [[nodiscard]] bool keep_unmade_data(Task& task, Bytes memory);

  // ---- task_management.cpp
  void on_task_management(const InboundPdu& pdu);
  engine::Task<void> manage(spec::TaskManagementRequest request);

  // ---- logout.cpp
  void on_logout_request(const InboundPdu& pdu);
  engine::Task<void> log_out(spec::LogoutRequest request);
  engine::Task<void> end_others(const SessionConnection* other);
  engine::Task<void> drop_all_tasks();
  engine::Task<void> leave_session();

  engine::Shard& shard_;
  SessionPools& pools_;
  Host& host_;
  const NegotiationPolicy& policy_;
  const TargetLister& lister_;
  std::shared_ptr<Session> session_;
  PduQueue queue_;
  ConnectionParameters parameters_;
  std::uint16_t cid_ = 0;
  std::uint32_t stat_sn_ = 0;
  std::uint32_t active_tasks_ = 0;
  std::uint32_t unsent_tasks_ = 0;  // ended, with PDUs still in the queue
  std::uint32_t next_transfer_tag_ = 0;
  std::uint32_t alarms_ = 0;           // of the connection so far
  std::uint32_t data_out_alarms_ = 0;  // when the last Data-Out came
  std::uint64_t received_pdus_ = 0;
  Task* receiving_ = nullptr;  // the task whose data segment is arriving
  // In order: the first one's data is being made into PDUs.
  List<Task, DataInHook> making_data_in_;
  std::size_t kept_bytes_ = 0;  // in Task::kept
  bool logged_out_ = false;     // nothing more is read
  bool draining_ = false;       // no commands are taken
  bool stopping_ = false;
  bool stalled_ = false;      // `receiving_` waits for a place, and all of the input with it
  bool ends_others_ = false;  // a logout waits for their ends
  engine::Gate gate_;         // task management and logout in progress
  engine::Event tasks_gone_;
  engine::Event other_left_;
  // Written tasks that have no place for their data yet, in order.
  List<Task, PlaceHook> waiting_for_place_;
  engine::Buffer served_;  // what was waited for, while on_buffer() hands it out
  struct Waiter : engine::BufferWaiter {
    SessionConnection* connection = nullptr;
  } buffer_waiter_;
  std::optional<TextNegotiation> text_;  // in a session
  std::string initiator_address_;
  PduReceiver receiver_;
};

}  // namespace lunar::iscsi

// The full feature phase of a session (RFC 7143 §4.2): takes PDUs, completions and time, gives PDUs
// and SCSI commands. It knows no socket; a Connection, the simulator or a fuzzer drives it.
//
// Error recovery level 0, one connection: what cannot be put right by a status or a Reject ends the
// connection, and the initiator's session recovery does the rest. Split over several files by
// subject:
//   session.cpp          the CmdSN window and the dispatch of requests, NOP, text, logout
//   scsi_command.cpp     a SCSI command arrives, with its immediate data
//   data_out.cpp         data-out: unsolicited and asked for by R2T
//   response.cpp         the outcome: status, residuals
//   data_in.cpp          data-in, made as the socket takes it
//   data_out_places.cpp  memory for data-out, and what happens while there is none
//   task_management.cpp  task management, aborts, the end of a session
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/cache_line.h"
#include "block/front_user.h"
#include "engine/gate.h"
#include "engine/shard.h"
#include "iscsi/login/login_negotiation.h"
#include "iscsi/login/text_request.h"
#include "iscsi/session/pdu_queue.h"
#include "iscsi/session/pdu_receiver.h"
#include "iscsi/session/task.h"
#include "scsi/core/nexus.h"
#include "scsi/target/device_server.h"

namespace lunar::iscsi {

// Immediate commands in progress.
constexpr std::uint32_t kMaxImmediateTasks = 32;
// Task management requests in progress.
constexpr std::size_t kMaxManagementRequests = 32;
// Data of requests that wait for an earlier CmdSN. On one connection requests come in order, so
// only a broken initiator has any; past it the connection ends.
constexpr std::size_t kMaxHeldBytes = 1 * kMiB;
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

// Pools that the sessions of one shard share.
struct SessionPools {
  TaskPool tasks;
  OutboundPduPool pdus;
  // What a peak needed goes back to the system.
  void trim() {
    tasks.trim();
    pdus.trim();
  }
};

// Who drives a session.
class SessionHost {
 public:
  // PDUs wait in the queue: send them when this batch ends.
  virtual void output_ready() = 0;
  // The connection must end: after what is queued has been sent, or at once.
  virtual void close_after_output() = 0;
  virtual void close_now(std::string_view why) = 0;
  // The receiver was stalled and can go on.
  virtual void input_unblocked() = 0;
  // The data segment that is arriving has no place any more.
  virtual void discard_input() = 0;
  // Every session of this target must end (TARGET COLD RESET); this one after its output.
  virtual void target_cold_reset() = 0;

 protected:
  ~SessionHost() = default;
};

class alignas(kCacheLine) Session final : public PduReceiver::Handler, private block::Borrower {
 public:
  struct Environment {
    engine::Shard& shard;
    SessionPools& pools;
    PduQueue& queue;
    SessionHost& host;
    const NegotiationPolicy& policy;
    const TargetLister& lister;
    scsi::DeviceServer* device_server;  // null in a discovery session
    std::uint16_t relative_target_port_id;
    std::string initiator_address{};  // numeric; empty: not known
  };

  // After login; `next_stat_sn` is that of the first response.
  Session(const Environment& environment, const LoginIdentity& identity,
          const Parameters& parameters, std::uint32_t next_stat_sn);
  ~Session();

  // ---- PduReceiver::Handler
  Placement on_header(InboundPdu& pdu, bool whole) override;
  void on_pdu(InboundPdu& pdu) override;
  void on_format_error(std::string_view what) override;

  // ---- From the connection.
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
  // Aborts every task and completes when none is left and no sequence runs. Then the session can be
  // destroyed; it queues nothing more.
  engine::Task<void> stop();

  [[nodiscard]] const LoginIdentity& identity() const { return identity_; }
  [[nodiscard]] const Parameters& parameters() const { return parameters_; }
  // SCSI tasks whose status has not been queued.
  [[nodiscard]] std::size_t active_tasks() const { return tasks_.size(); }
  // Whether data-out may come, or will be asked for.
  [[nodiscard]] bool awaits_data();
  // PDUs that the initiator sent, for the keep-alive.
  [[nodiscard]] std::uint64_t received_pdus() const { return received_pdus_; }
  // To be asked at each alarm of the connection: whether the initiator owes data-out since
  // kPatientAlarms of them and has sent none. Others may wait for what such a command holds: a
  // buffer, or the blocks that it writes. `taken_bytes`: how much of all that was sent the
  // initiator's machine has.
  [[nodiscard]] bool misses_data_out(std::uint64_t taken_bytes);

 private:
  // ---- block::Borrower
  void keep_lent_data(Bytes memory) override;

  // Runs `work`. Memory that cannot be had ends the connection, never the shard.
  template <class Work>
  void guarded(const Work& work) noexcept;

  // ---- session.cpp
  enum class Delivery : std::uint8_t {
    now,     // in order, or immediate
    hold,    // an earlier CmdSN is missing
    ignore,  // outside the window, or a duplicate (RFC 7143 §4.2.2.1)
  };
  // A request that waits for an earlier CmdSN; an empty one only fills its place in the order.
  struct HeldRequest : ListHook {
    std::uint32_t cmd_sn = 0;
    bool has_request = false;
    spec::Bhs bhs;
    Task* task = nullptr;         // of a SCSI command
    std::vector<std::byte> data;  // of anything else
  };

  [[nodiscard]] Delivery delivery_of(const spec::Bhs& bhs);
  [[nodiscard]] std::uint32_t max_cmd_sn() const;
  void consume_cmd_sn(const spec::Bhs& bhs);
  void admit(Task& task);
  [[nodiscard]] HeldRequest* find_held(std::uint32_t cmd_sn);
  void hold(const InboundPdu& pdu, Task* task);
  void hold_place(std::uint32_t cmd_sn);
  HeldRequest& insert_held(std::uint32_t cmd_sn);
  void deliver_held() {
    if (!held_.empty()) [[unlikely]]
      deliver_held_requests();
  }
  void deliver_held_requests();
  void dispatch(const InboundPdu& pdu);
  void on_nop_out(const InboundPdu& pdu);
  void on_text_request(const InboundPdu& pdu);
  void on_logout_request(const InboundPdu& pdu);
  engine::Task<void> log_out(spec::LogoutRequest request);
  void reject(const spec::Bhs& bhs, spec::RejectReason reason, std::string_view why);
  // StatSN (consumed), ExpCmdSN, MaxCmdSN; then queues it.
  template <class Pdu>
  void send(OutboundPdu& out, const Pdu& pdu);
  // The same for a `pdu` that was filled in its place: out.begin().
  template <class Pdu>
  void send_begun(OutboundPdu& out, Pdu& pdu);
  // As send(), for PDUs that carry StatSN without consuming it.
  template <class Pdu>
  void send_without_status(OutboundPdu& out, const Pdu& bhs);

  // ---- scsi_command.cpp
  Placement place_command_data(const InboundPdu& pdu, bool whole);
  void on_scsi_command(const InboundPdu& pdu);
  Task* begin_task(const InboundPdu& pdu);
  bool prepare(Task& task);
  void deliver(Task& task);

  // ---- data_out.cpp
  Placement place_data_out(const InboundPdu& pdu, bool whole);
  void on_data_out(const InboundPdu& pdu);
  void continue_transfer(Task& task);
  void request_data(Task& task);
  void place_bytes(Task& task, std::uint32_t offset, Bytes data);
  DataOutSequence* sequence_of(Task& task, const spec::DataOut& header);
  void end_sequence(Task& task, const DataOutSequence& sequence);
  void fail_transfer(Task& task, const scsi::spec::Sense& sense);

  // ---- response.cpp
  void on_finished(Task& task) noexcept;
  void settle(Task& task);
  void conclude(Task& task);
  void respond(Task& task);
  void send_scsi_response(Task& task, std::uint8_t residual_flags, std::uint32_t residual);
  void forget(Task& task);
  void release(Task& task);
  void tell_gone(engine::Event* gone);

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

  // ---- data_out_places.cpp
  bool find_place(Task& task);
  bool place_unasked_data(Task& task, const InboundPdu& pdu);
  [[nodiscard]] bool may_stall();
  void wait_for_place(Task& task);
  void stop_waiting_for_place(Task& task);
  void wait_for_buffer(std::size_t bytes);
  void on_buffer();
  void serve_waiting();

  // ---- task_management.cpp
  void on_task_management(const InboundPdu& pdu);
  engine::Task<void> manage(spec::TaskManagementRequest request);
  engine::Task<spec::TmfResponse> perform(const spec::TaskManagementRequest& request,
                                          spec::TaskManagementResponse& response);
  [[nodiscard]] spec::TmfResponse query_task(const spec::TaskManagementRequest& request);
  [[nodiscard]] spec::TmfResponse query_asynchronous_event(
      const spec::TaskManagementRequest& request, spec::TaskManagementResponse& response);
  engine::Task<spec::TmfResponse> abort_task(const spec::TaskManagementRequest& request);
  void drop_held(std::uint32_t cmd_sn, const std::array<std::uint8_t, 8>* lun);
  void begin_set_function(const spec::TaskManagementRequest& request,
                          const std::array<std::uint8_t, 8>* lun);
  spec::TmfResponse end_set_function(scsi::TaskManagementOutcome outcome,
                                     const std::array<std::uint8_t, 8>* lun);
  void drop(Task& task);
  engine::Task<void> drop_all_tasks();

  engine::Shard& shard_;
  SessionPools& pools_;
  PduQueue& queue_;
  SessionHost& host_;
  scsi::DeviceServer* device_server_;
  LoginIdentity identity_;
  Parameters parameters_;
  TextNegotiation text_;
  std::unique_ptr<scsi::Nexus> nexus_;  // none in a discovery session

  TaskTable tasks_;
  std::uint32_t unsent_tasks_ = 0;  // ended, with PDUs still in the queue
  std::uint32_t exp_cmd_sn_;
  std::uint32_t stat_sn_;
  std::uint32_t command_window_;
  std::uint32_t windowed_tasks_ = 0;  // tasks that took a place in the command window
  std::uint32_t immediate_tasks_ = 0;
  std::uint32_t next_transfer_tag_ = 0;
  std::uint64_t received_pdus_ = 0;
  std::uint32_t alarms_ = 0;           // of the connection so far
  std::uint32_t data_out_alarms_ = 0;  // when the last Data-Out came
  Task* receiving_ = nullptr;          // the task whose data segment is arriving
  // In order: the first one's data is being made into PDUs.
  List<Task, DataInHook> making_data_in_;
  std::size_t kept_bytes_ = 0;  // in Task::kept
  bool logged_out_ = false;     // nothing more is read
  bool draining_ = false;       // no commands are taken
  bool stopping_ = false;
  List<HeldRequest> held_;  // ascending CmdSN
  engine::Gate gate_;       // task management and logout in progress
  engine::Event tasks_gone_;
  // Written tasks that have no place for their data yet, in order.
  List<Task, PlaceHook> waiting_for_place_;
  bool stalled_ = false;   // `receiving_` waits for a place, and all of the input with it
  engine::Buffer served_;  // what was waited for, while on_buffer() hands it out
  struct Waiter : engine::BufferWaiter {
    Session* session = nullptr;
  } buffer_waiter_;
  std::string initiator_address_;  // for the log
};

}  // namespace lunar::iscsi

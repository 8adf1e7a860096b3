// The order of a session's commands (RFC 7143 §4.2.2.1): the CmdSN window, and the requests that
// wait in it for an earlier one. All connections of the session count in it together.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "iscsi/session/pdu_receiver.h"
#include "iscsi/session/task.h"
#include "iscsi/spec/pdu.h"
#include "lunar/list.h"

namespace lunar::iscsi {

class SessionConnection;

// Data of requests that wait for an earlier CmdSN. On one connection requests come in order, so
// only a broken initiator has any; past it the connection ends.
constexpr std::size_t kMaxHeldBytes = 1 * kMiB;

class CommandOrder {
 public:
  // `cmd_sn`: of the first command. `window`: how many may be in progress or on their way.
  CommandOrder(std::uint32_t cmd_sn, std::uint32_t window)
      : exp_cmd_sn_(cmd_sn), command_window_(window) {}
  CommandOrder(const CommandOrder&) = delete;
  CommandOrder& operator=(const CommandOrder&) = delete;
  ~CommandOrder();

  [[nodiscard]] std::uint32_t exp_cmd_sn() const { return exp_cmd_sn_; }
  // Every response opens a place: commands that are still being worked on count against the window.
  [[nodiscard]] std::uint32_t max_cmd_sn() const {
    return exp_cmd_sn_ + (command_window_ - windowed_tasks_) - 1;
  }

  enum class Delivery : std::uint8_t {
    now,     // in order, or immediate
    hold,    // an earlier CmdSN is missing
    ignore,  // outside the window, or a duplicate
  };
  [[nodiscard]] Delivery delivery_of(const spec::Bhs& bhs);
  // The turn of a request that is no SCSI command has come.
  void consume(const spec::Bhs& bhs) {
    if (!bhs.immediate()) ++exp_cmd_sn_;
  }
  // The turn of a command has come: from here on it takes a place in the window. Not before, or
  // commands that are held would close the window that was advertised to them.
  void admit(Task& task) {
    if (task.immediate) return;
    ++exp_cmd_sn_;
    ++windowed_tasks_;
    task.windowed = true;
  }
  // The command is over: its place is free.
  void leave(const Task& task) {
    if (task.windowed) --windowed_tasks_;
  }

  // ---- Requests that wait. Each is delivered to the connection that it came by.
  // `task`: of a SCSI command; else null, and the data are copied. False: too much waits.
  [[nodiscard]] bool hold(SessionConnection& connection, const InboundPdu& pdu, Task* task);
  // The CmdSN counts as received, now or when its turn comes; nothing is delivered.
  void hold_place(SessionConnection& connection, std::uint32_t cmd_sn);
  // Those whose turn it is.
  void deliver_held() {
    if (!held_.empty()) [[unlikely]]
      deliver_held_requests();
  }
  // What waits by this CmdSN.
  enum class Waiting : std::uint8_t { nothing, place, request };
  [[nodiscard]] Waiting waiting_by(std::uint32_t cmd_sn);
  // Ends the commands that wait and were sent before `cmd_sn`. `lun`: those of one logical unit;
  // null: of all.
  void drop_held(std::uint32_t cmd_sn, const std::array<std::uint8_t, 8>* lun);
  // The task ends, or the connection with all that came by it: only the places stay.
  void forget(const Task& task);
  void forget(const SessionConnection& connection);

 private:
  // A request that waits for an earlier CmdSN; an empty one only fills its place in the order.
  struct HeldRequest : ListHook {
    std::uint32_t cmd_sn = 0;
    bool has_request = false;
    SessionConnection* connection = nullptr;  // null: it has ended
    spec::Bhs bhs;
    Task* task = nullptr;         // of a SCSI command
    std::vector<std::byte> data;  // of anything else
  };

  [[nodiscard]] HeldRequest* find_held(std::uint32_t cmd_sn);
  HeldRequest& insert_held(SessionConnection& connection, std::uint32_t cmd_sn);
  void deliver_held_requests();

  std::uint32_t exp_cmd_sn_;
  std::uint32_t command_window_;
  std::uint32_t windowed_tasks_ = 0;  // tasks that took a place in the command window
  List<HeldRequest> held_;            // ascending CmdSN
};

}  // namespace lunar::iscsi

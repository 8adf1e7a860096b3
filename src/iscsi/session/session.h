// What the connections of a session share in its full feature phase (RFC 7143 §4.2): its names, the
// parameters that hold for all of it, the order of its commands, its tasks, and the I_T nexus that
// they belong to. What belongs to one connection is in SessionConnection.
//
// A session lives on one shard, and so do all of its connections. It ends with its last one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/cache_line.h"
#include "block/front_user.h"
#include "engine/task.h"
#include "iscsi/login/login_negotiation.h"
#include "iscsi/session/command_order.h"
#include "iscsi/session/task.h"
#include "lunar/list.h"
#include "scsi/core/nexus.h"
#include "scsi/target/device_server.h"

namespace lunar::iscsi {

// Immediate commands in progress.
constexpr std::uint32_t kMaxImmediateTasks = 32;

// A connection's place in the list of its session.
struct SessionHook : ListHook {};

class alignas(kCacheLine) Session final : private block::Borrower {
 public:
  struct Environment {
    scsi::DeviceServer* device_server;  // null in a discovery session
    std::uint16_t relative_target_port_id;
    std::uint32_t command_window;
    std::string initiator_address{};  // numeric; empty: not known
  };

  // After the login of its leading connection, which then joins it.
  Session(const Environment& environment, const LoginIdentity& identity,
          const SessionParameters& parameters);
  ~Session();  // without connections

  // As its leading connection has logged in.
  [[nodiscard]] const LoginIdentity& identity() const { return identity_; }
  [[nodiscard]] const SessionParameters& parameters() const { return parameters_; }
  // Null in a discovery session, both.
  [[nodiscard]] scsi::DeviceServer* device_server() const { return device_server_; }
  [[nodiscard]] scsi::Nexus* nexus() const { return nexus_.get(); }

  // ---- Its connections. Each calls these for itself.
  void join(SessionConnection& connection);
  // After the connection's last task. The last connection takes the nexus with it; completes when
  // that is done. None joins meanwhile.
  engine::Task<void> leave(SessionConnection& connection);
  // Null: the session has no connection of that CID.
  [[nodiscard]] SessionConnection* find_connection(std::uint16_t cid);
  // Whether there is `other`, or with null any but `connection`.
  [[nodiscard]] bool has_other(const SessionConnection& connection, const SessionConnection* other);
  // Closes those. leave() tells of their ends by SessionConnection::on_other_left().
  void close_others(const SessionConnection& connection, const SessionConnection* other);
  // The I_T nexus is lost: what depends on it ends. After its last command.
  engine::Task<void> lose_nexus();

  // ---- Its tasks.
  [[nodiscard]] CommandOrder& order() { return order_; }
  [[nodiscard]] TaskTable& tasks() { return tasks_; }
  [[nodiscard]] bool takes_immediate() const { return immediate_tasks_ < kMaxImmediateTasks; }
  void begin(Task& task) {
    tasks_.insert(task);
    if (task.immediate) ++immediate_tasks_;
  }
  // The initiator may use the task tag again, and send another command.
  void forget(Task& task) {
    tasks_.remove(task);
    if (task.immediate) --immediate_tasks_;
    order_.leave(task);
  }

  // Task management (task_management.cpp), asked for on connection `from`. Not in a discovery
  // session. Fills what the response says beside its outcome.
  engine::Task<spec::TmfResponse> perform(SessionConnection& from,
                                          const spec::TaskManagementRequest& request,
                                          spec::TaskManagementResponse& response);

 private:
  // ---- block::Borrower
  void keep_lent_data(Bytes memory) override;

  // ---- task_management.cpp
  [[nodiscard]] spec::TmfResponse query_task(const spec::TaskManagementRequest& request);
  [[nodiscard]] spec::TmfResponse query_asynchronous_event(
      const spec::TaskManagementRequest& request, spec::TaskManagementResponse& response);
  engine::Task<spec::TmfResponse> abort_task(SessionConnection& from,
                                             const spec::TaskManagementRequest& request);
  void begin_set_function(const spec::TaskManagementRequest& request,
                          const std::array<std::uint8_t, 8>* lun);
  spec::TmfResponse end_set_function(scsi::TaskManagementOutcome outcome,
                                     const std::array<std::uint8_t, 8>* lun);

  CommandOrder order_;
  std::uint32_t immediate_tasks_ = 0;
  scsi::DeviceServer* device_server_;
  std::unique_ptr<scsi::Nexus> nexus_;  // none in a discovery session
  SessionParameters parameters_;
  TaskTable tasks_;
  LoginIdentity identity_;
  List<SessionConnection, SessionHook> connections_;
};

}  // namespace lunar::iscsi

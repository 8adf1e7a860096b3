// The SCSI target device as a transport sees it.
//
// Objects and threads:
//   LogicalUnit: one per device, shared by every target that maps it. Immutable while shards run,
//     but for its UnitState.
//   LogicalUnitShard: its part on one shard: the block::Front, and the I_T_L nexuses of the shard
//     with their task sets and unit attentions.
//   Target: a SCSI target device: name, ports, LUN maps.
//   Nexus: an I_T nexus (a session). Lives on one shard.
//   DeviceServer: one per target and shard. Takes commands; what transports call. The logical units
//     of its target are open on its shard before it, and stopped after it.
//
// A command's way: prepare() decodes it by the command table; the transport then gathers
// data_out_bytes of data (none for reads); execute() runs it; `finished` is called from the loop
// with the outcome.
#pragma once

#include <memory>
#include <vector>

#include "base/cache_line.h"
#include "engine/task.h"
#include "scsi/core/command.h"
#include "scsi/core/logical_unit.h"
#include "scsi/core/nexus.h"
#include "scsi/core/target.h"

namespace lunar::scsi {

// SAM-5 §7: task management functions that the device server performs.
enum class TaskManagementOutcome : std::uint8_t {
  function_complete,
  function_succeeded,  // of a query: yes
  incorrect_lun,
  rejected,
};

// What QUERY ASYNCHRONOUS EVENT has found (SAM-5 §7.9).
struct AsynchronousEvent {
  std::size_t count = 0;  // unit attention conditions that are pending
  spec::Sense first;      // the one that would be told next, when there is one
};

class alignas(kCacheLine) DeviceServer {
 public:
  DeviceServer(Target& target, engine::Shard& shard);
  DeviceServer(const DeviceServer&) = delete;
  DeviceServer& operator=(const DeviceServer&) = delete;
  ~DeviceServer();

  // Decodes and checks; sets direction, data_out_bytes, unit. Returns true when execute() may
  // follow. False: the command has ended (CHECK CONDITION, …) and `finished` will be called;
  // execute() must not.
  bool prepare(Command& command);

  // Where write data should be received: the medium's own memory for a large plain write that
  // allows it (then data_out must be exactly it, and be filled before execute()), else empty: the
  // transport provides memory. A transport writes into the window only until it has called abort()
  // or `finished` has been called.
  [[nodiscard]] MutableBytes data_out_window(Command& command);
  // Whether execute() is done with data_out when it returns, so that it may lie in a buffer of the
  // transport's that is used again at once.
  [[nodiscard]] bool takes_data_out_at_once(const Command& command) const;

  // Runs a prepared command whose data_out is there (data_out_bytes, or fewer when the initiator
  // offered fewer: then only whole blocks that are there may be used, and the transport reports the
  // residual).
  void execute(Command& command);

  // Ends one command without effect where that is still possible; `finished` is called with
  // `aborted` set, after which the command never touches the medium. Idempotent, and nothing after
  // `finished`. Never calls back inline.
  void abort(Command& command);

  // Task management (SAM-5 §7). Each completes when every affected command has finished, on all
  // shards.
  engine::Task<TaskManagementOutcome> abort_task_set(Nexus& nexus,
                                                     const std::array<std::uint8_t, 8>& lun_field);
  // As abort_task_set where each I_T nexus has a task set (TST 001b). Else of all nexuses on every
  // shard, of which the others are told by TASK ABORTED status or a unit attention (SAM-5 §7.5).
  engine::Task<TaskManagementOutcome> clear_task_set(Nexus& nexus,
                                                     const std::array<std::uint8_t, 8>& lun_field);
  // Commands of every nexus on every shard; the other nexuses get BUS DEVICE RESET FUNCTION
  // OCCURRED.
  engine::Task<TaskManagementOutcome> logical_unit_reset(
      Nexus& nexus, const std::array<std::uint8_t, 8>& lun_field);
  // All logical units that this initiator sees, as iSCSI's TARGET WARM and COLD RESET ask: it has
  // no business with those of other hosts.
  engine::Task<TaskManagementOutcome> target_reset(Nexus& nexus);

  // I_T nexus loss (SAM-5 §6.3.4): ends what the nexus' RESERVE (6) or (10) left, in force when it
  // completes. After the nexus' last command, before detach().
  engine::Task<void> lose(Nexus& nexus);
  // The I_T nexus is as good as lost and come back (SAM-5 §7.6): its commands end, and each logical
  // unit that it has addressed tells it so by I_T NEXUS LOSS OCCURRED.
  engine::Task<TaskManagementOutcome> i_t_nexus_reset(Nexus& nexus);
  // Succeeds when a command of the nexus is in the task set.
  [[nodiscard]] TaskManagementOutcome query_task_set(Nexus& nexus,
                                                     const std::array<std::uint8_t, 8>& lun_field);
  // Succeeds when there is an event, and leaves it pending.
  [[nodiscard]] TaskManagementOutcome query_asynchronous_event(
      Nexus& nexus, const std::array<std::uint8_t, 8>& lun_field, AsynchronousEvent& event);

  // An I_T nexus appears (login) and goes (logout, loss): its commands have been aborted and
  // finished before detach(). A new nexus gets the POWER ON, RESET, OR BUS DEVICE RESET OCCURRED
  // unit attention.
  void attach(Nexus& nexus);
  void detach(Nexus& nexus);

  // Puts other maps into force on this shard; one call at a time. Numbers that lead elsewhere, or
  // nowhere, do so at once; completes when none of their commands is left and nothing here refers
  // to what they led to. Such commands end with LOGICAL UNIT NOT SUPPORTED, or as the medium
  // answers. Nexuses whose numbers have changed are told by unit attentions (SPC-5 §6.33).
  engine::Task<void> adopt(std::shared_ptr<const LunMaps> maps);
  // Puts other ports into force on this shard. No nexus is of a port that they lack. Every nexus is
  // told: INQUIRY DATA HAS CHANGED, as TPGS and VPD page 88h may have (SPC-5 §6.7.1).
  void adopt_ports(std::shared_ptr<const TargetPorts> ports);

  [[nodiscard]] Target& target() { return target_; }
  [[nodiscard]] engine::Shard& shard() { return shard_; }

 private:
  bool check(Command& command);
  bool check_well_known(Command& command);
  ItlNexus* itl_nexus(Nexus& nexus, const std::array<std::uint8_t, 8>& lun_field);
  struct EndedItlNexus;
  using EndedItlNexuses = std::vector<std::unique_ptr<EndedItlNexus>>;
  void renumber(Nexus& nexus, EndedItlNexuses& ended);

  Target& target_;
  engine::Shard& shard_;
  std::shared_ptr<const LunMaps> maps_;
  std::shared_ptr<const TargetPorts> ports_;
  List<Nexus> nexuses_;
};

}  // namespace lunar::scsi

// The SCSI target device, as transports see it.
//
// Objects and threads:
//   LogicalUnit: one per device, shared by all targets that map it. Immutable while shards run,
//     except its UnitState.
//   LogicalUnitShard: the logical unit on one shard: a block::Front, and the shard's I_T_L nexuses
//     with their task sets and unit attentions.
//   Target: a SCSI target device: name, ports, LUN maps.
//   Nexus: an I_T nexus (a session). Lives on one shard.
//   DeviceServer: one per target and shard; transports give it commands. The target's logical units
//     are opened on its shard before it starts and closed after it stops.
//
// The life of a command: prepare() decodes it by the command table. The transport collects
// data_out_bytes of data (none for reads). execute() runs it. `finished` is called from the loop
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

// Outcome of a task management function (SAM-5 §7).
enum class TaskManagementOutcome : std::uint8_t {
  function_complete,
  function_succeeded,  // a query's answer is yes
  incorrect_lun,
  rejected,
};

// Result of QUERY ASYNCHRONOUS EVENT (SAM-5 §7.9).
struct AsynchronousEvent {
  std::size_t count = 0;  // unit attention conditions that are pending
  spec::Sense first;      // the next one to be reported, if any
};

class alignas(kCacheLine) DeviceServer {
 public:
  DeviceServer(Target& target, engine::Shard& shard);
  DeviceServer(const DeviceServer&) = delete;
  DeviceServer& operator=(const DeviceServer&) = delete;
  ~DeviceServer();

  // Decodes and checks; sets direction, data_out_bytes and unit. True: execute() may follow. False:
  // the command has ended (e.g. CHECK CONDITION); `finished` will be called, execute() must not be.
  bool prepare(Command& command);

  // Memory to receive write data into. For a large plain write it may be the medium's own: then
  // data_out must be exactly this memory, and filled before execute(). Otherwise empty: the
  // transport provides memory. The transport may write into it until it calls abort() or `finished`
  // is called.
  [[nodiscard]] MutableBytes data_out_window(Command& command);
  // Whether execute() has finished with data_out when it returns. data_out may then lie in a buffer
  // that the transport reuses at once.
  [[nodiscard]] bool takes_data_out_at_once(const Command& command) const;

  // Runs a prepared command. data_out has data_out_bytes, or fewer if the initiator offered fewer:
  // then only whole blocks are used, and the transport reports the residual.
  void execute(Command& command);

  // Ends one command without effect where that is still possible. `finished` is called with
  // `aborted` set, never inline; the command does not touch the medium afterwards. Idempotent; does
  // nothing after `finished`.
  void abort(Command& command);

  // Task management (SAM-5 §7). Each function completes when every affected command has finished,
  // on all shards.
  engine::Task<TaskManagementOutcome> abort_task_set(Nexus& nexus,
                                                     const std::array<std::uint8_t, 8>& lun_field);
  // Like abort_task_set if each I_T nexus has its own task set (TST 001b). Otherwise ends commands
  // of all nexuses on every shard; TASK ABORTED or a unit attention tells the others (SAM-5 §7.5).
  engine::Task<TaskManagementOutcome> clear_task_set(Nexus& nexus,
                                                     const std::array<std::uint8_t, 8>& lun_field);
  // Ends the commands of every nexus on every shard. The other nexuses get the unit attention BUS
  // DEVICE RESET FUNCTION OCCURRED.
  engine::Task<TaskManagementOutcome> logical_unit_reset(
      Nexus& nexus, const std::array<std::uint8_t, 8>& lun_field);
  // Resets all logical units that this initiator can see, for iSCSI's TARGET WARM RESET and TARGET
  // COLD RESET. Those that only other hosts see are not affected.
  engine::Task<TaskManagementOutcome> target_reset(Nexus& nexus);

  // I_T nexus loss (SAM-5 §6.3.4): releases what the nexus reserved by RESERVE (6) or (10). On
  // completion that is in force everywhere. Called after the nexus' last command, before detach().
  engine::Task<void> lose(Nexus& nexus);
  // I_T NEXUS RESET (SAM-5 §7.6), as if the nexus were lost and came back: ends its commands; each
  // logical unit that it has addressed gets the unit attention I_T NEXUS LOSS OCCURRED.
  engine::Task<TaskManagementOutcome> i_t_nexus_reset(Nexus& nexus);
  // function_succeeded: a command of the nexus is in the task set.
  [[nodiscard]] TaskManagementOutcome query_task_set(Nexus& nexus,
                                                     const std::array<std::uint8_t, 8>& lun_field);
  // function_succeeded: an event is pending. It stays pending.
  [[nodiscard]] TaskManagementOutcome query_asynchronous_event(
      Nexus& nexus, const std::array<std::uint8_t, 8>& lun_field, AsynchronousEvent& event);

  // Adds an I_T nexus (login), or removes it (logout, loss). All its commands have finished before
  // detach(). A new nexus gets the unit attention POWER ON, RESET, OR BUS DEVICE RESET OCCURRED.
  void attach(Nexus& nexus);
  void detach(Nexus& nexus);

  // Puts new LUN maps into force on this shard; one call at a time. Changed and removed numbers
  // take effect at once; their commands end with LOGICAL UNIT NOT SUPPORTED or as the medium
  // answers. Completes when none of these commands is left and nothing here refers to the former
  // logical units. Unit attentions tell the nexuses of the change (SPC-5 §6.33).
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

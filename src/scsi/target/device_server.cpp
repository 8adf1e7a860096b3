#include "scsi/target/device_server.h"

#include <set>
#include <utility>

#include "block/front.h"
#include "scsi/core/completion.h"
#include "scsi/core/nexus_restrictions.h"
#include "scsi/core/on_each_part.h"
#include "scsi/core/task_set.h"
#include "scsi/medium/condition_commands.h"
#include "scsi/reservations/reservation_change.h"
#include "scsi/spec/lun.h"
#include "scsi/target/command_table.h"
#include "scsi/target/logical_unit_reset.h"

namespace lunar::scsi {
namespace {

using spec::AdditionalSense;
using spec::Sense;
using LunField = std::array<std::uint8_t, 8>;

// Below this size, copying into the medium costs less than managing a window of its memory.
constexpr std::uint64_t kMinWindowBytes = 16 * kKiB;

[[nodiscard]] std::optional<spec::LunAddress> address_of(const LunField& field) {
  return spec::decode_lun(*load<be64>(std::as_bytes(std::span(field))));
}

[[nodiscard]] bool is_report_luns_unit(const LunField& field) {
  const std::optional<spec::LunAddress> address = address_of(field);
  return address == spec::LunAddress(spec::WellKnownLun::report_luns);
}

[[nodiscard]] std::optional<Lun> lun_of(const LunField& field) {
  const std::uint64_t wire = *load<be64>(std::as_bytes(std::span(field)));
  // Peripheral device addressing, bus 0: the format in nearly every command.
  constexpr std::uint64_t kPeripheralNumber = std::uint64_t{spec::kMaxPeripheralLun} << 48;
  if ((wire & ~kPeripheralNumber) == 0) [[likely]] {
    return Lun(static_cast<std::uint16_t>(wire >> 48));
  }
  const std::optional<spec::LunAddress> address = address_of(field);
  if (!address || !std::holds_alternative<Lun>(*address)) return std::nullopt;
  return std::get<Lun>(*address);
}

// The unit attention that a CHECK CONDITION status reports. SPC-5 §7.5.11, UA_INTLCK_CTRL:
// reporting clears it, unless unit attentions are interlocked.
[[nodiscard]] Sense report_attention(Command& command) {
  UnitAttentions& attentions = command.itl->attentions;
  if (command.unit->state().mode.attentions_interlocked()) return attentions.first();
  return command.nexus->take(attentions);
}

}  // namespace

DeviceServer::DeviceServer(Target& target, engine::Shard& shard)
    : target_(target), shard_(shard), maps_(target.maps()), ports_(target.ports()) {}

DeviceServer::~DeviceServer() { assert(nexuses_.empty() && "nexuses are still attached"); }

// Null: the LUN has no logical unit.
ItlNexus* DeviceServer::itl_nexus(Nexus& nexus, const LunField& lun_field) {
  const std::optional<Lun> lun = lun_of(lun_field);
  if (!lun) return nullptr;
  if (ItlNexus* known = nexus.find(*lun)) [[likely]]
    return known;
  const LogicalUnit* unit = nexus.luns().find(*lun);
  if (unit == nullptr) return nullptr;
  LogicalUnitShard* part = unit->find(shard_.index());
  return part == nullptr ? nullptr : &nexus.add(*lun, *part);
}

bool DeviceServer::prepare(Command& command) {
  assert(command.nexus->target() == &target_);
  command.shard = &shard_;
  command.state = CommandState::prepared;
  command.description = find_command(command.cdb);
  command.itl = itl_nexus(*command.nexus, command.lun_field);
  if (command.itl != nullptr) [[likely]] {
    command.unit = &command.itl->unit;
    enter_task_set(*command.itl, command);
  } else {
    command.to_well_known = is_report_luns_unit(command.lun_field);
  }
  if (check(command)) [[likely]]
    return true;
  end_soon(command);
  return false;
}

// Checks in order of precedence (SAM-5 §5.3.3, SPC-5 §4.5, §5.14).
bool DeviceServer::check(Command& command) {
  const CommandDescription* row = command.description;
  if (command.to_well_known) [[unlikely]]
    return check_well_known(command);
  if (command.unit == nullptr && (row == nullptr || !row->is(kWithoutUnit))) {
    return refuse(command, Sense::illegal_request(AdditionalSense::lu_not_supported));
  }
  if (command.itl != nullptr && command.itl->task_count > kMaxTaskSetCommands) [[unlikely]] {
    command.status_code = spec::Status::task_set_full;
    return false;
  }
  // SAM-5 §8.7: no command can be part of an ACA, as ACA is not supported (NORMACA is zero).
  if (command.attribute == TaskAttribute::aca) {
    return refuse(command, Sense::illegal_request(AdditionalSense::invalid_message_error));
  }
  if (command.unit != nullptr && command.itl->attentions.pending() &&
      (row == nullptr || !row->is(kWhileUnitAttention))) {
    // SAM-5 §5.3.3: RESERVATION CONFLICT has priority over all conditions except resets.
    const bool conflicts =
        row != nullptr && (command.itl->restrictions & row->heeds & kAnyReservation) != 0;
    if (conflicts && !command.itl->attentions.is_reset_pending()) return refuse_restricted(command);
    return refuse(command, report_attention(command));
  }
  if (row == nullptr || (row->is(kConditions) && !offers(command, *row))) {
    return refuse(command, unknown_command_sense(command));
  }
  if (command.itl != nullptr && (command.itl->restrictions & row->heeds) != 0) [[unlikely]] {
    const Restrictions heeded = command.itl->restrictions & row->heeds;
    if ((heeded & ~kNoRefusals) != 0) return refuse_restricted(command);
    if ((heeded & kLowPower) != 0) wake_up(*command.unit);
    if ((heeded & kProtectionRoom) != 0) {
      if (!take_row_for_protection(command)) return false;
      row = command.description;
    }
  }
  if (command.cdb_length < row->cdb_length) return refuse(command, Sense::invalid_field_in_cdb(0));
  if (!check_usage(command)) return false;
  command.direction = row->direction;
  return row->decode(command);
}

// The checks for the REPORT LUNS well known logical unit (SAM-5 §4.7.5.8). All of its commands end
// at once, so it needs no task set.
bool DeviceServer::check_well_known(Command& command) {
  const CommandDescription* row = command.description;
  if (command.attribute == TaskAttribute::aca)
    return refuse(command, Sense::illegal_request(AdditionalSense::invalid_message_error));
  UnitAttentions& attentions = command.nexus->well_known_attentions();
  if (attentions.pending() && (row == nullptr || !row->is(kWhileUnitAttention)))
    return refuse(command, command.nexus->take(attentions));
  if (row == nullptr || !row->is(kToWellKnown))
    return refuse(command, Sense::illegal_request(AdditionalSense::invalid_command_operation_code));
  if (command.cdb_length < row->cdb_length) return refuse(command, Sense::invalid_field_in_cdb(0));
  if (!check_usage(command)) return false;
  command.direction = row->direction;
  return row->decode(command);
}

MutableBytes DeviceServer::data_out_window(Command& command) {
  if (command.state != CommandState::prepared || !command.description->is(kPlainWrite)) return {};
  if (command.data_out_bytes < kMinWindowBytes ||
      command.expected_out_bytes < command.data_out_bytes)
    return {};
  // The medium changes while the data arrive. That must not happen before the commands that this
  // one waits for.
  if (command.itl->ordering != 0) return {};
  block::Front& front = command.unit->front();
  if (!front.capabilities().write_window) return {};
  const MutableBytes window = front.write_window(command.lba, command.count);
  command.in_medium = !window.empty();
  return window;
}

bool DeviceServer::takes_data_out_at_once(const Command& command) const {
  return command.state == CommandState::prepared && command.description->is(kPlainWrite) &&
         command.itl->ordering == 0 && command.unit->front().capabilities().takes_writes_at_once &&
         !command.unit->front().has_frozen_ranges();
}

void DeviceServer::execute(Command& command) {
  if (command.state != CommandState::prepared) return;  // aborted while its data arrived
  start_or_wait(command);
}

void DeviceServer::abort(Command& command) { abort_command(command); }

// ---- Task management (SAM-5 §7)

engine::Task<TaskManagementOutcome> DeviceServer::abort_task_set(Nexus& nexus,
                                                                 const LunField& lun_field) {
  // Its commands end at once, so none are left.
  if (is_report_luns_unit(lun_field)) co_return TaskManagementOutcome::function_complete;
  const ItlNexus* itl = itl_nexus(nexus, lun_field);
  if (itl == nullptr) co_return TaskManagementOutcome::incorrect_lun;
  LogicalUnitShard& part = itl->unit;
  const auto held = part.hold();
  part.abort_commands(&nexus, &nexus);
  co_await part.aborted_commands_finished(&nexus);
  co_return TaskManagementOutcome::function_complete;
}

engine::Task<TaskManagementOutcome> DeviceServer::clear_task_set(Nexus& nexus,
                                                                 const LunField& lun_field) {
  if (is_report_luns_unit(lun_field)) co_return TaskManagementOutcome::function_complete;
  const ItlNexus* itl = itl_nexus(nexus, lun_field);
  if (itl == nullptr) co_return TaskManagementOutcome::incorrect_lun;
  // SPC-5 §7.5.11, TST 001b: the task set is this I_T nexus' own.
  if (!itl->unit.state().mode.one_task_set()) co_return co_await abort_task_set(nexus, lun_field);
  const auto held = itl->unit.hold();
  auto clear = [&nexus](LogicalUnitShard& part) {
    clear_commands(part, &nexus);
    return part.aborted_commands_finished(nullptr);
  };
  co_await on_each_part(itl->unit.unit(), clear);
  co_return TaskManagementOutcome::function_complete;
}

engine::Task<TaskManagementOutcome> DeviceServer::logical_unit_reset(Nexus& nexus,
                                                                     const LunField& lun_field) {
  if (is_report_luns_unit(lun_field)) {
    nexus.well_known_attentions().raise(AdditionalSense::bus_device_reset_function_occurred);
    co_return TaskManagementOutcome::function_complete;
  }
  const ItlNexus* itl = itl_nexus(nexus, lun_field);
  if (itl == nullptr) co_return TaskManagementOutcome::incorrect_lun;
  const auto held = itl->unit.hold();
  co_await reset_logical_unit(itl->unit.unit(), &nexus);
  co_return TaskManagementOutcome::function_complete;
}

engine::Task<TaskManagementOutcome> DeviceServer::target_reset(Nexus& nexus) {
  std::set<LogicalUnit*> units;
  std::vector<engine::Gate::Holder> held;
  nexus.luns().for_each([&](Lun, LogicalUnit& unit) {
    LogicalUnitShard* part = unit.find(shard_.index());
    if (part != nullptr && units.insert(&unit).second) held.push_back(part->hold());
  });
  for (LogicalUnit* unit : units) co_await reset_logical_unit(*unit, &nexus);
  co_return TaskManagementOutcome::function_complete;
}

engine::Task<void> DeviceServer::lose(Nexus& nexus) {
  std::vector<LogicalUnit*> reserved;
  std::vector<engine::Gate::Holder> held;
  nexus.for_each([&](ItlNexus& itl) {
    if (!is_reserved_by(itl.unit, nexus.id())) return;
    reserved.push_back(&itl.unit.unit());
    held.push_back(itl.unit.hold());
  });
  for (LogicalUnit* unit : reserved) co_await end_reserve(*unit, nexus.id());
}

engine::Task<TaskManagementOutcome> DeviceServer::i_t_nexus_reset(Nexus& nexus) {
  std::set<LogicalUnitShard*> parts;
  std::vector<engine::Gate::Holder> held;
  nexus.for_each([&](ItlNexus& itl) {
    if (parts.insert(&itl.unit).second) held.push_back(itl.unit.hold());
    itl.prevents_removal = false;  // SBC-4 §5.15
    itl.attentions.raise(AdditionalSense::i_t_nexus_loss_occurred);
  });
  for (LogicalUnitShard* part : parts) part->abort_commands(&nexus, &nexus);
  for (LogicalUnitShard* part : parts) co_await part->aborted_commands_finished(&nexus);
  co_await lose(nexus);
  co_return TaskManagementOutcome::function_complete;
}

TaskManagementOutcome DeviceServer::query_task_set(Nexus& nexus, const LunField& lun_field) {
  if (is_report_luns_unit(lun_field)) return TaskManagementOutcome::function_complete;
  const ItlNexus* itl = itl_nexus(nexus, lun_field);
  if (itl == nullptr) return TaskManagementOutcome::incorrect_lun;
  return itl->task_set.empty() ? TaskManagementOutcome::function_complete
                               : TaskManagementOutcome::function_succeeded;
}

TaskManagementOutcome DeviceServer::query_asynchronous_event(Nexus& nexus,
                                                             const LunField& lun_field,
                                                             AsynchronousEvent& event) {
  const UnitAttentions* attentions = &nexus.well_known_attentions();
  if (!is_report_luns_unit(lun_field)) {
    const ItlNexus* itl = itl_nexus(nexus, lun_field);
    if (itl == nullptr) return TaskManagementOutcome::incorrect_lun;
    attentions = &itl->attentions;
  }
  event.count = attentions->count();
  if (event.count == 0) return TaskManagementOutcome::function_complete;
  event.first = attentions->first();
  return TaskManagementOutcome::function_succeeded;
}

void DeviceServer::attach(Nexus& nexus) {
  assert(nexus.target() == nullptr);
  nexus.set_target(&target_);
  nexus.set_ports(ports_.get());
  nexus.set_luns(&maps_->map_for(nexus.initiator_name(), nexus.initiator_address()));
  nexuses_.push_back(nexus);
}

void DeviceServer::detach(Nexus& nexus) {
  assert(nexus.target() == &target_);
  nexus.clear();
  nexus.unlink();
  nexus.set_target(nullptr);
  nexus.set_ports(nullptr);
  nexus.set_luns(nullptr);
}

}  // namespace lunar::scsi

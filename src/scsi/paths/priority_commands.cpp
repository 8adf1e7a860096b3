// REPORT PRIORITY and SET PRIORITY (SPC-4 §6.31, §6.41).
#include <algorithm>
#include <expected>

#include "scsi/core/logical_unit.h"
#include "scsi/core/nexus.h"
#include "scsi/core/parameter_data.h"
#include "scsi/core/target.h"
#include "scsi/paths/access_commands.h"
#include "scsi/spec/priority.h"
#include "scsi/spec/transport_id.h"
#include "scsi/state/priority.h"

namespace lunar::scsi {
namespace {

using spec::AdditionalSense;
using spec::PriorityDescriptor;
using spec::ReportPriorityCdb;
using spec::Sense;
using spec::SetPriorityCdb;

constexpr std::uint8_t kNexusBit = 7;  // of both CDBs' byte 2

const Priorities& priorities_of(const UnitState& state) {
  static const Priorities kNone;
  return state.priorities == nullptr ? kNone : *state.priorities;
}

// ---- REPORT PRIORITY

void write_descriptor(ByteWriter& out, const NexusPriority& each) {
  PriorityDescriptor descriptor;
  descriptor.priority = each.priority;
  descriptor.relative_target_port_identifier = each.nexus.port_number;
  descriptor.additional_descriptor_length_bytes =
      static_cast<std::uint16_t>(spec::transport_id_bytes(each.nexus.name));
  out.write(descriptor);
  spec::append_transport_id(out, each.nexus.name);
}

// What is asked for. One's own is told as zero while it is the initial one.
std::vector<NexusPriority> reported(const Command& command) {
  const UnitState& state = command.unit->state();
  const Priorities& priorities = priorities_of(state);
  const std::uint8_t initial = state.mode.initial_command_priority();
  if (cdb_of(command).as<ReportPriorityCdb>().priority_reported() == ReportPriorityCdb::kOwn) {
    const NexusIdentity nexus = identity_of(*command.nexus);
    const NexusPriority* own = priorities.find(nexus);
    const bool is_initial = own == nullptr || own->priority == initial;
    return {{nexus, is_initial ? std::uint8_t{0} : own->priority}};
  }
  std::vector<NexusPriority> others;
  std::ranges::copy_if(priorities.set, std::back_inserter(others),
                       [&](const NexusPriority& each) { return each.priority != initial; });
  return others;
}

void produce_priorities(Command& command, ByteWriter& out) {
  const std::vector<NexusPriority> list = reported(command);
  ByteWriter length{MutableBytes{}};
  for (const NexusPriority& each : list) write_descriptor(length, each);
  spec::ReportPriorityHeader header;
  header.priority_parameter_data_length_bytes = static_cast<std::uint32_t>(length.written());
  out.write(header);
  for (const NexusPriority& each : list) write_descriptor(out, each);
}
constexpr std::size_t kMaxReportBytes =
    sizeof(spec::ReportPriorityHeader) +
    kMaxPriorities * (sizeof(PriorityDescriptor) + spec::kMaxTransportIdBytes);

// ---- SET PRIORITY

// The longest list that means anything: what is behind it is not looked at.
constexpr std::uint32_t kMaxListBytes = sizeof(PriorityDescriptor) + spec::kMaxTransportIdBytes;

struct SetPriority final : UnitChange {
  SetPriority(const Nexus& nexus, std::optional<NexusPriority> value)
      : setter(nexus), wanted(std::move(value)) {}

  engine::Task<bool> decide(UnitState& next) override {
    if (!wanted) {
      next.priorities = nullptr;
      co_return true;
    }
    auto changed = std::make_shared<Priorities>(priorities_of(next));
    fits = changed->assign(wanted->nexus, wanted->priority);
    if (fits) next.priorities = std::move(changed);
    co_return fits;
  }
  void apply(LogicalUnitShard& part) override {
    if (!wanted) return part.raise(AdditionalSense::priority_changed, &setter);
    if (!names_nexus) return;
    for (ItlNexus& itl : part.nexuses()) {
      if (identity_of(itl.nexus) == wanted->nexus)
        itl.attentions.raise(AdditionalSense::priority_changed);
    }
  }

  const Nexus& setter;
  const std::optional<NexusPriority> wanted;  // nothing: all have the initial one again
  bool names_nexus = false;                   // the list did: that nexus is to be told
  bool fits = true;
};

std::unexpected<Sense> list_length_error() {
  return std::unexpected(Sense::illegal_request(AdditionalSense::parameter_list_length_error));
}
std::unexpected<Sense> invalid(std::size_t byte) {
  return std::unexpected(Sense::invalid_field_in_parameter_list(static_cast<std::uint16_t>(byte)));
}

// The nexus that the parameter list names.
std::expected<NexusIdentity, Sense> named_nexus(const Command& command) {
  const auto list = load<PriorityDescriptor>(command.data_out);
  if (!list) return list_length_error();
  const Bytes rest = command.data_out.subspan(sizeof(PriorityDescriptor));
  if (rest.size() < list->additional_descriptor_length_bytes) return list_length_error();
  const TargetPorts& ports = command.nexus->ports();
  const TargetPort* port = ports.find(list->relative_target_port_identifier);
  if (port == nullptr)
    return invalid(offsetof(PriorityDescriptor, relative_target_port_identifier));
  const auto initiator =
      spec::parse_transport_id(rest.first(list->additional_descriptor_length_bytes));
  // One port, not all of a device.
  if (!initiator || !initiator->id.is_port) return invalid(sizeof(PriorityDescriptor));
  return NexusIdentity{initiator->id.name, port->name, port->number};
}

engine::Task<void> set_priority(Command& command) {
  const std::uint8_t to_set = cdb_of(command).as<SetPriorityCdb>().nexus_to_set();
  if (command.data_out.size() != command.data_out_bytes) {
    set_check_condition(command, list_length_error().error());
    co_return;
  }
  std::optional<NexusPriority> wanted;
  if (to_set != SetPriorityCdb::kAllToInitial) {
    // No list at all: back to the initial priority.
    const std::uint8_t priority = command.data_out.empty()
                                      ? std::uint8_t{0}
                                      : static_cast<std::uint8_t>(command.data_out.front()) &
                                            PriorityDescriptor::kPriorityMask;
    wanted = NexusPriority{identity_of(*command.nexus), priority};
  }
  if (to_set == SetPriorityCdb::kOfList) {
    auto named = named_nexus(command);
    if (!named) {
      set_check_condition(command, named.error());
      co_return;
    }
    wanted->nexus = std::move(*named);
  }
  SetPriority change(*command.nexus, std::move(wanted));
  change.names_nexus = to_set == SetPriorityCdb::kOfList;
  co_await command.unit->unit().change(change);
  if (!change.fits)
    set_check_condition(command, Sense::illegal_request(AdditionalSense::insufficient_resources));
}

}  // namespace

void tell_new_initial_priority(LogicalUnitShard& part) {
  const Priorities& priorities = priorities_of(part.state());
  for (ItlNexus& itl : part.nexuses()) {
    if (priorities.find(identity_of(itl.nexus)) == nullptr)
      itl.attentions.raise(AdditionalSense::priority_changed);
  }
}

bool decode_report_priority(Command& command) {
  const auto cdb = cdb_of(command).as<ReportPriorityCdb>();
  command.allocation_length = cdb.allocation_length;
  return cdb.priority_reported() <= ReportPriorityCdb::kNotInitial ||
         refuse(command,
                Sense::invalid_field_in_cdb(offsetof(ReportPriorityCdb, reported), kNexusBit));
}
void execute_report_priority(Command& command) {
  respond<produce_priorities, kMaxReportBytes>(command);
}

bool decode_set_priority(Command& command) {
  const auto cdb = cdb_of(command).as<SetPriorityCdb>();
  if (cdb.nexus_to_set() > SetPriorityCdb::kAllToInitial) {
    return refuse(command,
                  Sense::invalid_field_in_cdb(offsetof(SetPriorityCdb, to_set), kNexusBit));
  }
  command.data_out_bytes = std::min<std::uint32_t>(cdb.parameter_list_length, kMaxListBytes);
  if (command.data_out_bytes == 0) command.direction = DataDirection::none;
  return true;
}
void execute_set_priority(Command& command) { run_sequence(command, set_priority); }

}  // namespace lunar::scsi

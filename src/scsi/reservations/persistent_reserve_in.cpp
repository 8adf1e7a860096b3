// PERSISTENT RESERVE IN (SPC-5 §6.16).
#include <ranges>

#include "access/reservations.h"
#include "scsi/core/logical_unit.h"
#include "scsi/core/parameter_data.h"
#include "scsi/reservations/reservation_commands.h"
#include "scsi/reservations/reservation_types.h"
#include "scsi/spec/reservation.h"
#include "scsi/spec/transport_id.h"

namespace lunar::scsi {
namespace {

using access::Registration;
using access::Reservations;

const Reservations& reservations_of(const Command& command) {
  static const Reservations kNone;
  const Reservations* reservations = command.unit->state().reservations.get();
  return reservations == nullptr ? kNone : *reservations;
}

constexpr std::size_t kMaxFullStatusBytes =
    sizeof(spec::PersistentReserveInHeader) +
    access::kMaxRegistrations * (sizeof(spec::FullStatusDescriptor) + spec::kMaxTransportIdBytes);

void write_header(ByteWriter& out, const Reservations& reservations, std::size_t bytes) {
  spec::PersistentReserveInHeader header;
  header.pr_generation = reservations.generation;
  header.additional_length = static_cast<std::uint32_t>(bytes);
  out.write(header);
}

void produce_keys(Command& command, ByteWriter& out) {
  const Reservations& reservations = reservations_of(command);
  write_header(out, reservations, reservations.registrations.size() * sizeof(be64));
  for (const Registration& each : reservations.registrations) out.write(be64(each.key));
}

constexpr std::uint8_t scope_type(access::ReservationType type) {
  return static_cast<std::uint8_t>((spec::kScopeLogicalUnit << 4) | wire_code(type));
}

void produce_reservation(Command& command, ByteWriter& out) {
  const Reservations& reservations = reservations_of(command);
  if (!reservations.type) {
    write_header(out, reservations, 0);
    return;
  }
  spec::ReservationDescriptor descriptor;
  descriptor.scope_type = scope_type(*reservations.type);
  // Of all registrants the key is zero (SPC-5 §6.16.3).
  for (const Registration& each : reservations.registrations) {
    if (each.holder) descriptor.reservation_key = each.key;
  }
  write_header(out, reservations, sizeof(descriptor));
  out.write(descriptor);
}

void produce_capabilities(Command& command, ByteWriter& out) {
  spec::ReportCapabilitiesData data;
  data.flags = data.kCrh | data.kSipC | data.kAtpC;
  if (command.unit->unit().options().store != nullptr) data.flags |= data.kPtplC;
  data.flags3 = data.kTmv | data.kAllowsTelling;
  if (reservations_of(command).persistent) data.flags3 |= data.kPtplA;
  data.type_mask = data.kAllTypes;
  out.write(data);
}

// Of I_T nexuses. Hosts of another protocol are no such thing: READ KEYS and READ RESERVATION tell
// of their keys.
void produce_full_status(Command& command, ByteWriter& out) {
  const Reservations& reservations = reservations_of(command);
  const auto is_nexus = [](const Registration& each) {
    return !each.registrant.is_at_every_port();
  };
  auto nexuses = reservations.registrations | std::views::filter(is_nexus);
  std::size_t bytes = 0;
  for (const Registration& each : nexuses)
    bytes += sizeof(spec::FullStatusDescriptor) + spec::transport_id_bytes(each.registrant.name);
  write_header(out, reservations, bytes);
  for (const Registration& each : nexuses) {
    spec::FullStatusDescriptor descriptor;
    descriptor.reservation_key = each.key;
    if (reservations.holds(each)) {
      descriptor.flags = descriptor.kRHolder;
      descriptor.scope_type = scope_type(*reservations.type);
    }
    descriptor.relative_target_port_identifier = each.registrant.port_number;
    descriptor.additional_descriptor_length =
        static_cast<std::uint32_t>(spec::transport_id_bytes(each.registrant.name));
    out.write(descriptor);
    spec::append_transport_id(out, each.registrant.name);
  }
}

}  // namespace

bool decode_persistent_reserve_in(Command& command) {
  command.allocation_length = cdb_of(command).as<spec::PersistentReserveInCdb>().allocation_length;
  return true;
}

void execute_read_keys(Command& command) { respond<produce_keys, kMaxFullStatusBytes>(command); }
void execute_read_reservation(Command& command) {
  respond<produce_reservation, kMaxFullStatusBytes>(command);
}
void execute_report_capabilities(Command& command) {
  respond<produce_capabilities, sizeof(spec::ReportCapabilitiesData)>(command);
}
void execute_read_full_status(Command& command) {
  respond<produce_full_status, kMaxFullStatusBytes>(command);
}

}  // namespace lunar::scsi

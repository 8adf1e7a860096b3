// Identifying information and timestamps (SPC-5 §6.33, §6.38, §6.44, §6.47).
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "engine/shard.h"
#include "scsi/core/completion.h"
#include "scsi/core/logical_unit.h"
#include "scsi/core/parameter_data.h"
#include "scsi/reports/report_commands.h"
#include "scsi/spec/identification.h"
#include "scsi/state/identification.h"

namespace lunar::scsi {
namespace {

using spec::AdditionalSense;
using spec::IdentifyingInformationCdb;
using spec::Sense;
using spec::TimestampCdb;
using spec::TimestampData;

bool refuse_length(Command& command) {
  return refuse(command, Sense::illegal_request(AdditionalSense::parameter_list_length_error));
}

// ---- REPORT IDENTIFYING INFORMATION (SPC-5 §6.33)

void write_descriptor(ByteWriter& out, std::uint8_t type, std::size_t most_bytes) {
  spec::IdentifyingInformationDescriptor descriptor;
  descriptor.type = static_cast<std::uint8_t>(type << 1);
  descriptor.maximum_length_bytes = static_cast<std::uint16_t>(most_bytes);
  out.write(descriptor);
}

void produce_information(Command& command, ByteWriter& out) {
  const IdentifyingInformation& known = *command.unit->state().identification.information;
  const auto type = cdb_of(command).as<IdentifyingInformationCdb>().information_type();
  spec::IdentifyingInformationHeader header;
  if (type == spec::kSupportedIdentifyingInformation) {
    header.length_bytes = 2 * sizeof(spec::IdentifyingInformationDescriptor);
    out.write(header);
    write_descriptor(out, spec::kIdentifyingInformation, kMaxIdentifyingBytes);
    write_descriptor(out, spec::kTextIdentifyingInformation, kMaxTextIdentifyingBytes);
    return;
  }
  const std::string& value = type == spec::kIdentifyingInformation ? known.bytes : known.text;
  header.length_bytes = static_cast<std::uint16_t>(value.size());
  out.write(header);
  out.write_text(value);
}
constexpr std::size_t kMaxInformationBytes =
    sizeof(spec::IdentifyingInformationHeader) + kMaxIdentifyingBytes;

// ---- SET IDENTIFYING INFORMATION (SPC-5 §6.44)

struct SetInformation final : UnitChange {
  SetInformation(LogicalUnit& logical_unit, const Nexus& nexus, std::uint8_t type,
                 std::string value)
      : unit(logical_unit), setter(nexus), information_type(type), information(std::move(value)) {}

  engine::Task<bool> decide(UnitState& next) override {
    auto changed = std::make_shared<IdentifyingInformation>(*next.identification.information);
    (information_type == spec::kIdentifyingInformation ? changed->bytes : changed->text) =
        information;
    const Result<void> saved = co_await unit.save(kIdentificationKey, to_record(*changed));
    if (!saved) co_return false;
    next.identification.information = std::move(changed);
    co_return true;
  }
  void apply(LogicalUnitShard& part) override {
    part.raise(AdditionalSense::device_identifier_changed, &setter);
  }

  LogicalUnit& unit;
  const Nexus& setter;
  const std::uint8_t information_type;
  const std::string information;
};

engine::Task<void> set_information(Command& command) {
  LogicalUnit& unit = command.unit->unit();
  const auto type = cdb_of(command).as<IdentifyingInformationCdb>().information_type();
  const std::string value(reinterpret_cast<const char*>(command.data_out.data()),
                          command.data_out.size());
  if (command.data_out.size() != command.data_out_bytes) {
    (void)refuse_length(command);
    co_return;
  }
  const bool is_text = type == spec::kTextIdentifyingInformation;
  if (is_text && !value.empty() && value.back() != '\0') {
    set_check_condition(command,
                        Sense::illegal_request(AdditionalSense::invalid_field_in_parameter_list));
    co_return;
  }
  SetInformation change(unit, *command.nexus, type, value);
  const bool changed = co_await unit.change(change);
  if (!changed) {
    set_check_condition(command, Sense::of(spec::SenseKey::hardware_error,
                                           AdditionalSense::internal_target_failure));
  }
}

// ---- REPORT and SET TIMESTAMP (SPC-5 §6.38, §6.47)

std::int64_t clock_ms(const Command& command) {
  return static_cast<std::int64_t>(command.shard->clock().wall_clock_ms());
}

void produce_timestamp(Command& command, ByteWriter& out) {
  const Identification& state = command.unit->state().identification;
  TimestampData data;
  data.timestamp_parameter_data_length_bytes = sizeof(data) - 2;
  data.timestamp_origin = state.timestamp_set ? data.kSetByCommand : data.kSetByOtherMethods;
  data.timestamp_ms = static_cast<std::uint64_t>(clock_ms(command) + state.timestamp_offset_ms);
  out.write(data);
}

struct SetTimestamp final : UnitChange {
  SetTimestamp(const Nexus& nexus, std::int64_t offset) : setter(nexus), offset_ms(offset) {}

  engine::Task<bool> decide(UnitState& next) override {
    next.identification.timestamp_offset_ms = offset_ms;
    next.identification.timestamp_set = true;
    co_return true;
  }
  void apply(LogicalUnitShard& part) override {
    part.raise(AdditionalSense::timestamp_changed, &setter);
  }

  const Nexus& setter;
  const std::int64_t offset_ms;
};

engine::Task<void> set_timestamp(Command& command) {
  const auto data = load<TimestampData>(command.data_out);
  if (!data) {
    (void)refuse_length(command);
    co_return;
  }
  const auto wanted_ms = static_cast<std::int64_t>(std::uint64_t{data->timestamp_ms});
  SetTimestamp change(*command.nexus, wanted_ms - clock_ms(command));
  co_await command.unit->unit().change(change);
}

}  // namespace

bool decode_report_identifying_information(Command& command) {
  const auto cdb = cdb_of(command).as<IdentifyingInformationCdb>();
  command.allocation_length = cdb.length;
  const std::uint8_t type = cdb.information_type();
  if (type == spec::kIdentifyingInformation || type == spec::kTextIdentifyingInformation ||
      type == spec::kSupportedIdentifyingInformation) {
    return true;
  }
  return refuse(command, Sense::invalid_field_in_cdb(offsetof(IdentifyingInformationCdb, type), 7));
}
void execute_report_identifying_information(Command& command) {
  respond<produce_information, kMaxInformationBytes>(command);
}

bool decode_set_identifying_information(Command& command) {
  const auto cdb = cdb_of(command).as<IdentifyingInformationCdb>();
  const std::uint8_t type = cdb.information_type();
  const bool is_text = type == spec::kTextIdentifyingInformation;
  if (type != spec::kIdentifyingInformation && !is_text) {
    return refuse(command,
                  Sense::invalid_field_in_cdb(offsetof(IdentifyingInformationCdb, type), 7));
  }
  if (cdb.length > (is_text ? kMaxTextIdentifyingBytes : kMaxIdentifyingBytes)) {
    return refuse(command,
                  Sense::invalid_field_in_cdb(offsetof(IdentifyingInformationCdb, length)));
  }
  command.data_out_bytes = cdb.length;
  if (cdb.length == 0) command.direction = DataDirection::none;
  return true;
}
void execute_set_identifying_information(Command& command) {
  run_sequence(command, set_information);
}

bool decode_report_timestamp(Command& command) {
  command.allocation_length = cdb_of(command).as<TimestampCdb>().length;
  return true;
}
void execute_report_timestamp(Command& command) {
  respond<produce_timestamp, sizeof(TimestampData)>(command);
}

bool decode_set_timestamp(Command& command) {
  const std::uint32_t length = cdb_of(command).as<TimestampCdb>().length;
  // SPC-5 §6.47: no parameters change nothing.
  if (length != 0 && length < sizeof(TimestampData)) return refuse_length(command);
  command.data_out_bytes = std::min<std::uint32_t>(length, sizeof(TimestampData));
  if (length == 0) command.direction = DataDirection::none;
  return true;
}
void execute_set_timestamp(Command& command) {
  if (command.data_out_bytes == 0) {
    end_soon(command);
    return;
  }
  run_sequence(command, set_timestamp);
}

Result<void> restore_identification(LogicalUnit& unit, UnitState& state,
                                    const state::Record& kept) {
  auto information = identifying_information_of(kept);
  if (!information) {
    return wrap(information.error(),
                fmt::format("state of device {}: {}", unit.device().name(), kIdentificationKey));
  }
  state.identification.information =
      std::make_shared<IdentifyingInformation>(std::move(*information));
  return {};
}

}  // namespace lunar::scsi

// MODE SENSE (SPC-5 §6.14, §6.15).
#include <algorithm>
#include <array>

#include "scsi/core/logical_unit.h"
#include "scsi/core/parameter_data.h"
#include "scsi/modes/mode_commands.h"
#include "scsi/modes/mode_pages.h"
#include "scsi/spec/cdb_structs.h"

namespace lunar::scsi {
namespace {

using spec::ModeSense10Cdb;
using spec::ModeSense6Cdb;
using spec::PageControl;

// Bytes 2 and 3 are the same in MODE SENSE (6) and (10).
constexpr std::uint16_t kPageByte = 2;
constexpr std::uint16_t kSubpageByte = 3;
constexpr std::uint8_t kPageCodeBit = 5;

bool check_selection(Command& command, ModePageSelection selection, PageControl control) {
  if (control == PageControl::saved && command.unit->unit().options().store == nullptr) {
    return refuse(command, spec::Sense::illegal_request(
                               spec::AdditionalSense::saving_parameters_not_supported));
  }
  const auto pages = mode_pages();
  const auto matches = [](ModePageSelection wanted) {
    return [wanted](const ModePageDescription& page) { return wanted.matches(page); };
  };
  if (std::ranges::any_of(pages, matches(selection))) {
    // All pages, with none of their subpages or with all (SPC-5 table 178).
    const bool all_pages = selection.page == static_cast<std::uint8_t>(spec::ModePage::all_pages);
    const bool plain = selection.subpage == 0 || selection.subpage == spec::kAllSubpages;
    if (!all_pages || plain) return true;
    return refuse(command, spec::Sense::invalid_field_in_cdb(kSubpageByte));
  }
  const bool page_known = std::ranges::any_of(pages, matches({selection.page, spec::kAllSubpages}));
  if (page_known) return refuse(command, spec::Sense::invalid_field_in_cdb(kSubpageByte));
  return refuse(command, spec::Sense::invalid_field_in_cdb(kPageByte, kPageCodeBit));
}

template <class Cdb>
bool decode(Command& command) {
  const auto cdb = cdb_of(command).as<Cdb>();
  command.allocation_length = cdb.allocation_length;
  return check_selection(command, {cdb.page_code(), cdb.subpage_code},
                         static_cast<PageControl>(cdb.page_control()));
}

std::uint8_t device_specific_parameter(const LogicalUnitShard& unit) {
  std::uint8_t parameter = spec::kModeDpoFua;
  const UnitState& state = unit.state();
  const bool is_protected = state.write_protected || state.mode.software_write_protect();
  if (is_protected) parameter |= spec::kModeWriteProtected;
  return parameter;
}

ModeParameters values_of(const LogicalUnitShard& unit, PageControl control) {
  switch (control) {
    case PageControl::current: return unit.state().mode;
    case PageControl::changeable: return changeable_mode_parameters(unit.unit());
    case PageControl::defaults: return default_mode_parameters(unit.unit().volatile_cache());
    case PageControl::saved: return unit.state().saved_mode;
  }
  return {};
}

void write_pages(const LogicalUnitShard& unit, ModePageSelection selection, PageControl control,
                 ByteWriter& out) {
  ModeParameters values = values_of(unit, control);
  if (control != PageControl::changeable)
    tell_self_test_time(values, unit.state().capacity_blocks << unit.unit().block_shift());
  const bool saves = unit.unit().options().store != nullptr;
  for (const ModePageDescription& page : mode_pages()) {
    if (!selection.matches(page)) continue;
    const MutableBytes bytes = page.in(values);
    if (saves) bytes[0] |= std::byte{spec::kModePagePs};
    out.write_bytes(bytes);
  }
}

void write_short_descriptor(const LogicalUnitShard& unit, ByteWriter& out) {
  spec::ShortLbaBlockDescriptor descriptor;
  descriptor.number_of_logical_blocks =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(unit.state().capacity_blocks, UINT32_MAX));
  descriptor.logical_block_length_bytes = unit.unit().block_size();
  out.write(descriptor);
}

void write_long_descriptor(const LogicalUnitShard& unit, ByteWriter& out) {
  spec::LongLbaBlockDescriptor descriptor;
  descriptor.number_of_logical_blocks = unit.state().capacity_blocks;
  descriptor.logical_block_length_bytes = unit.unit().block_size();
  out.write(descriptor);
}

void produce_6(Command& command, ByteWriter& out) {
  const LogicalUnitShard& unit = *command.unit;
  const auto cdb = cdb_of(command).as<ModeSense6Cdb>();
  std::array<std::byte, kMaxModeDataBytes> room;
  ByteWriter body(room);
  if (!cdb.dbd()) write_short_descriptor(unit, body);
  const std::size_t descriptor_bytes = body.written();
  write_pages(unit, {cdb.page_code(), cdb.subpage_code},
              static_cast<PageControl>(cdb.page_control()), body);
  spec::ModeParameterHeader6 header;
  header.mode_data_length = static_cast<std::uint8_t>(sizeof(header) - 1 + body.written());
  header.device_specific_parameter = device_specific_parameter(unit);
  header.block_descriptor_length = static_cast<std::uint8_t>(descriptor_bytes);
  out.write(header);
  out.write_bytes(body.bytes());
}

void produce_10(Command& command, ByteWriter& out) {
  const LogicalUnitShard& unit = *command.unit;
  const auto cdb = cdb_of(command).as<ModeSense10Cdb>();
  std::array<std::byte, kMaxModeDataBytes> room;
  ByteWriter body(room);
  // LLBAA permits the long descriptor, which can hold any capacity.
  const bool long_lba = cdb.llbaa() && !cdb.dbd();
  if (long_lba) {
    write_long_descriptor(unit, body);
  } else if (!cdb.dbd()) {
    write_short_descriptor(unit, body);
  }
  const std::size_t descriptor_bytes = body.written();
  write_pages(unit, {cdb.page_code(), cdb.subpage_code},
              static_cast<PageControl>(cdb.page_control()), body);
  spec::ModeParameterHeader10 header;
  header.mode_data_length = static_cast<std::uint16_t>(sizeof(header) - 2 + body.written());
  header.device_specific_parameter = device_specific_parameter(unit);
  if (long_lba) header.flags = header.kLongLba;
  header.block_descriptor_length = static_cast<std::uint16_t>(descriptor_bytes);
  out.write(header);
  out.write_bytes(body.bytes());
}

}  // namespace

bool decode_mode_sense_6(Command& command) { return decode<ModeSense6Cdb>(command); }
void execute_mode_sense_6(Command& command) { respond<produce_6, kMaxModeDataBytes>(command); }
bool decode_mode_sense_10(Command& command) { return decode<ModeSense10Cdb>(command); }
void execute_mode_sense_10(Command& command) { respond<produce_10, kMaxModeDataBytes>(command); }

}  // namespace lunar::scsi

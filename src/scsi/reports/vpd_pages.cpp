#include "scsi/reports/vpd_pages.h"

#include <algorithm>
#include <array>
#include <string>

#include "scsi/blocks/allocation.h"
#include "scsi/core/logical_unit.h"
#include "scsi/core/nexus.h"
#include "scsi/core/target.h"
#include "scsi/diagnostics/self_tests.h"
#include "scsi/spec/designator.h"
#include "scsi/spec/vpd.h"

namespace lunar::scsi {
namespace {

using spec::VpdPage;

const LogicalUnit& unit_of(const Command& command) { return command.unit->unit(); }

bool has(const Command& command, const VpdPageDescription& page) {
  return !command.to_well_known || page.of_well_known;
}

void write_header(const Command& command, ByteWriter& out, VpdPage page, std::size_t length) {
  spec::VpdHeader header;
  header.peripheral = command.to_well_known ? spec::kPeripheralWellKnown : spec::kPeripheralDisk;
  header.page_code = static_cast<std::uint8_t>(page);
  header.page_length = static_cast<std::uint16_t>(length);
  out.write(header);
}

// 00h
void produce_supported(const Command& command, ByteWriter& out) {
  const auto here = [&](const VpdPageDescription& page) { return has(command, page); };
  const auto count = std::ranges::count_if(vpd_pages(), here);
  write_header(command, out, VpdPage::supported_vpd_pages, static_cast<std::size_t>(count));
  for (const VpdPageDescription& page : vpd_pages()) {
    if (here(page)) out.write_u8(static_cast<std::uint8_t>(page.code));
  }
}

// 80h
void produce_serial_number(const Command& command, ByteWriter& out) {
  const std::string& serial = unit_of(command).serial_number();
  write_header(command, out, VpdPage::unit_serial_number, serial.size());
  out.write_text(serial);
}

// 83h: all persistent names of the logical unit, and of the port and device that the command came
// to.
void produce_identification(const Command& command, ByteWriter& out) {
  const Nexus& nexus = *command.nexus;
  std::array<std::byte, 2048> room;
  ByteWriter list(room);
  // A well known logical unit is identified by its target (SPC-5 §7.7.6.1).
  if (!command.to_well_known) {
    const LogicalUnit& unit = unit_of(command);
    spec::append_naa_designator(list, unit.device().uuid());
    spec::append_t10_vendor_id_designator(list, unit.options().vendor, unit.serial_number());
    spec::append_scsi_name_designator(list, spec::Association::logical_unit,
                                      spec::naa_name_from_uuid(unit.device().uuid()));
  }
  spec::append_relative_target_port_designator(list, nexus.relative_target_port_id());
  // Each target port is a group by itself (target_ports.h).
  spec::append_target_port_group_designator(list, nexus.relative_target_port_id());
  spec::append_scsi_name_designator(list, spec::Association::target_port, nexus.target_port_name());
  spec::append_scsi_name_designator(list, spec::Association::target_device, nexus.target()->name());
  write_header(command, out, VpdPage::device_identification, list.stored());
  out.write_bytes(list.bytes());
}

// 85h: the list is empty. No management address belongs to a single logical unit.
void produce_management_addresses(const Command& command, ByteWriter& out) {
  (void)command;
  write_header(command, out, VpdPage::management_network_addresses, 0);
}

// 86h
void produce_extended_inquiry(const Command& command, ByteWriter& out) {
  spec::ExtendedInquiryVpd page;
  page.header.peripheral = spec::kPeripheralDisk;
  if (unit_of(command).has_protection_room())
    page.protection = page.kSptAllTypes | page.kGrdChk | page.kAppChk | page.kRefChk;
  page.flags5 = page.kUaskSup | page.kHeadSup | page.kOrdSup | page.kSimpSup;
  if (unit_of(command).volatile_cache()) page.flags6 = page.kVSup;
  page.flags7 = page.kLuiClr;
  const std::uint64_t minutes = extended_self_test_seconds(command.unit->state().capacity_blocks
                                                           << unit_of(command).block_shift()) /
                                    60 +
                                1;
  page.extended_self_test_completion_minutes =
      static_cast<std::uint16_t>(std::min<std::uint64_t>(minutes, UINT16_MAX));
  page.maximum_supported_sense_data_length = spec::kMaxSenseLength;
  out.write(page);
}

// 87h: all nexuses share one set of mode parameters.
void produce_mode_page_policy(const Command& command, ByteWriter& out) {
  (void)command;
  write_header(command, out, VpdPage::mode_page_policy, sizeof(spec::ModePagePolicyDescriptor));
  out.write(spec::ModePagePolicyDescriptor{});
}

void append_port(ByteWriter& out, std::uint16_t number, const std::string& name) {
  std::array<std::byte, 512> room;
  ByteWriter designators(room);
  spec::append_scsi_name_designator(designators, spec::Association::target_port, name);
  spec::ScsiPortDescriptor port;
  port.relative_port_identifier = number;
  port.target_port_descriptors_length = static_cast<std::uint16_t>(designators.stored());
  out.write(port);
  out.write_bytes(designators.bytes());
}

// 88h: all ports of the target.
void produce_ports(const Command& command, ByteWriter& out) {
  const auto write_ports = [&](ByteWriter& to) {
    for (const TargetPort& port : command.nexus->ports().all())
      append_port(to, port.number, port.name);
  };
  ByteWriter length{MutableBytes{}};
  write_ports(length);
  write_header(command, out, VpdPage::scsi_ports, length.written());
  write_ports(out);
}

// Rounded to whole physical blocks: initiators ignore other values.
std::uint32_t optimal_transfer_of(const LogicalUnit& unit) {
  const block::Limits& limits = unit.limits();
  const std::uint64_t granularity = limits.physical_block_size / limits.block_size;
  const std::uint64_t wanted = limits.optimal_transfer.value != 0
                                   ? limits.optimal_transfer.value
                                   : kDefaultOptimalTransferBytes >> unit.block_shift();
  const std::uint64_t most = std::min(wanted, unit.max_transfer_blocks());
  return static_cast<std::uint32_t>(most - most % granularity);
}

// B0h
void produce_block_limits(const Command& command, ByteWriter& out) {
  const LogicalUnit& unit = unit_of(command);
  const block::Limits& limits = unit.limits();
  spec::BlockLimitsVpd page;
  page.header.peripheral = spec::kPeripheralDisk;
  page.maximum_compare_and_write_length = kMaxCompareAndWriteBlocks;
  page.optimal_transfer_length_granularity =
      static_cast<std::uint16_t>(limits.physical_block_size / limits.block_size);
  page.maximum_transfer_length = static_cast<std::uint32_t>(unit.max_transfer_blocks());
  page.optimal_transfer_length = optimal_transfer_of(unit);
  if (unit.thin()) {
    page.maximum_unmap_lba_count = std::uint32_t{0xffff'ffff};  // no limit
    page.maximum_unmap_block_descriptor_count = kMaxUnmapDescriptors;
    page.optimal_unmap_granularity = static_cast<std::uint32_t>(
        std::clamp<std::uint64_t>(limits.unmap_granularity.value, 1, UINT32_MAX));
    page.unmap_granularity_alignment = page.kUgaValid;  // from block 0
  }
  page.maximum_write_same_length = unit.max_write_same_blocks();
  page.maximum_atomic_transfer_length = unit.atomic_limits().max_blocks;
  page.atomic_alignment = unit.atomic_limits().unit_blocks;
  page.atomic_transfer_length_granularity = unit.atomic_limits().unit_blocks;
  out.write(page);
}

// B1h
void produce_characteristics(const Command& command, ByteWriter& out) {
  spec::BlockDeviceCharacteristicsVpd page;
  page.header.peripheral = spec::kPeripheralDisk;
  page.medium_rotation_rate =
      unit_of(command).limits().rotational ? page.kNotReported : page.kNonRotating;
  // BLOCK ERASE is supported if the medium can unmap. It leaves zeroes.
  if (unit_of(command).thin()) page.form_factor = page.kReadableAfterBlockErase;
  page.flags = page.kVbuls;
  out.write(page);
}

// B2h
void produce_provisioning(const Command& command, ByteWriter& out) {
  const LogicalUnit& unit = unit_of(command);
  spec::LogicalBlockProvisioningVpd page;
  page.header.peripheral = spec::kPeripheralDisk;
  if (unit.thin()) {
    page.flags = page.kLbpu | page.kLbpws | page.kLbpws10;
    if (unit.unmap_reads_zeroes()) page.flags |= page.kLbprzZeroes;
    page.provisioning_type = static_cast<std::uint8_t>(spec::ProvisioningType::thin);
    // The unit of counts in log page 0Ch. There are no thresholds.
    page.threshold_exponent =
        static_cast<std::uint8_t>(threshold_exponent(command.unit->state().capacity_blocks));
  }
  out.write(page);
}

constexpr auto kPages = std::to_array<VpdPageDescription>({
    {VpdPage::supported_vpd_pages, produce_supported, true},
    {VpdPage::unit_serial_number, produce_serial_number},
    {VpdPage::device_identification, produce_identification, true},
    {VpdPage::management_network_addresses, produce_management_addresses},
    {VpdPage::extended_inquiry_data, produce_extended_inquiry},
    {VpdPage::mode_page_policy, produce_mode_page_policy},
    {VpdPage::scsi_ports, produce_ports},
    {VpdPage::block_limits, produce_block_limits},
    {VpdPage::block_device_characteristics, produce_characteristics},
    {VpdPage::logical_block_provisioning, produce_provisioning},
});
static_assert(std::ranges::is_sorted(kPages, {}, &VpdPageDescription::code));

}  // namespace

std::span<const VpdPageDescription> vpd_pages() { return kPages; }

const VpdPageDescription* find_vpd_page(const Command& command, std::uint8_t code) {
  for (const VpdPageDescription& page : kPages) {
    if (static_cast<std::uint8_t>(page.code) == code && has(command, page)) return &page;
  }
  return nullptr;
}

}  // namespace lunar::scsi

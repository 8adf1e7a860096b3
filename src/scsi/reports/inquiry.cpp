// INQUIRY (SPC-5 §6.7).
#include <algorithm>
#include <string>

#include "scsi/core/logical_unit.h"
#include "scsi/core/nexus.h"
#include "scsi/core/parameter_data.h"
#include "scsi/core/target.h"
#include "scsi/reports/report_commands.h"
#include "scsi/reports/vpd_pages.h"
#include "scsi/spec/cdb_structs.h"

namespace lunar::scsi {
namespace {

// Left-aligned ASCII, padded with spaces or cut off (SPC-5 §4.3.1).
template <std::size_t size>
void set_text(std::array<char, size>& field, const std::string& text) {
  field.fill(' ');
  std::copy_n(text.begin(), std::min(size, text.size()), field.begin());
}

spec::StandardInquiryData standard_data(const LogicalUnitOptions& options) {
  spec::StandardInquiryData data;
  // SPC-4 rather than SPC-5: some initiators treat a newer number as unknown.
  data.version = spec::kVersionSpc4;
  data.flags7 = data.kCmdQue;
  set_text(data.t10_vendor_identification, options.vendor);
  set_text(data.product_identification, options.product);
  set_text(data.product_revision_level, options.revision);
  namespace version = spec::version_descriptor;
  data.version_descriptors = {version::kSam5, version::kSpc4, version::kSbc3, version::kIscsi};
  return data;
}

void produce(Command& command, ByteWriter& out) {
  const auto cdb = cdb_of(command).as<spec::InquiryCdb>();
  if (cdb.evpd()) {
    find_vpd_page(command, cdb.page_code)->produce(command, out);
    return;
  }
  if (command.unit == nullptr) {
    spec::StandardInquiryData data = standard_data({});
    data.peripheral = command.to_well_known ? spec::kPeripheralWellKnown : spec::kPeripheralAbsent;
    out.write(data);
    return;
  }
  const LogicalUnitOptions& options = command.unit->unit().options();
  spec::StandardInquiryData data = standard_data(options);
  data.peripheral = spec::kPeripheralDisk;
  if (options.removable) data.removable = data.kRmb;
  if (command.unit->unit().has_protection_room()) data.flags5 |= data.kProtect;
  const TargetPorts& ports = command.nexus->ports();
  if (ports.all().size() > 1) data.flags6 = data.kMultiP;
  if (ports.implicit_changes()) data.flags5 |= data.kTpgsImplicit;
  if (ports.explicit_changes()) data.flags5 |= data.kTpgsExplicit;
  out.write(data);
}

}  // namespace

bool decode_inquiry(Command& command) {
  const auto cdb = cdb_of(command).as<spec::InquiryCdb>();
  constexpr std::uint16_t kPageCode = offsetof(spec::InquiryCdb, page_code);
  if (!cdb.evpd() && cdb.page_code != 0) {
    return refuse(command, spec::Sense::invalid_field_in_cdb(kPageCode));
  }
  if (cdb.evpd() && command.unit == nullptr && !command.to_well_known) {
    // No logical unit, so no vital product data.
    return refuse(command, spec::Sense::illegal_request(spec::AdditionalSense::lu_not_supported));
  }
  if (cdb.evpd() && find_vpd_page(command, cdb.page_code) == nullptr) {
    return refuse(command, spec::Sense::invalid_field_in_cdb(kPageCode));
  }
  command.allocation_length = cdb.allocation_length;
  return true;
}

void execute_inquiry(Command& command) { respond<produce, kMaxVpdPageBytes>(command); }

}  // namespace lunar::scsi

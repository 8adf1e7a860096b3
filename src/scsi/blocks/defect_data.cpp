// READ DEFECT DATA (SBC-4 §5.18, §5.19). lunar's media have no known defects, so all lists exist
// and are empty.
#include "scsi/spec/defect_data.h"
#include "scsi/blocks/block_commands.h"
#include "scsi/core/parameter_data.h"

namespace lunar::scsi {
namespace {

// Header for the lists requested by the CDB: each requested list is valid, in the requested format.
constexpr std::uint8_t kListsMask =
    spec::kPrimaryDefectList | spec::kGrownDefectList | spec::kDefectListFormatMask;

bool check_format(Command& command, std::uint8_t lists, std::uint16_t byte) {
  const auto format = static_cast<spec::DefectListFormat>(lists & spec::kDefectListFormatMask);
  if (format < spec::DefectListFormat::vendor_specific) return true;
  constexpr std::uint8_t kMostSignificantBit = 2;
  return refuse(command, spec::Sense::invalid_field_in_cdb(byte, kMostSignificantBit));
}

void produce_10(Command& command, ByteWriter& out) {
  spec::DefectList10Header header;
  header.lists = cdb_of(command).as<spec::ReadDefectData10Cdb>().lists & kListsMask;
  out.write(header);
}

void produce_12(Command& command, ByteWriter& out) {
  spec::DefectList12Header header;
  header.lists = cdb_of(command).as<spec::ReadDefectData12Cdb>().lists & kListsMask;
  out.write(header);
}

}  // namespace

bool decode_read_defect_data_10(Command& command) {
  const auto cdb = cdb_of(command).as<spec::ReadDefectData10Cdb>();
  command.allocation_length = cdb.allocation_length;
  return check_format(command, cdb.lists, offsetof(spec::ReadDefectData10Cdb, lists));
}

void execute_read_defect_data_10(Command& command) {
  respond<produce_10, sizeof(spec::DefectList10Header)>(command);
}

bool decode_read_defect_data_12(Command& command) {
  const auto cdb = cdb_of(command).as<spec::ReadDefectData12Cdb>();
  command.allocation_length = cdb.allocation_length;
  return check_format(command, cdb.lists, offsetof(spec::ReadDefectData12Cdb, lists));
}

void execute_read_defect_data_12(Command& command) {
  respond<produce_12, sizeof(spec::DefectList12Header)>(command);
}

}  // namespace lunar::scsi

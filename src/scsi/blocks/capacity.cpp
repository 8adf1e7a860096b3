// READ CAPACITY (SBC-4 §5.20, §5.21).
#include <algorithm>
#include <bit>

#include "scsi/blocks/block_commands.h"
#include "scsi/core/logical_unit.h"
#include "scsi/core/parameter_data.h"
#include "scsi/spec/capacity.h"
#include "scsi/spec/cdb_structs.h"

namespace lunar::scsi {
namespace {

void produce_10(Command& command, ByteWriter& out) {
  const LogicalUnit& unit = command.unit->unit();
  spec::ReadCapacity10Data data;
  const std::uint64_t last = command.unit->state().capacity_blocks - 1;
  data.returned_logical_block_address =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(last, spec::kCapacityTooLarge));
  data.logical_block_length_bytes = unit.block_size();
  out.write(data);
}

void produce_16(Command& command, ByteWriter& out) {
  const LogicalUnit& unit = command.unit->unit();
  spec::ReadCapacity16Data data;
  data.returned_logical_block_address = command.unit->state().capacity_blocks - 1;
  data.logical_block_length_bytes = unit.block_size();
  if (const auto type = command.unit->state().protection; type != spec::ProtectionType::none) {
    const unsigned p_type = static_cast<unsigned>(type) - 1;
    data.protection = static_cast<std::uint8_t>(data.kProtEn | p_type << data.kPTypeShift);
  }
  // P_I_EXPONENT is zero: one protection information entry per block.
  const std::uint32_t ratio = unit.limits().physical_block_size / unit.block_size();
  data.exponents =
      static_cast<std::uint8_t>(std::countr_zero(std::max(ratio, 1U))) & data.kExponentMask;
  // Block 0 is aligned to a physical block: LOWEST ALIGNED is zero.
  std::uint16_t provisioning = 0;
  if (unit.thin()) provisioning |= data.kLbpme;
  if (unit.unmap_reads_zeroes()) provisioning |= data.kLbprz;
  data.provisioning_and_alignment = provisioning;
  out.write(data);
}

// Obsolete fields: an address is valid only with PMI.
bool check_pmi(Command& command, std::uint64_t lba, std::uint8_t pmi, std::uint16_t lba_field) {
  constexpr std::uint8_t kPmi = 0x01;
  if (lba == 0 || (pmi & kPmi) != 0) return true;
  return refuse(command, spec::Sense::invalid_field_in_cdb(lba_field));
}

}  // namespace

bool decode_read_capacity_10(Command& command) {
  const auto cdb = cdb_of(command).as<spec::ReadCapacity10Cdb>();
  command.allocation_length = sizeof(spec::ReadCapacity10Data);  // there is no such field
  return check_pmi(command, cdb.obsolete_logical_block_address, cdb.obsolete_pmi,
                   offsetof(spec::ReadCapacity10Cdb, obsolete_logical_block_address));
}

void execute_read_capacity_10(Command& command) {
  respond<produce_10, sizeof(spec::ReadCapacity10Data)>(command);
}

bool decode_read_capacity_16(Command& command) {
  const auto cdb = cdb_of(command).as<spec::ServiceActionIn16Cdb>();
  command.allocation_length = cdb.allocation_length;
  return check_pmi(command, cdb.logical_block_address, cdb.flags,
                   offsetof(spec::ServiceActionIn16Cdb, logical_block_address));
}

void execute_read_capacity_16(Command& command) {
  respond<produce_16, sizeof(spec::ReadCapacity16Data)>(command);
}

}  // namespace lunar::scsi

// Data from an initiator: LUN, CDB and UNMAP parameter list, in this order in the input.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <variant>

#include "base/bytes.h"
#include "base/endian.h"
#include "scsi/spec/cdb.h"
#include "scsi/spec/lun.h"
#include "scsi/spec/unmap.h"

namespace lunar::scsi::spec {
namespace {

void check_lun(std::uint64_t wire) {
  const auto address = decode_lun(wire);
  if (!address) return;
  const std::uint64_t again =
      std::visit([](auto lun) -> std::uint64_t { return encode_lun(lun); }, *address);
  if (decode_lun(again) != address) std::abort();
}

bool is_block_command(Opcode opcode) {
  return opcode == Opcode::read_6 || opcode == Opcode::write_6 || opcode == Opcode::read_10 ||
         opcode == Opcode::write_10 || opcode == Opcode::read_12 || opcode == Opcode::read_16 ||
         opcode == Opcode::write_same_16 || opcode == Opcode::synchronize_cache_10;
}

void check_cdb(Bytes bytes) {
  const auto cdb = Cdb::parse(bytes);
  if (!cdb) return;
  if (cdb->size() > bytes.size() || to_text(*cdb).empty()) std::abort();
  static_cast<void>(cdb->control());
  if (!is_block_command(cdb->opcode())) return;
  const BlockCommand command = decode_block_command(*cdb);
  const auto encoded = encode_block_command(cdb->opcode(), command);
  if (!encoded || decode_block_command(*Cdb::parse(encoded->bytes())) != command) std::abort();
}

void check_unmap(Bytes bytes) {
  const auto list = UnmapParameterList::parse(bytes);
  if (!list) return;
  BlockCount total;
  for (std::size_t i = 0; i < list->size(); ++i) total = total + (*list)[i].blocks;
  if (total != list->total_blocks()) std::abort();
}

}  // namespace
}  // namespace lunar::scsi::spec

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lunar;
  using namespace lunar::scsi::spec;
  ByteReader reader(Bytes(reinterpret_cast<const std::byte*>(data), size));
  const auto lun = reader.read<be64>();
  if (!lun) return 0;
  check_lun(lun->value());
  check_cdb(reader.rest().first(std::min(reader.remaining(), kFixedCdbLength)));
  check_cdb(reader.rest());
  check_unmap(reader.rest());
  return 0;
}

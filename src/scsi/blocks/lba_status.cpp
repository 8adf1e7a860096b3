// GET LBA STATUS (SBC-4 §5.7, §5.8), answered from the medium's allocation map.
#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "block/allocation_map.h"
#include "scsi/blocks/block_commands.h"
#include "scsi/blocks/block_range.h"
#include "scsi/core/completion.h"
#include "scsi/core/logical_unit.h"
#include "scsi/spec/cdb_structs.h"
#include "scsi/spec/lba_status.h"

namespace lunar::scsi {
namespace {

using spec::LbaProvisioningStatus;
using spec::LbaReportType;
using spec::LbaStatusCompletion;

constexpr std::size_t kMaxDescriptors = 1023;
constexpr std::size_t kMaxBytes =
    sizeof(spec::LbaStatusHeader) + kMaxDescriptors * sizeof(spec::LbaStatusDescriptor);
// Limits the extents that one command reads, and so its time on a map with many of them.
constexpr std::size_t kMaxExtents = 16 * kKiB;
constexpr std::uint64_t kMaxDescriptorBlocks = std::numeric_limits<std::uint32_t>::max();

// The range and descriptors that the CDB requests.
struct LbaStatusQuery {
  Lba start;
  Lba end;  // first block behind the range
  LbaReportType type = LbaReportType::all;
  bool to_end_of_medium = true;
  std::size_t descriptors = 0;  // room for them
};

struct LbaStatusAnswer {
  std::vector<block::Extent> extents;
  LbaStatusCompletion completion = LbaStatusCompletion::not_told;
  bool failed = false;  // the map could not be read
};

// Whether a state (mapped or not) is requested.
[[nodiscard]] bool is_wanted(LbaReportType type, bool allocated) {
  switch (type) {
    case LbaReportType::mapped: return allocated;
    case LbaReportType::deallocated: return !allocated;
    case LbaReportType::all:
    case LbaReportType::additional_status:
    case LbaReportType::anchored:
    case LbaReportType::may_be_unrecovered: return true;
  }
  return true;
}

// Adds an extent; extends the last descriptor if the extent continues it. False: no room.
bool add(std::vector<block::Extent>& extents, const block::Extent& extent, std::size_t limit) {
  if (!extents.empty()) {
    block::Extent& last = extents.back();
    const bool continues = last.allocated == extent.allocated &&
                           last.lba + last.count == extent.lba &&
                           last.count.value + extent.count.value <= kMaxDescriptorBlocks;
    if (continues) {
      last.count = last.count + extent.count;
      return true;
    }
  }
  if (extents.size() == limit) return false;
  extents.push_back(extent);
  return true;
}

engine::Task<LbaStatusAnswer> look(const LogicalUnit& unit, const LbaStatusQuery& query) {
  LbaStatusAnswer answer;
  Lba at = query.start;
  for (std::size_t seen = 0; seen < kMaxExtents && at < query.end;) {
    const BlockCount left(std::min((query.end - at).value, kMaxDescriptorBlocks));
    // A fully provisioned unit has no unmapped blocks, even if its file has holes.
    std::vector<block::Extent> extents = {{at, left, true}};
    if (unit.thin()) {
      auto looking = block::look_up_extents(unit.device(), at, left);
      auto found = co_await looking;
      answer.failed = !found;
      if (answer.failed) co_return answer;
      extents = std::move(*found);
    }
    for (const block::Extent& extent : extents) {
      if (is_wanted(query.type, extent.allocated) &&
          !add(answer.extents, extent, query.descriptors)) {
        answer.completion = LbaStatusCompletion::allocation_length;
        co_return answer;
      }
      at = at + extent.count;
    }
    seen += extents.size();
  }
  if (at == query.end) {
    answer.completion = query.to_end_of_medium ? LbaStatusCompletion::end_of_medium
                                               : LbaStatusCompletion::scan_length;
  }
  co_return answer;
}

[[nodiscard]] LbaStatusQuery query_of(const Command& command) {
  const Lba end(command.unit->state().capacity_blocks);
  LbaStatusQuery query;
  query.end = end;
  if (static_cast<spec::Opcode>(command.cdb[0]) == spec::Opcode::variable_length_cdb) {
    const auto cdb = cdb_of(command).as<spec::GetLbaStatus32Cdb>();
    query.start = Lba(cdb.starting_logical_block_address);
    query.type = static_cast<LbaReportType>(cdb.report_type);
    const BlockCount scan(cdb.scan_length_blocks);
    if (scan.value != 0 && query.start < end && scan < end - query.start) {
      query.end = query.start + scan;
      query.to_end_of_medium = false;
    }
  } else {
    const auto cdb = cdb_of(command).as<spec::ServiceActionIn16Cdb>();
    query.start = Lba(cdb.logical_block_address);
    query.type = static_cast<LbaReportType>(cdb.flags);
  }
  const std::size_t room = std::min<std::size_t>(command.allocation_length, kMaxBytes);
  // Looks for at least one descriptor, for PARAMETER DATA LENGTH (SBC-4 §5.7.2).
  query.descriptors = 1;
  if (room >= sizeof(spec::LbaStatusHeader)) {
    const std::size_t fit =
        (room - sizeof(spec::LbaStatusHeader)) / sizeof(spec::LbaStatusDescriptor);
    query.descriptors = std::max<std::size_t>(fit, 1);
  }
  return query;
}

// Data beyond the allocation length are cut off.
void write_answer(Command& command, const LbaStatusQuery& query, const LbaStatusAnswer& answer) {
  ByteWriter out(
      command.buffer.bytes().first(std::min<std::size_t>(command.allocation_length, kMaxBytes)));
  spec::LbaStatusHeader header;
  header.parameter_data_length =
      static_cast<std::uint32_t>(sizeof(header) - sizeof(header.parameter_data_length) +
                                 answer.extents.size() * sizeof(spec::LbaStatusDescriptor));
  header.flags = static_cast<std::uint8_t>(static_cast<unsigned>(answer.completion)
                                           << spec::LbaStatusHeader::kCompletionShift);
  if (query.type == LbaReportType::mapped || query.type == LbaReportType::deallocated)
    header.flags |= spec::LbaStatusHeader::kRtp;
  out.write(header);
  for (const block::Extent& extent : answer.extents) {
    spec::LbaStatusDescriptor descriptor;
    descriptor.logical_block_address = extent.lba.value;
    descriptor.number_of_logical_blocks = static_cast<std::uint32_t>(extent.count.value);
    descriptor.provisioning_status = static_cast<std::uint8_t>(
        extent.allocated ? LbaProvisioningStatus::mapped : LbaProvisioningStatus::deallocated);
    out.write(descriptor);
  }
  command.data_in = out.bytes();
}

// SBC-4 §5.7.1: the starting block must exist.
bool check_start(Command& command) {
  if (query_of(command).start.value < command.unit->state().capacity_blocks) return true;
  return refuse(command, spec::Sense::illegal_request(spec::AdditionalSense::lba_out_of_range));
}

engine::Task<void> get_lba_status(Command& command) {
  // The medium may have shrunk since decoding.
  if (!check_start(command)) co_return;
  const LbaStatusQuery query = query_of(command);
  auto looking = look(command.unit->unit(), query);
  const LbaStatusAnswer answer = co_await looking;
  if (answer.failed) {
    set_check_condition(command, spec::Sense::of(spec::SenseKey::hardware_error,
                                                 spec::AdditionalSense::internal_target_failure));
    co_return;
  }
  if (command.allocation_length == 0 || is_unwanted(command)) co_return;
  command.buffer = co_await engine::AllocateBuffer(
      command.shard->buffers(), std::min<std::size_t>(command.allocation_length, kMaxBytes));
  write_answer(command, query, answer);
}

bool check_query(Command& command, std::uint8_t type, std::uint16_t type_byte) {
  if (!check_start(command)) return false;
  const bool known = type <= static_cast<std::uint8_t>(LbaReportType::anchored) ||
                     type == static_cast<std::uint8_t>(LbaReportType::may_be_unrecovered);
  return known || refuse(command, spec::Sense::invalid_field_in_cdb(type_byte));
}

}  // namespace

bool decode_get_lba_status_16(Command& command) {
  const auto cdb = cdb_of(command).as<spec::ServiceActionIn16Cdb>();
  command.allocation_length = cdb.allocation_length;
  return check_query(command, cdb.flags, offsetof(spec::ServiceActionIn16Cdb, flags));
}

bool decode_get_lba_status_32(Command& command) {
  const auto cdb = cdb_of(command).as<spec::GetLbaStatus32Cdb>();
  command.allocation_length = cdb.allocation_length;
  // There are no physical elements to select.
  if (cdb.element_identifier != 0) {
    return refuse(command, spec::Sense::invalid_field_in_cdb(
                               offsetof(spec::GetLbaStatus32Cdb, element_identifier)));
  }
  return check_query(command, cdb.report_type, offsetof(spec::GetLbaStatus32Cdb, report_type));
}

void execute_get_lba_status(Command& command) { run_sequence(command, get_lba_status); }

}  // namespace lunar::scsi

#include "scsi/target.h"

#include <fmt/format.h>

namespace lunar::scsi {

Result<void> LunMap::add(Lun lun, LogicalUnit& unit) {
  if (lun.value > spec::kMaxLun) {
    return fail(ErrorCode::out_of_range,
                fmt::format("LUN {} is above the largest number, {}", lun.value, spec::kMaxLun));
  }
  std::unique_ptr<Chunk>& chunk = chunks_[lun.value / kChunkLuns];
  if (chunk == nullptr) chunk = std::make_unique<Chunk>();
  LogicalUnit*& place = (*chunk)[lun.value % kChunkLuns];
  if (place != nullptr)
    return fail(ErrorCode::already_exists, fmt::format("LUN {} is taken", lun.value));
  place = &unit;
  ++size_;
  return {};
}

}  // namespace lunar::scsi

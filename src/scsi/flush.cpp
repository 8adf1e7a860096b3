#include "scsi/flush.h"

#include "block/await_request.h"
#include "block/front.h"
#include "scsi/logical_unit.h"
#include "scsi/protection_area.h"

namespace lunar::scsi {

engine::Task<block::Status> flush_medium(LogicalUnitShard& part) {
  block::AwaitableRequest request;
  request.prepare(block::Op::flush);
  const block::Status blocks = co_await request.submit_to(part.front());
  ProtectionArea* const area = part.protection_area();
  if (blocks != block::Status::ok || area == nullptr) co_return blocks;
  request.prepare(block::Op::flush);
  co_return co_await request.submit_to(area->front());
}

}  // namespace lunar::scsi

#include "scsi/blocks/flush.h"

#include "block/front.h"
#include "scsi/core/logical_unit.h"
#include "scsi/core/protection_area.h"
#include "scsi/core/unless_unwanted.h"

namespace lunar::scsi {
namespace {

engine::Task<block::Status> flush_both(Behalf behalf, OwnRequest::Effort effort) {
  LogicalUnitShard& part = *behalf.part;
  OwnRequest request(behalf, effort);
  request.prepare(block::Op::flush);
  const block::Status blocks = co_await request.submit_to(part.front());
  ProtectionArea* const area = part.protection_area();
  if (blocks != block::Status::ok || area == nullptr) co_return blocks;
  request.prepare(block::Op::flush);
  co_return co_await request.submit_to(area->front());
}

}  // namespace

engine::Task<block::Status> flush_medium(Behalf behalf, OwnRequest::Effort effort) {
  auto flushing = flush_both(behalf, effort);
  if (behalf.command == nullptr) co_return co_await flushing;
  auto waiting = unless_unwanted(behalf, std::move(flushing), kAbortPatienceNs);
  const std::optional<block::Status> status = co_await waiting;
  co_return status.value_or(block::Status::aborted);
}

}  // namespace lunar::scsi

#include "scsi/core/memory.h"

#include "scsi/core/logical_unit.h"
#include "scsi/core/unless_unwanted.h"

namespace lunar::scsi {
namespace {

using Lease = block::WorkBuffers::Lease;

engine::Task<engine::Buffer> allocate(engine::BufferPool& pool, std::size_t bytes) {
  engine::AllocateBuffer allocating(pool, bytes);
  co_return co_await allocating;
}

engine::Task<Lease> lease(block::WorkBuffers& from, std::size_t bytes) {
  block::WorkBuffers::Take taking = from.take(bytes);
  co_return co_await taking;
}

}  // namespace

engine::Task<std::optional<engine::Buffer>> take_buffer(Behalf behalf, std::size_t bytes) {
  auto allocating = allocate(behalf.part->shard().buffers(), bytes);
  return unless_unwanted(behalf, std::move(allocating));
}

engine::Task<std::optional<Lease>> take_work(Behalf behalf, block::WorkBuffers& from,
                                             std::size_t bytes) {
  auto leasing = lease(from, bytes);
  return unless_unwanted(behalf, std::move(leasing));
}

}  // namespace lunar::scsi

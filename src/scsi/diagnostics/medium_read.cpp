#include "scsi/diagnostics/medium_read.h"

#include "scsi/core/logical_unit.h"
#include "scsi/core/memory.h"
#include "scsi/core/own_request.h"
#include "scsi/core/unless_unwanted.h"

namespace lunar::scsi {
namespace {

engine::Task<block::Status> read(Behalf behalf, block::Range range,
                                 std::shared_ptr<engine::Buffer> memory) {
  const auto bytes = static_cast<std::size_t>(range.count.value)
                     << behalf.part->unit().block_shift();
  OwnRequest request(behalf);
  request.prepare(block::Op::read, range.lba, range.count);
  request.set_buffer(memory->data(), bytes);
  co_return co_await request.submit_to(behalf.part->front());
}

}  // namespace

engine::Task<std::shared_ptr<engine::Buffer>> take_memory(Behalf behalf, std::size_t bytes) {
  auto taking = take_buffer(behalf, bytes);
  std::optional<engine::Buffer> buffer = co_await taking;
  if (!buffer) co_return nullptr;
  co_return std::make_shared<engine::Buffer>(std::move(*buffer));
}

engine::Task<block::Status> read_medium(Behalf behalf, block::Range range,
                                        std::shared_ptr<engine::Buffer> memory) {
  auto reading = read(behalf, range, std::move(memory));
  if (behalf.command == nullptr) co_return co_await reading;
  auto waiting = unless_unwanted(behalf, std::move(reading), kAbortPatienceNs);
  const std::optional<block::Status> status = co_await waiting;
  co_return status.value_or(block::Status::aborted);
}

}  // namespace lunar::scsi

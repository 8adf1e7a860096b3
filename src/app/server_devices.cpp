// What becomes of a Server's devices after they have been added.
#include <fmt/format.h>

#include "app/server_internals.h"
#include "lunar/server.h"

namespace lunar {
namespace {

using Internals = Server::Internals;

Result<block::Disk*> find_disk(const Internals& self, std::string_view name) {
  block::Disk* disk = self.registry->find(name);
  if (disk == nullptr)
    return fail(ErrorCode::not_found, fmt::format("there is no device {}", name));
  return disk;
}

engine::Task<void> finish(engine::Task<Result<void>> work, Result<void>& outcome) {
  outcome = co_await work;
}

}  // namespace

Result<void> Server::remove_device(std::string_view name) {
  const Internals::Call call(*internals_);
  LUNAR_TRY(internals_->check_not_ended("remove_device()"));
  LUNAR_TRY_ASSIGN(block::Disk* const disk, find_disk(*internals_, name));
  LUNAR_TRY(disk->begin_closing());
  Result<void> closed;
  internals_->shards->run_on(
      0, [&] { return finish(disk->close_device(block::kDeviceDeadlineNs), closed); });
  if (!closed) return wrap(closed.error(), fmt::format("device {}", name));
  return internals_->registry->remove(name);
}

Result<void> Server::rename_device(std::string_view name, const std::string& new_name) {
  const Internals::Call call(*internals_);
  LUNAR_TRY(internals_->check_not_ended("rename_device()"));
  return internals_->registry->rename(name, new_name);
}

Result<void> Server::resize(std::string_view name, std::optional<ByteCount> size) {
  const Internals::Call call(*internals_);
  LUNAR_TRY(internals_->check_not_ended("resize()"));
  LUNAR_TRY_ASSIGN(block::Disk* const disk, find_disk(*internals_, name));
  const std::uint64_t block_size = disk->device().limits().block_size;
  if (size && (size->value == 0 || size->value % block_size != 0)) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("device {}: {} bytes are not one or more whole blocks of {}", name,
                            size->value, block_size));
  }
  Result<void> outcome;
  internals_->shards->run_on(0, [&] { return finish(disk->resize(size), outcome); });
  if (!outcome) return wrap(outcome.error(), fmt::format("device {}", name));
  return {};
}

Result<void> Server::set_write_protected(std::string_view name, bool on) {
  const Internals::Call call(*internals_);
  LUNAR_TRY(internals_->check_not_ended("set_write_protected()"));
  LUNAR_TRY_ASSIGN(block::Disk* const disk, find_disk(*internals_, name));
  const auto found = internals_->units.find(disk);
  if (found == internals_->units.end())
    return fail(ErrorCode::not_found, fmt::format("device {} is no logical unit", name));
  Internals::MappedUnit& mapped = found->second;
  if (!on && !mapped.writes) {
    LUNAR_TRY(mapped.claim.take_write_access());
    mapped.writes = true;
  }
  Result<void> outcome;
  internals_->shards->run_on(0, [&] { return finish(disk->set_write_protected(on), outcome); });
  if (!outcome) return wrap(outcome.error(), fmt::format("device {}", name));
  if (!on) internals_->shards->run_on(0, [&] { return mapped.unit->lift_read_only(); });
  mapped.options.read_only = on;
  return {};
}

std::size_t Server::commands_in_flight(std::string_view name) const {
  const Internals::Call call(*internals_);
  const block::Disk* disk = internals_->registry->find(name);
  return disk == nullptr ? 0 : disk->statistics().commands_in_flight();
}

std::size_t Server::commands_in_flight() const {
  const Internals::Call call(*internals_);
  return internals_->service->commands_in_flight();
}

}  // namespace lunar

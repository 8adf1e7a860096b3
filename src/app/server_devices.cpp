// What becomes of a Server's devices after they have been added.
#include <fmt/format.h>

#include "app/server_internals.h"
#include "lunar/server.h"
#include "scsi/target/unit_management.h"

namespace lunar {
namespace {

using Internals = Server::Internals;

Result<block::Device*> find_device(const Internals& self, std::string_view name) {
  block::Device* device = self.registry->find(name);
  if (device == nullptr)
    return fail(ErrorCode::not_found, fmt::format("there is no device {}", name));
  return device;
}

// The logical unit learns of the capacity first when it shrinks, and last when it grows.
Result<void> resize_served(Internals& self, scsi::LogicalUnit& unit,
                           std::optional<ByteCount> size) {
  block::Device& device = unit.device();
  const auto set_capacity = [&](BlockCount capacity) {
    Result<void> outcome;
    self.shards->run_on(0, [&] { return scsi::set_capacity(unit, capacity, outcome); });
    return outcome;
  };
  const BlockCount before = device.limits().capacity;
  const bool shrinks = size && size->value / device.limits().block_size < before.value;
  if (shrinks) LUNAR_TRY(set_capacity(BlockCount(size->value / device.limits().block_size)));
  const Result<BlockCount> now = device.resize(size);
  LUNAR_TRY(set_capacity(now.value_or(before)));
  if (!now) return std::unexpected(now.error());
  return {};
}

}  // namespace

Result<void> Server::remove_device(std::string_view name) {
  const Internals::Call call(*internals_);
  LUNAR_TRY(internals_->check_not_ended("remove_device()"));
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
  LUNAR_TRY_ASSIGN(block::Device* const device, find_device(*internals_, name));
  const std::uint64_t block_size = device->limits().block_size;
  if (size && (size->value == 0 || size->value % block_size != 0)) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("device {}: {} bytes are not one or more whole blocks of {}", name,
                            size->value, block_size));
  }
  // Each who has it, or what it stands on, has to learn of its size: only the one that is told can.
  if (const auto owners = internals_->registry->owners(*device); owners.size() > 1) {
    return fail(ErrorCode::busy,
                fmt::format("device {} is used by {} and {}", name, owners[0], owners[1]));
  }
  Result<void> resized;
  if (const auto mapped = internals_->units.find(device); mapped != internals_->units.end()) {
    resized = resize_served(*internals_, *mapped->second.unit, size);
  } else if (const auto owners = internals_->registry->owners(*device); !owners.empty()) {
    // What stands on it has to learn of its size.
    resized = fail(ErrorCode::busy, fmt::format("is used by {}: resize that", owners.front()));
  } else if (const auto now = device->resize(size); !now) {
    resized = std::unexpected(now.error());
  }
  if (!resized) return wrap(resized.error(), fmt::format("device {}", name));
  return {};
}

Result<void> Server::set_write_protected(std::string_view name, bool on) {
  const Internals::Call call(*internals_);
  LUNAR_TRY(internals_->check_not_ended("set_write_protected()"));
  LUNAR_TRY_ASSIGN(block::Device* const device, find_device(*internals_, name));
  const auto found = internals_->units.find(device);
  if (found == internals_->units.end())
    return fail(ErrorCode::not_found, fmt::format("device {} is no logical unit", name));
  Internals::MappedUnit& mapped = found->second;
  if (!on && !mapped.writes) {
    LUNAR_TRY(mapped.claim.take_write_access());
    mapped.writes = true;
  }
  Result<void> outcome;
  internals_->shards->run_on(0,
                             [&] { return scsi::set_write_protected(*mapped.unit, on, outcome); });
  if (!outcome) return wrap(outcome.error(), fmt::format("device {}", name));
  mapped.options.read_only = on;
  return {};
}

std::size_t Server::commands_in_flight(std::string_view name) const {
  const Internals::Call call(*internals_);
  const block::Device* device = internals_->registry->find(name);
  const auto found = internals_->units.find(device);
  if (found == internals_->units.end()) return 0;
  return found->second.unit->statistics().commands_in_flight();
}

std::size_t Server::commands_in_flight() const {
  const Internals::Call call(*internals_);
  return internals_->service->commands_in_flight();
}

}  // namespace lunar

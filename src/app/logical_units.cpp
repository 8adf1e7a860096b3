#include "app/logical_units.h"

#include <fmt/format.h>

#include "iscsi/spec/names.h"
#include "scsi/target/unit_features.h"

namespace lunar::app {
namespace {

using Internals = Server::Internals;
using Units = std::vector<scsi::LogicalUnit*>;

engine::Task<Result<void>> open_here(engine::Shard& shard, const Units& units) {
  for (scsi::LogicalUnit* unit : units) {
    Result<void> opened = co_await unit->open(shard);
    if (!opened) co_return opened;
  }
  co_return Result<void>();
}

engine::Task<void> close_here(engine::Shard& shard, const Units& units) {
  // All at once: a medium that does not answer holds up its own unit.
  std::vector<engine::Task<void>> stopping;
  stopping.reserve(units.size());
  for (scsi::LogicalUnit* unit : units) stopping.push_back(unit->stop(shard));
  for (engine::Task<void>& task : stopping) co_await task;
}

engine::Task<void> close_there(engine::Shard& shard, const Units& units) {
  auto close = [&shard, &units] { return close_here(shard, units); };
  auto there = engine::await_on(shard, close);
  co_await there;
}

// What is kept under an identity must be found under it again.
state::Store* store_for(Internals& self, const block::Device& device) {
  return device.capabilities().keeps_uuid ? self.state_store.get() : nullptr;
}

std::string described(const block::Device& device) {
  const std::string location = device.location();
  return fmt::format("device {} ({}{}{})", device.name(), device.kind(),
                     location.empty() ? "" : " ", location);
}

// Initiators would take them for one, which would have two sets of reservations.
Result<void> check_identity(const Internals& self, const block::Device& device) {
  for (const auto& [disk, mapped] : self.units) {
    const block::Device& other = disk->device();
    if (other.uuid() != device.uuid()) continue;
    return fail(ErrorCode::already_exists,
                fmt::format("{} has the identity of {}, which is mapped: UUID {}. Give one of them "
                            "another: by uuid, or for the copy of a file by removing its attribute "
                            "(setfattr -x user.lunar.uuid COPY)",
                            described(device), described(other), device.uuid().to_string()));
  }
  return {};
}

Result<void> open_now(Internals& self, scsi::LogicalUnit& unit) {
  if (self.state != Internals::State::started) return {};
  Result<void> outcome;
  const Units units{&unit};
  self.shards->run_on(0, [&] { return open_units(self, units, outcome); });
  if (!outcome) self.shards->run_on(0, [&] { return close_units(self, units); });
  return outcome;
}

}  // namespace

engine::Task<void> open_units(Internals& self, const Units& units, Result<void>& outcome) {
  for (engine::Shard* shard : self.shards->shards()) {
    auto open = [shard, &units] { return open_here(*shard, units); };
    auto there = engine::await_on(*shard, open);
    outcome = co_await there;
    if (!outcome) co_return;
  }
}

engine::Task<void> close_units(Internals& self, const Units& units) {
  engine::Gate closing;
  for (engine::Shard* shard : self.shards->shards()) closing.spawn(close_there(*shard, units));
  co_await closing.close();
}

Units all_units(const Internals& self) {
  Units units;
  for (const auto& [disk, mapped] : self.units) units.push_back(mapped.unit.get());
  return units;
}

Result<Internals::MappedUnit*> acquire_unit(Internals& self, std::string_view device_name,
                                            const LunOptions& options, std::string_view target) {
  block::Disk* disk = self.registry->find(device_name);
  if (disk == nullptr)
    return fail(ErrorCode::not_found, fmt::format("there is no device {}", device_name));
  if (const auto found = self.units.find(disk); found != self.units.end()) {
    const LunOptions& others = found->second.options;
    if (others.read_only == options.read_only && others.removable == options.removable)
      return &found->second;
    return fail(
        ErrorCode::invalid_argument,
        fmt::format("device {} is one logical unit: it is mapped already, with other options",
                    device_name));
  }
  const block::Device& device = disk->device();
  LUNAR_TRY(check_identity(self, device));
  const bool read_only = options.read_only || !device.capabilities().writable;
  LUNAR_TRY_ASSIGN(block::Claim claim,
                   disk->claim(read_only ? block::Access::read : block::Access::write,
                               fmt::format("target {}", target)));
  auto unit = std::make_unique<scsi::LogicalUnit>(
      *disk, scsi::LogicalUnitOptions{.removable = options.removable,
                                      .read_only = read_only,
                                      .store = store_for(self, device)});
  if (auto restored = unit->restore(scsi::unit_features()); !restored)
    return wrap(restored.error(), fmt::format("device {}", device_name));
  LUNAR_TRY(open_now(self, *unit));
  Internals::MappedUnit& mapped = self.units[disk];
  mapped.claim = std::move(claim);
  mapped.unit = std::move(unit);
  mapped.options = options;
  mapped.writes = !read_only;
  return &mapped;
}

Result<iscsi::TargetNode*> find_target(const Internals& self, std::string_view iqn) {
  LUNAR_TRY_ASSIGN(const std::string name, iscsi::spec::parse_name(iqn));
  iscsi::TargetNode* const target = self.service->find_target(name);
  if (target == nullptr)
    return fail(ErrorCode::not_found, fmt::format("there is no target {}", name));
  return target;
}

UnitSet units_of(const scsi::LunMaps& maps) {
  UnitSet units;
  const auto add = [&units](Lun, scsi::LogicalUnit& unit) { units.insert(&unit); };
  maps.others.for_each(add);
  for (const auto& host : maps.hosts) host->luns.for_each(add);
  return units;
}

namespace {

engine::Task<void> look_at_operation(const scsi::LogicalUnit& unit, bool& found) {
  const scsi::LogicalUnitShard* part = unit.find(unit.home().index());
  found = part != nullptr && part->state().condition.operation != scsi::MediumOperation::none;
  co_return;
}

}  // namespace

bool has_medium_operation(Internals& self, const scsi::LogicalUnit& unit) {
  bool found = false;
  self.shards->run_on(unit.home().index(), [&] { return look_at_operation(unit, found); });
  return found;
}

void release_unit(Internals& self, const block::Disk& disk) {
  const auto found = self.units.find(&disk);
  if (found == self.units.end() || found->second.numbers != 0) return;
  const Units units{found->second.unit.get()};
  self.shards->run_on(0, [&] { return close_units(self, units); });
  self.units.erase(found);
}

}  // namespace lunar::app

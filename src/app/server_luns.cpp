// Which initiator sees which device under which number; before the server runs, and while it does.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "app/logical_units.h"
#include "iscsi/spec/names.h"
#include "lunar/server.h"

namespace lunar {
namespace {

using Internals = Server::Internals;

using app::find_target;

void put_into_force(Internals& self, iscsi::TargetNode& target,
                    std::shared_ptr<const scsi::LunMaps> maps) {
  if (self.state == Internals::State::started) {
    self.shards->run_on(0, [&] { return self.service->publish(target.id, maps); });
  } else {
    target.device.set_maps(std::move(maps));
  }
}

auto host_in(scsi::LunMaps& maps, std::string_view name) {
  return std::ranges::find_if(maps.hosts, [&](const auto& host) { return host->name == name; });
}

std::unexpected<Error> no_such_host(std::string_view name) {
  return fail(ErrorCode::not_found, fmt::format("there is no host {}", name));
}

// change(LunMap&) changes the numbers of a host (empty: of initiators without one).
template <class Change>
Result<void> change_luns(Internals& self, iscsi::TargetNode& target, std::string_view host,
                         Change change) {
  auto next = std::make_shared<scsi::LunMaps>(*target.device.maps());
  if (host.empty()) {
    LUNAR_TRY(change(next->others));
  } else {
    const auto place = host_in(*next, host);
    if (place == next->hosts.end()) return no_such_host(host);
    auto changed = std::make_shared<scsi::HostMap>(**place);
    LUNAR_TRY(change(changed->luns));
    *place = std::move(changed);
  }
  put_into_force(self, target, std::move(next));
  return {};
}

Result<scsi::HostSelector> make_selector(const HostOptions& options) {
  std::vector<std::string> patterns;
  for (const std::string& pattern : options.initiators) {
    // As the names are that initiators log in with.
    auto normal = iscsi::spec::normalize_peer_name(pattern);
    if (!normal) return fail(ErrorCode::invalid_argument, normal.error().message);
    patterns.push_back(std::move(*normal));
  }
  return scsi::HostSelector::create(std::move(patterns), options.addresses);
}

// With its last number a unit goes, and a format or sanitize operation with it, unless a state
// folder remembers what has to go on. `numbers` of it are to go.
Result<void> check_may_go(Internals& self, const scsi::LogicalUnit& unit, std::size_t numbers = 1) {
  const Internals::MappedUnit& mapped = self.units.at(&unit.disk());
  if (mapped.numbers > numbers || self.state != Internals::State::started) return {};
  if (unit.options().store != nullptr || !app::has_medium_operation(self, unit)) return {};
  return fail(
      ErrorCode::busy,
      fmt::format("device {}: a format or sanitize operation is under way, and nothing would "
                  "remember it",
                  unit.device().name()));
}

// One number less leads to the unit.
void forget_number(Internals& self, const scsi::LogicalUnit& unit) {
  const block::Disk& disk = unit.disk();
  --self.units.at(&disk).numbers;
  app::release_unit(self, disk);
}

using LunMapList = std::vector<const scsi::LunMap*>;

LunMapList all_of(const scsi::LunMaps& maps) {
  LunMapList all{&maps.others};
  for (const auto& host : maps.hosts) all.push_back(&host->luns);
  return all;
}

Result<void> check_all_may_go(Internals& self, const LunMapList& maps) {
  std::map<const scsi::LogicalUnit*, std::size_t> numbers;
  const auto count = [&numbers](Lun, const scsi::LogicalUnit& unit) { ++numbers[&unit]; };
  for (const scsi::LunMap* each : maps) each->for_each(count);
  for (const auto& [unit, its] : numbers) LUNAR_TRY(check_may_go(self, *unit, its));
  return {};
}

void forget_all(Internals& self, const LunMapList& maps) {
  const auto forget = [&self](Lun, const scsi::LogicalUnit& unit) { forget_number(self, unit); };
  for (const scsi::LunMap* each : maps) each->for_each(forget);
}

}  // namespace

namespace app {

Result<void> check_may_go(Internals& self, const scsi::LunMaps& maps) {
  return check_all_may_go(self, all_of(maps));
}

void forget_numbers(Internals& self, const scsi::LunMaps& maps) { forget_all(self, all_of(maps)); }

}  // namespace app

Result<void> Server::add_host(std::string_view iqn, const std::string& name,
                              const HostOptions& options) {
  const Internals::Call call(*internals_);
  LUNAR_TRY(internals_->check_not_ended("add_host()"));
  LUNAR_TRY_ASSIGN(iscsi::TargetNode* const node, find_target(*internals_, iqn));
  if (name.empty()) return fail(ErrorCode::invalid_argument, "a host needs a name");
  auto next = std::make_shared<scsi::LunMaps>(*node->device.maps());
  if (next->find_host(name) != nullptr)
    return fail(ErrorCode::already_exists, fmt::format("there is a host {} already", name));
  auto selector = make_selector(options);
  if (!selector) return wrap(selector.error(), fmt::format("host {}", name));
  next->hosts.push_back(
      std::make_shared<scsi::HostMap>(scsi::HostMap{name, std::move(*selector), {}}));
  put_into_force(*internals_, *node, std::move(next));
  return {};
}

Result<void> Server::remove_host(std::string_view iqn, std::string_view name) {
  const Internals::Call call(*internals_);
  LUNAR_TRY(internals_->check_not_ended("remove_host()"));
  LUNAR_TRY_ASSIGN(iscsi::TargetNode* const node, find_target(*internals_, iqn));
  auto next = std::make_shared<scsi::LunMaps>(*node->device.maps());
  const auto place = host_in(*next, name);
  if (place == next->hosts.end()) return no_such_host(name);
  const std::shared_ptr<const scsi::HostMap> removed = std::move(*place);
  LUNAR_TRY(check_all_may_go(*internals_, {&removed->luns}));
  next->hosts.erase(place);
  put_into_force(*internals_, *node, std::move(next));
  forget_all(*internals_, {&removed->luns});
  return {};
}

Result<void> Server::map(std::string_view iqn, Lun lun, std::string_view device,
                         const LunOptions& options) {
  const Internals::Call call(*internals_);
  LUNAR_TRY(internals_->check_not_ended("map()"));
  LUNAR_TRY_ASSIGN(iscsi::TargetNode* const node, find_target(*internals_, iqn));
  const std::string& target = node->device.name();
  LUNAR_TRY_ASSIGN(Internals::MappedUnit* const mapped,
                   app::acquire_unit(*internals_, device, options, target));
  scsi::LogicalUnit& unit = *mapped->unit;
  if (internals_->state == Internals::State::started)
    app::take_access_states(*internals_, *node, unit);
  const Result<void> added = change_luns(*internals_, *node, options.host,
                                         [&](scsi::LunMap& luns) { return luns.add(lun, unit); });
  if (added) {
    ++mapped->numbers;
    return {};
  }
  app::release_unit(*internals_, unit.disk());
  return wrap(added.error(), fmt::format("target {}", target));
}

Result<void> Server::unmap(std::string_view iqn, Lun lun, std::string_view host) {
  const Internals::Call call(*internals_);
  LUNAR_TRY(internals_->check_not_ended("unmap()"));
  LUNAR_TRY_ASSIGN(iscsi::TargetNode* const node, find_target(*internals_, iqn));
  const scsi::LogicalUnit* old = nullptr;
  const Result<void> removed =
      change_luns(*internals_, *node, host, [&](scsi::LunMap& luns) -> Result<void> {
        LUNAR_TRY_ASSIGN(old, luns.remove(lun));
        return check_may_go(*internals_, *old);
      });
  if (!removed) return wrap(removed.error(), fmt::format("target {}", node->device.name()));
  forget_number(*internals_, *old);
  return {};
}

Result<void> Server::swap(std::string_view iqn, Lun lun, std::string_view device,
                          const LunOptions& options) {
  const Internals::Call call(*internals_);
  LUNAR_TRY(internals_->check_not_ended("swap()"));
  LUNAR_TRY_ASSIGN(iscsi::TargetNode* const node, find_target(*internals_, iqn));
  const std::string& target = node->device.name();
  LUNAR_TRY_ASSIGN(Internals::MappedUnit* const mapped,
                   app::acquire_unit(*internals_, device, options, target));
  scsi::LogicalUnit& unit = *mapped->unit;
  if (internals_->state == Internals::State::started)
    app::take_access_states(*internals_, *node, unit);
  const scsi::LogicalUnit* old = nullptr;
  const Result<void> replaced =
      change_luns(*internals_, *node, options.host, [&](scsi::LunMap& luns) -> Result<void> {
        LUNAR_TRY_ASSIGN(old, luns.replace(lun, unit));
        return check_may_go(*internals_, *old);
      });
  if (!replaced) {
    app::release_unit(*internals_, unit.disk());
    return wrap(replaced.error(), fmt::format("target {}", target));
  }
  ++mapped->numbers;
  forget_number(*internals_, *old);
  return {};
}

}  // namespace lunar

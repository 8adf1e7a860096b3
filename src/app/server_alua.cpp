// Asymmetric logical unit access of a Server: target port groups and their states.
#include <fmt/format.h>

#include <memory>
#include <set>

#include "app/logical_units.h"
#include "lunar/server.h"
#include "scsi/paths/access_state_change.h"

namespace lunar {
namespace {

access::PathState path_state(AluaState state) {
  switch (state) {
    case AluaState::active_optimized: return access::PathState::optimized;
    case AluaState::active_non_optimized: return access::PathState::non_optimized;
    case AluaState::standby: return access::PathState::standby;
    case AluaState::unavailable: return access::PathState::unavailable;
    case AluaState::transitioning: break;
  }
  return access::PathState::changing;
}

// On any shard.
engine::Task<void> change_access(const std::set<scsi::LogicalUnit*>& units,
                                 const scsi::TargetPort& port, access::PathState state,
                                 std::optional<bool> preferred) {
  const scsi::AccessStateChange::Wanted wanted[] = {{&port, state, preferred}};
  for (scsi::LogicalUnit* unit : units) {
    scsi::AccessStateChange change(wanted, nullptr);
    co_await unit->change(change);
  }
}

std::set<scsi::LogicalUnit*> units_of(const scsi::Target& target) {
  std::set<scsi::LogicalUnit*> units;
  const auto add = [&units](Lun, scsi::LogicalUnit& unit) { units.insert(&unit); };
  const scsi::LunMaps& maps = *target.maps();
  maps.others.for_each(add);
  for (const auto& host : maps.hosts) host->luns.for_each(add);
  return units;
}

void remember(Server::Internals& self, const Server::Internals::AccessState& said) {
  for (Server::Internals::AccessState& known : self.access_states) {
    if (known.target != said.target || known.portal_group_tag != said.portal_group_tag) continue;
    known.state = said.state;
    if (said.preferred) known.preferred = said.preferred;
    return;
  }
  self.access_states.push_back(said);
}

}  // namespace

namespace app {

void take_access_states(Server::Internals& self, std::size_t target, scsi::LogicalUnit& unit) {
  const scsi::TargetPorts& ports = self.service->targets()[target]->device.ports();
  for (const Server::Internals::AccessState& said : self.access_states) {
    const scsi::TargetPort* port = ports.find_tag(said.portal_group_tag);
    if (said.target != target || port == nullptr) continue;
    const std::set<scsi::LogicalUnit*> units{&unit};
    self.shards->run_on(
        0, [&] { return change_access(units, *port, path_state(said.state), said.preferred); });
  }
}

}  // namespace app

Result<void> Server::set_port_group(std::string_view iqn, std::uint16_t portal_group_tag,
                                    const PortGroupOptions& options) {
  const Internals::Call call(*internals_);
  LUNAR_TRY(internals_->check_set_up("set_port_group()"));
  if (portal_group_tag == 0)
    return fail(ErrorCode::invalid_argument, "a portal group tag is 1 to 65535");
  LUNAR_TRY_ASSIGN(const std::size_t index, app::find_target(*internals_, iqn));
  scsi::Target* const target = &internals_->service->targets()[index]->device;
  target->ports().configure(portal_group_tag, {.state = path_state(options.state),
                                               .preferred = options.preferred,
                                               .implicit_changes = options.implicit_changes,
                                               .explicit_changes = options.explicit_changes});
  return {};
}

Result<void> Server::set_alua_state(std::string_view iqn, std::uint16_t portal_group_tag,
                                    AluaState state, std::optional<bool> preferred) {
  const Internals::Call call(*internals_);
  if (internals_->state != Internals::State::started)
    return fail(ErrorCode::busy, "set_alua_state() is for a server that runs");
  LUNAR_TRY_ASSIGN(const std::size_t index, app::find_target(*internals_, iqn));
  const scsi::Target* const target = &internals_->service->targets()[index]->device;
  const scsi::TargetPort* port = target->ports().find_tag(portal_group_tag);
  if (port == nullptr) {
    return fail(ErrorCode::not_found,
                fmt::format("no portal has the portal group tag {}", portal_group_tag));
  }
  if (!port->group.implicit_changes) {
    return fail(ErrorCode::unsupported, fmt::format("portal group {} of {} keeps its state",
                                                    portal_group_tag, target->name()));
  }
  remember(*internals_, {index, portal_group_tag, state, preferred});
  const std::set<scsi::LogicalUnit*> units = units_of(*target);
  internals_->shards->run_on(
      0, [&] { return change_access(units, *port, path_state(state), preferred); });
  return {};
}

}  // namespace lunar

// Asymmetric logical unit access of a Server: target port groups and their states.
#include <fmt/format.h>

#include <vector>

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
engine::Task<void> change_access(const app::UnitSet& units, scsi::TargetPort port,
                                 access::PathState state, std::optional<bool> preferred) {
  const scsi::AccessStateChange::Wanted wanted[] = {{port, state, preferred}};
  for (scsi::LogicalUnit* unit : units) {
    scsi::AccessStateChange change(wanted, nullptr);
    co_await unit->change(change);
  }
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

// On any shard.
engine::Task<void> reset_groups(const app::UnitSet& units,
                                const std::vector<std::uint16_t>& numbers) {
  for (scsi::LogicalUnit* unit : units) {
    scsi::PortGroupsReset reset(numbers);
    co_await unit->change(reset);
  }
}

}  // namespace

namespace app {

void take_access_states(Server::Internals& self, const iscsi::TargetNode& target,
                        scsi::LogicalUnit& unit) {
  for (const Server::Internals::AccessState& said : self.access_states) {
    const scsi::TargetPort* port = target.find_port(said.portal_group_tag);
    if (said.target != target.id || port == nullptr) continue;
    const UnitSet units{&unit};
    self.shards->run_on(
        0, [&] { return change_access(units, *port, path_state(said.state), said.preferred); });
  }
}

void reset_port_groups(Server::Internals& self, const UnitSet& units,
                       const std::vector<PortGroup>& groups) {
  std::vector<std::uint16_t> numbers;
  for (const PortGroup& group : groups) {
    numbers.push_back(group.number);
    std::erase_if(self.access_states, [&](const Server::Internals::AccessState& said) {
      return said.target == group.target && said.portal_group_tag == group.portal_group_tag;
    });
  }
  if (self.state == Server::Internals::State::started)
    self.shards->run_on(0, [&] { return reset_groups(units, numbers); });
}

}  // namespace app

Result<void> Server::set_port_group(std::string_view iqn, std::uint16_t portal_group_tag,
                                    const PortGroupOptions& options) {
  const Internals::Call call(*internals_);
  LUNAR_TRY(internals_->check_not_ended("set_port_group()"));
  if (portal_group_tag == 0)
    return fail(ErrorCode::invalid_argument, "a portal group tag is 1 to 65535");
  LUNAR_TRY_ASSIGN(const iscsi::TargetNode* const target, app::find_target(*internals_, iqn));
  const scsi::PortGroupOptions group{.state = path_state(options.state),
                                     .preferred = options.preferred,
                                     .implicit_changes = options.implicit_changes,
                                     .explicit_changes = options.explicit_changes};
  internals_->shards->run_on(
      0, [&] { return internals_->service->set_port_group(target->id, portal_group_tag, group); });
  if (const scsi::TargetPort* port = target->find_port(portal_group_tag)) {
    app::reset_port_groups(*internals_, app::units_of(*target->device.maps()),
                           {{target->id, portal_group_tag, port->number}});
  }
  return {};
}

Result<void> Server::set_alua_state(std::string_view iqn, std::uint16_t portal_group_tag,
                                    AluaState state, std::optional<bool> preferred) {
  const Internals::Call call(*internals_);
  if (internals_->state != Internals::State::started)
    return fail(ErrorCode::busy, "set_alua_state() is for a server that runs");
  LUNAR_TRY_ASSIGN(const iscsi::TargetNode* const target, app::find_target(*internals_, iqn));
  const scsi::TargetPort* port = target->find_port(portal_group_tag);
  if (port == nullptr) {
    return fail(ErrorCode::not_found,
                fmt::format("no portal has the portal group tag {}", portal_group_tag));
  }
  if (!port->group.implicit_changes) {
    return fail(ErrorCode::unsupported, fmt::format("portal group {} of {} keeps its state",
                                                    portal_group_tag, target->device.name()));
  }
  remember(*internals_, {target->id, portal_group_tag, state, preferred});
  const app::UnitSet units = app::units_of(*target->device.maps());
  internals_->shards->run_on(
      0, [&] { return change_access(units, *port, path_state(state), preferred); });
  return {};
}

}  // namespace lunar

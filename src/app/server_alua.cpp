// Asymmetric logical unit access of a Server: target port groups and their states.
#include <fmt/format.h>

#include <memory>
#include <set>

#include "app/server_internals.h"
#include "iscsi/spec/names.h"
#include "lunar/server.h"
#include "scsi/access_state_change.h"

namespace lunar {
namespace {

scsi::spec::AccessState access_state(AluaState state) {
  using scsi::spec::AccessState;
  switch (state) {
    case AluaState::active_optimized: return AccessState::active_optimized;
    case AluaState::active_non_optimized: return AccessState::active_non_optimized;
    case AluaState::standby: return AccessState::standby;
    case AluaState::unavailable: return AccessState::unavailable;
    case AluaState::transitioning: return AccessState::transitioning;
  }
  return AccessState::active_optimized;
}

Result<scsi::Target*> find_target(Server::Internals& self, std::string_view iqn) {
  LUNAR_TRY_ASSIGN(const std::string name, iscsi::spec::parse_name(iqn));
  const std::size_t index = self.service->find_target(name);
  if (index == self.service->targets().size())
    return fail(ErrorCode::not_found, fmt::format("there is no target {}", name));
  return &self.service->targets()[index]->device;
}

// On the control shard.
engine::Task<void> change_access(scsi::Target& target, const scsi::TargetPort& port,
                                 scsi::spec::AccessState state, std::optional<bool> preferred) {
  std::set<scsi::LogicalUnit*> units;
  const auto add = [&units](Lun, scsi::LogicalUnit& unit) { units.insert(&unit); };
  const std::shared_ptr<const scsi::LunMaps> maps = target.maps();
  maps->others.for_each(add);
  for (const auto& host : maps->hosts) host->luns.for_each(add);
  const scsi::AccessStateChange::Wanted wanted[] = {{&port, state, preferred}};
  for (scsi::LogicalUnit* unit : units) {
    scsi::AccessStateChange change(wanted, nullptr);
    co_await unit->change(change);
  }
}

}  // namespace

Result<void> Server::set_port_group(std::string_view iqn, std::uint16_t portal_group_tag,
                                    const PortGroupOptions& options) {
  const std::lock_guard lock(internals_->mutex);
  if (internals_->state != Internals::State::set_up)
    return fail(ErrorCode::busy, "set_port_group() comes before start()");
  if (portal_group_tag == 0)
    return fail(ErrorCode::invalid_argument, "a portal group tag is 1 to 65535");
  LUNAR_TRY_ASSIGN(scsi::Target * target, find_target(*internals_, iqn));
  target->ports().configure(portal_group_tag, {.state = access_state(options.state),
                                               .preferred = options.preferred,
                                               .implicit_changes = options.implicit_changes,
                                               .explicit_changes = options.explicit_changes});
  return {};
}

Result<void> Server::set_alua_state(std::string_view iqn, std::uint16_t portal_group_tag,
                                    AluaState state, std::optional<bool> preferred) {
  const std::lock_guard lock(internals_->mutex);
  if (internals_->state != Internals::State::started)
    return fail(ErrorCode::busy, "set_alua_state() is for a server that runs");
  LUNAR_TRY_ASSIGN(scsi::Target * target, find_target(*internals_, iqn));
  const scsi::TargetPort* port = target->ports().find_tag(portal_group_tag);
  if (port == nullptr) {
    return fail(ErrorCode::not_found,
                fmt::format("no portal has the portal group tag {}", portal_group_tag));
  }
  if (!port->group.implicit_changes) {
    return fail(ErrorCode::unsupported, fmt::format("portal group {} of {} keeps its state",
                                                    portal_group_tag, target->name()));
  }
  internals_->shards->run_on(
      0, [&] { return change_access(*target, *port, access_state(state), preferred); });
  return {};
}

}  // namespace lunar

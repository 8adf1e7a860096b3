// Targets and portals of a Server; before it runs, and while it does.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "app/logical_units.h"
#include "iscsi/spec/names.h"
#include "lunar/server.h"

namespace lunar {
namespace {

using Internals = Server::Internals;

// On the control shard.
engine::Task<void> note_outcome(engine::Task<Result<void>> work, Result<void>& outcome) {
  outcome = co_await work;
}

engine::Task<void> add_now(Internals& self, const std::string& name, const std::string& alias,
                           Result<void>& outcome) {
  auto adding = self.service->add_target(name, alias);
  const Result<iscsi::TargetNode*> added = co_await adding;
  if (!added) outcome = std::unexpected(added.error());
}

std::uint64_t nanoseconds(std::chrono::milliseconds drain) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(drain.count(), 0)) *
         engine::kMillisecond;
}

// The port groups of a tag, and who is told when they come or go.
struct TagGroups {
  app::UnitSet units;
  std::vector<app::PortGroup> groups;
};

TagGroups groups_of_tag(const Internals& self, std::uint16_t portal_group_tag) {
  TagGroups found;
  for (const auto& target : self.service->targets()) {
    const scsi::TargetPort* port = target->find_port(portal_group_tag);
    if (port == nullptr) continue;
    found.groups.push_back({target->id, portal_group_tag, port->number});
    found.units.merge(app::units_of(*target->device.maps()));
  }
  return found;
}

Result<void> check_beside_all(const Internals& self, const iscsi::Portal& portal) {
  for (const iscsi::Portal& other : self.pending_portals)
    LUNAR_TRY(iscsi::check_beside(portal, other));
  for (const iscsi::Portal& other : self.service->portals())
    LUNAR_TRY(iscsi::check_beside(portal, other));
  return {};
}

std::unexpected<Error> no_such_portal(const std::string& address) {
  return fail(ErrorCode::not_found, fmt::format("there is no portal on {}", address));
}

Result<void> open_now(Internals& self, iscsi::Portal portal) {
  const std::uint16_t tag = portal.portal_group_tag;
  const bool is_new = !self.service->has_portal_group(tag);
  Result<void> outcome;
  self.shards->run_on(0, [&] {
    constexpr std::uint64_t kPatienceNs = 0;  // whoever asks is there to ask again
    std::vector<iscsi::Portal> portals{std::move(portal)};
    return note_outcome(self.service->open_portals(std::move(portals), kPatienceNs), outcome);
  });
  if (outcome && is_new) {
    const TagGroups added = groups_of_tag(self, tag);
    app::reset_port_groups(self, added.units, added.groups);
  }
  return outcome;
}

}  // namespace

Result<void> Server::add_target(const std::string& iqn, const std::string& alias) {
  const Internals::Call call(*internals_);
  LUNAR_TRY(internals_->check_not_ended("add_target()"));
  LUNAR_TRY_ASSIGN(const std::string name, iscsi::spec::parse_name(iqn));
  LUNAR_TRY(iscsi::spec::parse_alias(alias));
  Result<void> outcome;
  internals_->shards->run_on(0, [&] { return add_now(*internals_, name, alias, outcome); });
  return outcome;
}

Result<void> Server::remove_target(std::string_view iqn, std::chrono::milliseconds drain) {
  const Internals::Call call(*internals_);
  LUNAR_TRY(internals_->check_not_ended("remove_target()"));
  LUNAR_TRY_ASSIGN(const iscsi::TargetNode* const target, app::find_target(*internals_, iqn));
  const std::shared_ptr<const scsi::LunMaps> maps = target->device.maps();
  LUNAR_TRY(app::check_may_go(*internals_, *maps));
  const iscsi::TargetId id = target->id;
  std::vector<app::PortGroup> groups;
  for (const auto& [tag, number] : target->port_numbers) groups.push_back({id, tag, number});
  Result<void> outcome;
  internals_->shards->run_on(0, [&] {
    return note_outcome(internals_->service->remove_target(id, nanoseconds(drain)), outcome);
  });
  if (!outcome) return outcome;
  app::reset_port_groups(*internals_, app::units_of(*maps), groups);
  app::forget_numbers(*internals_, *maps);
  return {};
}

Result<void> Server::add_portal(const std::string& address_and_port, const PortalOptions& options) {
  const Internals::Call call(*internals_);
  LUNAR_TRY(internals_->check_not_ended("add_portal()"));
  LUNAR_TRY_ASSIGN(iscsi::Portal portal,
                   iscsi::make_portal(address_and_port, options.portal_group_tag, options.ipv4_too,
                                      options.advertise));
  LUNAR_TRY(check_beside_all(*internals_, portal));
  if (internals_->state == Internals::State::started)
    return open_now(*internals_, std::move(portal));
  if (internals_->pending_portals.size() == iscsi::kMaxPortals)
    return fail(ErrorCode::out_of_range, fmt::format("more than {} portals", iscsi::kMaxPortals));
  internals_->pending_portals.push_back(std::move(portal));
  return {};
}

Result<void> Server::remove_portal(const std::string& address_and_port,
                                   std::chrono::milliseconds drain) {
  const Internals::Call call(*internals_);
  LUNAR_TRY(internals_->check_not_ended("remove_portal()"));
  LUNAR_TRY_ASSIGN(const iscsi::spec::PortalAddress parsed,
                   iscsi::spec::parse_portal_address(address_and_port));
  const std::string address = parsed.to_string();
  if (internals_->state != Internals::State::started) {
    std::vector<iscsi::Portal>& pending = internals_->pending_portals;
    const auto found = std::ranges::find_if(
        pending, [&](const auto& portal) { return portal.address.to_string() == address; });
    if (found == pending.end()) return no_such_portal(address);
    pending.erase(found);
    return {};
  }
  iscsi::Service& service = *internals_->service;
  const iscsi::Portal* portal = service.find_portal(address);
  if (portal == nullptr) return no_such_portal(address);
  const iscsi::PortalId id = portal->id;
  const std::uint16_t tag = portal->portal_group_tag;
  const TagGroups groups = groups_of_tag(*internals_, tag);
  Result<void> outcome;
  internals_->shards->run_on(
      0, [&] { return note_outcome(service.remove_portal(id, nanoseconds(drain)), outcome); });
  if (outcome && !service.has_portal_group(tag))
    app::reset_port_groups(*internals_, groups.units, groups.groups);
  return outcome;
}

std::vector<std::string> Server::listening() const {
  const Internals::Call call(*internals_);
  std::vector<std::string> addresses;
  if (internals_->state != Internals::State::started) return addresses;
  for (const iscsi::Portal& portal : internals_->service->portals())
    addresses.push_back(portal.address.to_string());
  return addresses;
}

}  // namespace lunar

// Targets, portals and portal groups come and go.
#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <iterator>
#include <utility>

#include "iscsi/login/port_names.h"
#include "iscsi/service/service.h"

namespace lunar::iscsi {
namespace {

std::unexpected<Error> still_used(std::string_view what, std::size_t connections) {
  return fail(ErrorCode::busy,
              fmt::format("{}: {} of its connections have not ended, as a device does not answer: "
                          "it is hidden; remove it again",
                          what, connections));
}

}  // namespace

TargetNode* Service::find_target(std::string_view name) const {
  const auto found = std::ranges::find_if(
      targets_, [name](const auto& target) { return target->device.name() == name; });
  return found == targets_.end() ? nullptr : found->get();
}

TargetNode& Service::target_of(TargetId target) const {
  const auto found =
      std::ranges::find_if(targets_, [target](const auto& node) { return node->id == target; });
  assert(found != targets_.end() && "no such target");
  return **found;
}

// ---- To every shard.

engine::Task<void> Service::call_on_parts(const PartCall& call) {
  for (const auto& part : parts_) {
    auto there = engine::call_on(part->shard(), [&call, &part] { call(*part); });
    co_await there;
  }
}

engine::Task<void> Service::publish_directory() {
  auto next = std::make_shared<Directory>();
  for (const auto& target : targets_) {
    if (!target->is_ending)
      next->targets.push_back({target->id, target->device.name(), target->alias});
  }
  for (const OpenPortal& open : portals_) {
    if (open.listener != nullptr) next->portals.push_back(open.portal);
  }
  directory_ = std::move(next);
  const PartCall adopt = [this](ServiceShard& part) { part.adopt(directory_); };
  co_await call_on_parts(adopt);
}

// Of every target: those that have not changed are not told so.
engine::Task<void> Service::publish_ports() {
  const PartCall adopt = [this](ServiceShard& part) {
    for (const auto& target : targets_)
      part.device_server(target->id).adopt_ports(target->device.ports());
  };
  co_await call_on_parts(adopt);
}

engine::Task<void> Service::publish(TargetId target, std::shared_ptr<const scsi::LunMaps> maps) {
  TargetNode& node = target_of(target);
  node.device.set_maps(std::move(maps));
  engine::Gate adopting;
  for (const auto& part : parts_) adopting.spawn(adopt_on(*part, node));
  co_await adopting.close();
}

engine::Task<void> Service::adopt_on(ServiceShard& part, const TargetNode& target) {
  auto adopt = [&server = part.device_server(target.id), maps = target.device.maps()] {
    return server.adopt(maps);
  };
  auto there = engine::await_on(part.shard(), std::move(adopt));
  co_await there;
}

// ---- The ports of targets.

// The portal group's tag, and for the target after the first so many beyond, where that is free: a
// number that stays the same when a portal group or a target is added behind the others.
std::uint16_t Service::free_port_number(std::size_t ordinal, std::uint16_t portal_group_tag) const {
  constexpr std::size_t kTagsPerTarget = 256;
  const auto is_taken = [this](std::size_t number) {
    return std::ranges::any_of(targets_, [number](const auto& node) {
      return node->device.ports()->find(static_cast<std::uint16_t>(number)) != nullptr;
    });
  };
  std::size_t number = portal_group_tag + ordinal * kTagsPerTarget;
  if (number <= UINT16_MAX && !is_taken(number)) return static_cast<std::uint16_t>(number);
  for (number = 1; number <= UINT16_MAX; ++number) {
    if (!is_taken(number)) return static_cast<std::uint16_t>(number);
  }
  return 0;
}

std::size_t Service::free_ordinal() const {
  std::size_t ordinal = 0;
  while (std::ranges::any_of(
      targets_, [&ordinal](const auto& target) { return target->ordinal == ordinal; })) {
    ++ordinal;
  }
  return ordinal;
}

Result<void> Service::add_target_port(TargetNode& target, std::uint16_t portal_group_tag) {
  if (target.port_numbers.contains(portal_group_tag)) return {};
  const std::uint16_t number = free_port_number(target.ordinal, portal_group_tag);
  if (number == 0 || target.port_numbers.size() == scsi::kMaxTargetPorts)
    return fail(ErrorCode::out_of_range, "too many portal groups");
  scsi::TargetPorts ports = *target.device.ports();
  const auto said = target.port_groups.find(portal_group_tag);
  ports.put({.number = number,
             .name = target_port_name(target.device.name(), portal_group_tag),
             .group = said == target.port_groups.end() ? scsi::PortGroupOptions() : said->second});
  target.device.set_ports(std::make_shared<const scsi::TargetPorts>(std::move(ports)));
  target.port_numbers[portal_group_tag] = number;
  return {};
}

Result<void> Service::add_target_ports(std::uint16_t portal_group_tag) {
  for (const auto& target : targets_) LUNAR_TRY(add_target_port(*target, portal_group_tag));
  return {};
}

void Service::remove_target_ports(std::uint16_t portal_group_tag) {
  for (const auto& target : targets_) {
    const auto found = target->port_numbers.find(portal_group_tag);
    if (found == target->port_numbers.end()) continue;
    scsi::TargetPorts ports = *target->device.ports();
    (void)ports.remove(found->second);
    target->device.set_ports(std::make_shared<const scsi::TargetPorts>(std::move(ports)));
    target->port_numbers.erase(found);
  }
}

engine::Task<void> Service::set_port_group(TargetId target, std::uint16_t portal_group_tag,
                                           scsi::PortGroupOptions options) {
  TargetNode& node = target_of(target);
  node.port_groups[portal_group_tag] = options;
  const scsi::TargetPort* port = node.find_port(portal_group_tag);
  if (port == nullptr) co_return;
  scsi::TargetPort changed = *port;
  changed.group = options;
  scsi::TargetPorts ports = *node.device.ports();
  ports.put(std::move(changed));
  node.device.set_ports(std::make_shared<const scsi::TargetPorts>(std::move(ports)));
  co_await publish_ports();
}

bool Service::has_portal_group(std::uint16_t portal_group_tag) const {
  return std::ranges::any_of(portals_, [portal_group_tag](const OpenPortal& open) {
    return open.portal.portal_group_tag == portal_group_tag;
  });
}

// ---- Targets.

engine::Task<Result<TargetNode*>> Service::add_target(std::string name, std::string alias) {
  if (find_target(name) != nullptr)
    co_return fail(ErrorCode::already_exists, fmt::format("target {} is there already", name));
  auto made = std::make_unique<TargetNode>(TargetId(++last_target_id_), free_ordinal(),
                                           std::move(name), std::move(alias));
  for (const OpenPortal& open : portals_) {
    Result<void> given = add_target_port(*made, open.portal.portal_group_tag);
    if (!given) co_return std::unexpected(std::move(given).error());
  }
  TargetNode* const target = made.get();
  targets_.push_back(std::move(made));
  const PartCall add = [target](ServiceShard& part) { part.add_target(*target); };
  co_await call_on_parts(add);
  co_await publish_directory();
  co_return target;
}

engine::Task<Result<void>> Service::remove_target(TargetId target, std::uint64_t drain_ns) {
  TargetNode& node = target_of(target);
  node.is_ending = true;
  co_await publish_directory();
  ConnectionEnd end{.which = [&name = node.device.name()](
                                 const Connection& each) { return each.target_name() == name; },
                    .why = "its target is removed"};
  auto ending = end_connections(std::move(end), drain_ns);
  const std::size_t left = co_await ending;
  if (left != 0) co_return still_used(fmt::format("target {}", node.device.name()), left);
  const PartCall remove = [target](ServiceShard& part) { part.remove_target(target); };
  co_await call_on_parts(remove);
  std::erase_if(targets_, [target](const auto& each) { return each->id == target; });
  co_return Result<void>();
}

// How many are left.
engine::Task<std::size_t> Service::end_connections(ConnectionEnd end, std::uint64_t drain_ns) {
  end.drain_until_ns = control_shard().now_ns() + drain_ns;
  end.give_up_ns = end.drain_until_ns + kRemovalPatienceNs;
  std::size_t left = 0;
  engine::Gate ending;
  for (const auto& part : parts_) ending.spawn(end_connections_on(*part, end, left));
  co_await ending.close();
  co_return left;
}

engine::Task<void> Service::end_connections_on(ServiceShard& part, const ConnectionEnd& end,
                                               std::size_t& left) {
  auto end_here = [&part, &end] { return part.end_connections(end); };
  auto there = engine::await_on(part.shard(), end_here);
  const std::size_t here = co_await there;
  left += here;
}

// ---- Portals.

const Portal* Service::find_portal(std::string_view address) const {
  const Portal* found = nullptr;
  for (const OpenPortal& open : portals_) {
    if (open.portal.address.to_string() != address) continue;
    if (found == nullptr || open.listener == nullptr) found = &open.portal;
  }
  return found;
}

engine::Task<Result<Service::OpenPortal>> Service::open_portal(Portal portal,
                                                               std::uint64_t deadline_ns) {
  engine::Shard& shard = control_shard();
  for (;;) {
    auto listener =
        shard.network().open_listener(endpoint_of(portal.address), {.ipv4_too = portal.ipv4_too});
    if (listener) {
      portal.address.port = (*listener)->local().port;
      portal.id = PortalId(++last_portal_id_);
      OpenPortal open{std::move(portal), std::move(*listener)};
      co_return Result<OpenPortal>(std::move(open));
    }
    if (listener.error().code != ErrorCode::busy || shard.now_ns() >= deadline_ns)
      co_return std::unexpected(std::move(listener).error());
    co_await engine::sleep_for(shard, kPortalRetryNs);
  }
}

engine::Task<Result<void>> Service::open_portals(std::vector<Portal> portals,
                                                 std::uint64_t patience_ns) {
  if (portals_.size() + portals.size() > kMaxPortals)
    co_return fail(ErrorCode::out_of_range, fmt::format("more than {} portals", kMaxPortals));
  const std::uint64_t deadline_ns = control_shard().now_ns() + patience_ns;
  std::vector<OpenPortal> opened;
  for (Portal& portal : portals) {
    auto opening = open_portal(std::move(portal), deadline_ns);
    Result<OpenPortal> open = co_await opening;
    if (!open) co_return std::unexpected(std::move(open).error());
    opened.push_back(std::move(*open));
  }
  for (const OpenPortal& open : opened) {
    Result<void> added = add_target_ports(open.portal.portal_group_tag);
    if (added) continue;
    for (const OpenPortal& each : opened) {
      if (!has_portal_group(each.portal.portal_group_tag))
        remove_target_ports(each.portal.portal_group_tag);
    }
    co_return added;
  }
  const std::size_t first = portals_.size();
  std::ranges::move(opened, std::back_inserter(portals_));
  co_await publish_ports();
  co_await publish_directory();
  // From here on there are connections, which every shard knows the portals of.
  for (std::size_t i = first; i < portals_.size(); ++i) listen(portals_[i]);
  co_return Result<void>();
}

void Service::listen(OpenPortal& open) {
  open.listener->start(
      [this, id = open.portal.id, tag = open.portal.portal_group_tag](
          std::unique_ptr<engine::Socket> socket) { accepted(std::move(socket), id, tag); });
}

engine::Task<Result<void>> Service::remove_portal(PortalId portal, std::uint64_t drain_ns) {
  const auto is_it = [portal](const OpenPortal& open) { return open.portal.id == portal; };
  const auto place = std::ranges::find_if(portals_, is_it);
  assert(place != portals_.end() && "no such portal");
  place->listener.reset();
  const Portal removed = place->portal;
  co_await publish_directory();
  ConnectionEnd end{
      .which = [portal](const Connection& each) { return each.arrival().portal == portal; },
      .why = "its portal is removed"};
  auto ending = end_connections(std::move(end), drain_ns);
  const std::size_t left = co_await ending;
  if (left != 0) co_return still_used(fmt::format("portal {}", removed.address.to_string()), left);
  std::erase_if(portals_, is_it);
  if (has_portal_group(removed.portal_group_tag)) co_return Result<void>();
  remove_target_ports(removed.portal_group_tag);
  co_await publish_ports();
  co_return Result<void>();
}

}  // namespace lunar::iscsi

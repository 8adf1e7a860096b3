#include "scsi/core/lun_map.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/glob.h"

namespace lunar::scsi {

Result<void> LunMap::add(Lun lun, LogicalUnit& unit) {
  if (lun.value > spec::kMaxLun) {
    return fail(ErrorCode::out_of_range,
                fmt::format("LUN {} is above the largest number, {}", lun.value, spec::kMaxLun));
  }
  if (find(lun) != nullptr)
    return fail(ErrorCode::already_exists, fmt::format("LUN {} is taken", lun.value));
  set(lun, &unit);
  ++size_;
  return {};
}

Result<LogicalUnit*> LunMap::remove(Lun lun) {
  LogicalUnit* const old = find(lun);
  if (old == nullptr)
    return fail(ErrorCode::not_found, fmt::format("there is no LUN {}", lun.value));
  set(lun, nullptr);
  --size_;
  return old;
}

Result<LogicalUnit*> LunMap::replace(Lun lun, LogicalUnit& unit) {
  LogicalUnit* const old = find(lun);
  if (old == nullptr)
    return fail(ErrorCode::not_found, fmt::format("there is no LUN {}", lun.value));
  set(lun, &unit);
  return old;
}

void LunMap::set(Lun lun, LogicalUnit* unit) {
  std::shared_ptr<const Chunk>& chunk = chunks_[lun.value / kChunkLuns];
  auto changed = chunk == nullptr ? std::make_shared<Chunk>() : std::make_shared<Chunk>(*chunk);
  (*changed)[lun.value % kChunkLuns] = unit;
  const bool is_empty = std::ranges::all_of(*changed, [](auto* each) { return each == nullptr; });
  chunk = is_empty ? nullptr : std::move(changed);
}

Result<HostSelector> HostSelector::create(std::vector<std::string> names,
                                          const std::vector<std::string>& address_ranges) {
  if (names.empty() && address_ranges.empty()) {
    return fail(ErrorCode::invalid_argument,
                "a host is told by names of initiators, by addresses, or by both");
  }
  HostSelector selector;
  selector.names_ = std::move(names);
  for (const std::string& range : address_ranges) {
    LUNAR_TRY_ASSIGN(const IpPrefix prefix, IpPrefix::parse(range));
    selector.addresses_.push_back(prefix);
  }
  return selector;
}

bool HostSelector::matches(std::string_view initiator_name,
                           const std::optional<IpAddress>& address) const {
  const bool name_fits =
      names_.empty() || std::ranges::any_of(names_, [&](const std::string& pattern) {
        return glob_match(pattern, initiator_name);
      });
  const bool address_fits =
      addresses_.empty() || (address && std::ranges::any_of(addresses_, [&](const IpPrefix& range) {
                               return range.contains(*address);
                             }));
  return name_fits && address_fits;
}

const LunMap& LunMaps::map_for(std::string_view initiator_name,
                               const std::optional<IpAddress>& address) const {
  for (const auto& host : hosts) {
    if (host->initiators.matches(initiator_name, address)) return host->luns;
  }
  return others;
}

const HostMap* LunMaps::find_host(std::string_view name) const {
  const auto found =
      std::ranges::find_if(hosts, [&](const auto& host) { return host->name == name; });
  return found == hosts.end() ? nullptr : found->get();
}

bool LunMap::has(const LogicalUnit& unit) const {
  return std::ranges::any_of(chunks_, [&unit](const std::shared_ptr<const Chunk>& chunk) {
    return chunk != nullptr && std::ranges::find(*chunk, &unit) != chunk->end();
  });
}

bool LunMaps::has(const LogicalUnit& unit) const {
  return others.has(unit) ||
         std::ranges::any_of(hosts, [&](const auto& host) { return host->luns.has(unit); });
}

}  // namespace lunar::scsi

// Which number leads to which logical unit: the map of a target, and those of its hosts.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_prefix.h"
#include "lunar/result.h"
#include "lunar/types.h"
#include "scsi/spec/lun.h"

namespace lunar::scsi {

class LogicalUnit;

// 16,384 logical unit numbers, most of them unused. A value: copies share what is equal in them, so
// that a changed copy costs one of its chunks and compares with the original in no time.
class LunMap {
 public:
  // ErrorCode::out_of_range above kMaxLun, already_exists when the number is taken.
  Result<void> add(Lun lun, LogicalUnit& unit);
  // ErrorCode::not_found when nothing has the number. The unit that had it.
  Result<LogicalUnit*> remove(Lun lun);
  // ErrorCode::not_found when nothing has the number. The unit that had it.
  Result<LogicalUnit*> replace(Lun lun, LogicalUnit& unit);

  // Null when nothing has the number. Numbers above kMaxLun have nothing.
  [[nodiscard]] LogicalUnit* find(Lun lun) const {
    if (lun.value > spec::kMaxLun) return nullptr;
    const Chunk* chunk = chunks_[lun.value / kChunkLuns].get();
    return chunk == nullptr ? nullptr : (*chunk)[lun.value % kChunkLuns];
  }
  [[nodiscard]] std::size_t size() const { return size_; }
  // Whether any number leads to the unit.
  [[nodiscard]] bool has(const LogicalUnit& unit) const;

  // visit(Lun, LogicalUnit&) in ascending order of the numbers.
  template <class Visit>
  void for_each(Visit visit) const {
    for (std::size_t i = 0; i < kChunks; ++i) {
      if (chunks_[i] == nullptr) continue;
      for (std::size_t k = 0; k < kChunkLuns; ++k) {
        if (LogicalUnit* unit = (*chunks_[i])[k]) visit(number(i, k), *unit);
      }
    }
  }
  // visit(Lun, LogicalUnit* before, LogicalUnit* after), either of which may be null, for each
  // number that leads elsewhere in `after`; ascending.
  template <class Visit>
  static void for_each_difference(const LunMap& before, const LunMap& after, Visit visit) {
    for (std::size_t i = 0; i < kChunks; ++i) {
      if (before.chunks_[i] == after.chunks_[i]) continue;
      for (std::size_t k = 0; k < kChunkLuns; ++k) {
        LogicalUnit* const old = before.at(i, k);
        LogicalUnit* const now = after.at(i, k);
        if (old != now) visit(number(i, k), old, now);
      }
    }
  }

 private:
  static constexpr std::size_t kChunkLuns = 256;
  static constexpr std::size_t kChunks = (spec::kMaxLun + 1) / kChunkLuns;
  using Chunk = std::array<LogicalUnit*, kChunkLuns>;

  static Lun number(std::size_t chunk, std::size_t place) {
    return Lun(static_cast<std::uint16_t>(chunk * kChunkLuns + place));
  }
  [[nodiscard]] LogicalUnit* at(std::size_t chunk, std::size_t place) const {
    return chunks_[chunk] == nullptr ? nullptr : (*chunks_[chunk])[place];
  }
  void set(Lun lun, LogicalUnit* unit);

  std::array<std::shared_ptr<const Chunk>, kChunks> chunks_;  // other shards may read them
  std::size_t size_ = 0;
};

// Who a host is: names that its initiators may have, and addresses that they may come from. Where
// both are told, both must fit.
class HostSelector {
 public:
  HostSelector() = default;
  // `names`: iSCSI names in normal form, or patterns of them with * and ?. invalid_argument: an
  // address range that is none, or nothing at all.
  static Result<HostSelector> create(std::vector<std::string> names,
                                     const std::vector<std::string>& address_ranges);

  // `address`: nothing when it is not known, which fits no range.
  [[nodiscard]] bool matches(std::string_view initiator_name,
                             const std::optional<IpAddress>& address) const;

 private:
  std::vector<std::string> names_;
  std::vector<IpPrefix> addresses_;
};

// What the initiators of one host see.
struct HostMap {
  std::string name;  // unique in its target
  HostSelector initiators;
  LunMap luns;
};

// What the initiators of a target see.
struct LunMaps {
  std::vector<std::shared_ptr<const HostMap>> hosts;  // the first that fits an initiator is its own
  LunMap others;                                      // of initiators that no host fits

  [[nodiscard]] const LunMap& map_for(std::string_view initiator_name,
                                      const std::optional<IpAddress>& address) const;
  // Null when there is none.
  [[nodiscard]] const HostMap* find_host(std::string_view name) const;
  // Whether any number leads to the unit.
  [[nodiscard]] bool has(const LogicalUnit& unit) const;
};

}  // namespace lunar::scsi

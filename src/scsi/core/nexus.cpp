#include "scsi/core/nexus.h"

#include <algorithm>
#include <atomic>
#include <cassert>
#include <utility>

#include "block/front.h"
#include "scsi/core/logical_unit.h"
#include "scsi/core/nexus_restrictions.h"

namespace lunar::scsi {
namespace {

// Counted by logins, on any shard.
std::uint64_t next_id() {
  static std::atomic<std::uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

}  // namespace

ItlNexus::ItlNexus(Nexus& owner, LogicalUnitShard& logical_unit, Lun number,
                   block::Borrower* borrower)
    : nexus(owner), unit(logical_unit), lun(number) {
  // SAM-5 §6.2: what a nexus that is new to the logical unit has to know.
  attentions.raise(spec::AdditionalSense::power_on_reset_or_bus_device_reset_occurred);
  restrictions = restrictions_of(*this);
  if (unit.shared_task_set().is_ordering()) ++ordering;
  unit.nexuses().push_back(*this);
  if (borrower == nullptr || !unit.front().capabilities().lend) return;
  borrowing = std::make_unique<block::Borrowing>(*borrower);
  unit.front().add(*borrowing);
}

ItlNexus::~ItlNexus() { assert(task_set.empty() && "an I_T nexus went with commands in flight"); }

Nexus::Nexus(std::string initiator_port_name, std::string target_port_name,
             std::uint16_t relative_target_port_id, const std::string& initiator_address)
    : initiator_port_name_(std::move(initiator_port_name)),
      target_port_name_(std::move(target_port_name)),
      relative_target_port_id_(relative_target_port_id),
      id_(next_id()),
      initiator_address_(parse_ip_address(initiator_address)) {
  well_known_attentions_.raise(spec::AdditionalSense::power_on_reset_or_bus_device_reset_occurred);
}

Nexus::~Nexus() { assert(target_ == nullptr && "destroyed while attached"); }

std::string_view Nexus::initiator_name() const {
  const std::string_view port = initiator_port_name_;
  return port.substr(0, port.rfind(",i,"));
}

ItlNexus& Nexus::add(Lun lun, LogicalUnitShard& unit) {
  std::unique_ptr<Chunk>& chunk = chunks_[lun.value / kChunkLuns];
  if (chunk == nullptr) chunk = std::make_unique<Chunk>();
  std::unique_ptr<ItlNexus>& place = (*chunk)[lun.value % kChunkLuns];
  assert(place == nullptr);
  place = std::make_unique<ItlNexus>(*this, unit, lun, borrower_);
  return *place;
}

std::unique_ptr<ItlNexus> Nexus::remove(Lun lun) {
  const std::unique_ptr<Chunk>& chunk = chunks_[lun.value / kChunkLuns];
  if (chunk == nullptr) return nullptr;
  std::unique_ptr<ItlNexus> itl = std::move((*chunk)[lun.value % kChunkLuns]);
  if (itl != nullptr && itl->borrowing != nullptr) remember(*itl);
  return itl;
}

void Nexus::remember(ItlNexus& itl) {
  // Not in a list: that Front is no more.
  std::erase_if(former_, [](const Former& former) { return !former.borrowing->is_linked(); });
  const block::Front* front = &itl.unit.front();
  auto borrowing = std::move(itl.borrowing);
  if (std::ranges::find(former_, front, &Former::front) == former_.end())
    former_.push_back({front, std::move(borrowing)});
}

spec::Sense Nexus::take(UnitAttentions& attentions) {
  const spec::Sense sense = attentions.take();
  if (sense.additional == spec::AdditionalSense::reported_luns_data_has_changed) inventory_told();
  return sense;
}

void Nexus::inventory_told() {
  constexpr auto kChanged = spec::AdditionalSense::reported_luns_data_has_changed;
  for_each([](ItlNexus& itl) { itl.attentions.clear(kChanged); });
  well_known_attentions_.clear(kChanged);
}

void Nexus::clear() {
  for (std::unique_ptr<Chunk>& chunk : chunks_) chunk.reset();
  former_.clear();
}

NexusIdentity identity_of(const Nexus& nexus) {
  return {nexus.initiator_port_name(), nexus.target_port_name(), nexus.relative_target_port_id()};
}

}  // namespace lunar::scsi

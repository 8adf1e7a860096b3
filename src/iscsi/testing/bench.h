// A whole iSCSI target on simulated shards: real Service, Connections, Sessions and device servers
// over a simulated network.
#pragma once

#include <cassert>
#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "block/disk.h"
#include "engine/sim/world.h"
#include "iscsi/service/service.h"
#include "iscsi/testing/memory_device.h"
#include "scsi/core/logical_unit.h"

namespace lunar::iscsi::testing {

inline const std::string kTargetName = "iqn.2026-11.test:disks";
inline const engine::Endpoint kPortal{"10.0.0.1", 3260};

struct BenchOptions {
  std::uint64_t seed = 1;
  std::size_t shards = 1;
  std::size_t pool_bytes = 32 * kMiB;
  std::size_t luns = 1;
  std::uint64_t blocks = 32768;  // of each LUN: 16 MiB
  bool direct = true;            // see MemoryDevice
  NegotiationPolicy policy{};
};

class Bench {
 public:
  explicit Bench(const BenchOptions& options = {})
      : world_(options.seed, options.shards, options.pool_bytes), shards_(world_.shards()) {
    log::set_level(log::Level::off);
    service_ = std::make_unique<Service>(shards_);
    service_->policy() = options.policy;
    TargetNode& target = add_target(kTargetName);
    for (std::size_t i = 0; i < options.luns; ++i) {
      devices_.push_back(std::make_unique<MemoryDevice>("memory" + std::to_string(i),
                                                        options.blocks, options.direct));
      disks_.push_back(std::make_unique<block::Disk>(*devices_.back(), shards_));
      units_.push_back(std::make_unique<scsi::LogicalUnit>(*disks_.back()));
      [[maybe_unused]] const auto added =
          target.device.add(Lun(static_cast<std::uint16_t>(i)), *units_.back());
      assert(added);
    }
    for (std::size_t shard = 0; shard < shards_.size(); ++shard) {
      world_.run([this, shard] { return open(shard); }, shard);
    }
    world_.run([this] { return start(); });
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;
  // What still hangs is let go, as a real device would at last; what then does not stop is a hang.
  ~Bench() {
    for (const auto& device : devices_) device->release();
    if (service_) stop(0);
    for (std::size_t shard = 0; shard < shards_.size(); ++shard) {
      world_.run([this, shard] { return close(shard); }, shard);
    }
  }

  TargetNode& add_target(const std::string& name) {
    Result<TargetNode*> added;
    world_.run([&] { return add_target(name, added); });
    assert(added);
    return **added;
  }
  // Service::stop with this time to drain.
  void stop(std::uint64_t drain_ns) {
    world_.run([this, drain_ns] { return service_->stop(drain_ns); });
    service_.reset();
  }

  [[nodiscard]] engine::sim::World& world() { return world_; }
  [[nodiscard]] Service& service() { return *service_; }
  [[nodiscard]] MemoryDevice& device(std::size_t lun = 0) { return *devices_[lun]; }
  [[nodiscard]] std::size_t shard_count() const { return shards_.size(); }
  [[nodiscard]] std::size_t connections() {
    std::size_t sum = 0;
    for (std::size_t i = 0; i < shards_.size(); ++i)
      sum += service_->on(static_cast<unsigned>(i)).connection_count();
    return sum;
  }
  // Steps until all connections are gone, and says whether no task and no buffer is left in use.
  [[nodiscard]] bool is_clean() {
    if (!world_.run_until([this] { return connections() == 0; })) return false;
    for (std::size_t i = 0; i < shards_.size(); ++i) {
      if (service_->on(static_cast<unsigned>(i)).pools().tasks.in_use() != 0) return false;
      if (free_bytes(i) != world_.shard(i).buffers().region_bytes()) return false;
    }
    return true;
  }
  [[nodiscard]] std::size_t free_bytes(std::size_t shard = 0) {
    return world_.shard(shard).buffers().free_bytes();
  }
  [[nodiscard]] std::size_t tasks_in_use(std::size_t shard = 0) {
    return service_->on(static_cast<unsigned>(shard)).pools().tasks.in_use();
  }

 private:
  engine::Task<void> add_target(const std::string& name, Result<TargetNode*>& added) {
    added = co_await service_->add_target(name);
  }
  engine::Task<void> open(std::size_t shard) {
    for (const auto& unit : units_) {
      [[maybe_unused]] const Result<void> opened = co_await unit->open(*shards_[shard]);
      assert(opened);
    }
  }
  engine::Task<void> close(std::size_t shard) {
    for (const auto& unit : units_) co_await unit->stop(*shards_[shard]);
  }
  engine::Task<void> start() {
    [[maybe_unused]] const Result<void> started = co_await service_->start();
    std::vector<Portal> portals{{.address = {.port = kPortal.port}}};
    portals[0].address.bytes = {10, 0, 0, 1};
    [[maybe_unused]] const Result<void> opened =
        co_await service_->open_portals(std::move(portals));
    assert(started && opened);
  }

  engine::sim::World world_;
  std::vector<engine::Shard*> shards_;
  std::vector<std::unique_ptr<MemoryDevice>> devices_;
  std::vector<std::unique_ptr<block::Disk>> disks_;
  std::vector<std::unique_ptr<scsi::LogicalUnit>> units_;
  std::unique_ptr<Service> service_;
};

}  // namespace lunar::iscsi::testing

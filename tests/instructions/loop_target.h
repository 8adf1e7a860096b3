// A whole iSCSI target on one real shard without a thread: the caller of turn() is its thread. So a
// program can be initiator and target in strict alternation, and count only the target's share.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "block/disk.h"
#include "engine/clock.h"
#include "engine/shard.h"
#include "engine/uring_driver.h"
#include "engine/uring_network.h"
#include "iscsi/service/service.h"
#include "lunar/block/device.h"
#include "scsi/core/logical_unit.h"

namespace lunar::instructions {

// A clock that advances by a fixed step per turn, so that no count depends on the machine's speed.
class TurnClock final : public engine::Clock {
 public:
  static constexpr std::uint64_t kTurnNs = 1 * engine::kMicrosecond;
  [[nodiscard]] std::uint64_t now_ns() const override { return now_ns_; }
  [[nodiscard]] std::uint64_t wall_clock_ms() const override {
    return now_ns_ / engine::kMillisecond;
  }
  void advance() { now_ns_ += kTurnNs; }

 private:
  std::uint64_t now_ns_ = engine::kSecond;
};

// Created, used and destroyed by one thread. Its disks are RAM.
class LoopTarget {
 public:
  static constexpr std::uint64_t kDiskBytes = 16 * kMiB;
  static inline const std::string kName = "iqn.2026-11.io.lunar:instructions";

  // LUNs 0 to luns - 1.
  static Result<std::unique_ptr<LoopTarget>> start(std::size_t luns);
  LoopTarget(const LoopTarget&) = delete;
  LoopTarget& operator=(const LoopTarget&) = delete;
  ~LoopTarget();

  // One pass of the shard's loop.
  void turn() {
    clock_.advance();
    shard_->run_once();
  }
  [[nodiscard]] std::string port() const { return std::to_string(endpoint_.port); }
  [[nodiscard]] std::size_t connections() { return service_->on(0).connection_count(); }

 private:
  LoopTarget() = default;
  Result<> set_up(std::size_t luns);
  // Runs turns until the coroutine has ended.
  void finish(engine::Task<void> task);
  engine::Task<void> begin(Result<>* outcome);
  engine::Task<void> end();

  TurnClock clock_;
  std::unique_ptr<engine::UringDriver> driver_;
  std::unique_ptr<engine::UringNetwork> network_;
  std::unique_ptr<engine::Shard> shard_;
  std::vector<engine::Shard*> shards_;
  std::vector<std::unique_ptr<block::Device>> devices_;
  std::vector<std::unique_ptr<block::Disk>> disks_;
  std::vector<std::unique_ptr<scsi::LogicalUnit>> units_;
  std::unique_ptr<iscsi::Service> service_;
  engine::Endpoint endpoint_;
};

}  // namespace lunar::instructions

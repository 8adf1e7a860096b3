// The real shards of a process: threads and rings, started and stopped in order.
#pragma once

#include <memory>
#include <span>
#include <thread>
#include <vector>

#include "engine/clock.h"
#include "engine/shard.h"
#include "engine/uring_driver.h"
#include "engine/uring_network.h"

namespace lunar::engine {

struct ShardGroupOptions {
  // One core per shard. Empty: one shard, not pinned.
  std::vector<int> cores;
  std::uint64_t max_spin_ns = 200 * kMicrosecond;
  std::size_t pool_bytes = kDefaultPoolBytes;
  BlockingWorker* blocking_worker = nullptr;  // outlives the use of the shards
};

// Parses "2" (the first two allowed cores) or, with a comma or dash, "0,2-3" (these cores).
Result<std::vector<int>> parse_cores(const std::string& text);
// The cores that this process may run on.
std::vector<int> allowed_cores();

class ShardGroup {
 public:
  // Starts the threads, which run until the group is destroyed. invalid_argument: this process may
  // not use a core. no_resource: out of memory, threads or descriptors.
  static Result<std::unique_ptr<ShardGroup>> start(const ShardGroupOptions& options);
  ~ShardGroup();

  [[nodiscard]] std::size_t size() const { return members_.size(); }
  [[nodiscard]] Shard& shard(std::size_t index) const { return *members_[index]->shard; }
  [[nodiscard]] std::span<Shard* const> shards() const { return shards_; }

  // Runs a coroutine on shard `index`. Blocks the calling thread, which is no shard's, until it
  // ends. `make` is called on the shard and must live until run_on() returns.
  void run_on(std::size_t index, const std::function<Task<void>()>& make);

 private:
  struct Member {
    std::unique_ptr<UringDriver> driver;
    std::unique_ptr<UringNetwork> network;
    std::unique_ptr<Shard> shard;
    int core = -1;
    std::thread thread;
  };

  ShardGroup() = default;
  Result<void> add_members(const ShardGroupOptions& options);
  static Result<void> start_member(Member& member);

  SteadyClock clock_;
  std::vector<std::unique_ptr<Member>> members_;
  std::vector<Shard*> shards_;
};

}  // namespace lunar::engine

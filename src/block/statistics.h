// What a device has done, for metrics. Each shard counts on a cache line of its own.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/cache_line.h"
#include "lunar/block/request.h"

namespace lunar::block {

// Written by one thread with a plain load and store (no atomic read-modify-write), read by any.
class Counter {
 public:
  void add(std::uint64_t amount) {
    value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// How many there are, counted the same way.
class Gauge {
 public:
  void increment() {
    value_.store(value_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  void decrement() {
    value_.store(value_.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// Of one Op: what consumers asked for, not the steps of its emulation. Counted when it completes.
struct OpTotals {
  std::uint64_t operations = 0;
  std::uint64_t bytes = 0;    // of operations that ended ok
  std::uint64_t errors = 0;   // ended neither ok, nor miscompare, nor aborted
  std::uint64_t time_ns = 0;  // from submit to done, summed; at the resolution of the shard's loop
};

// One shard's part.
struct alignas(kCacheLine) ShardStatistics {
  struct OpCounters {
    Counter operations;
    Counter bytes;
    Counter errors;
    Counter time_ns;
  };
  std::array<OpCounters, kOpCount> ops;
  Gauge commands_in_flight;  // of the consumer: SCSI commands in the task sets of a logical unit
};

// Threading: on(i) is for shard i's thread to write; totals() is for any.
class DeviceStatistics {
 public:
  explicit DeviceStatistics(std::size_t shards)
      : shards_(shards), parts_(std::make_unique<ShardStatistics[]>(shards)) {}

  [[nodiscard]] std::size_t shards() const { return shards_; }
  [[nodiscard]] ShardStatistics& on(std::size_t shard_index) const { return parts_[shard_index]; }
  [[nodiscard]] std::uint64_t commands_in_flight() const {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < shards_; ++i) sum += parts_[i].commands_in_flight.value();
    return sum;
  }
  // Over all shards; not a snapshot of one instant.
  [[nodiscard]] OpTotals totals(Op op) const {
    OpTotals totals;
    for (std::size_t i = 0; i < shards_; ++i) {
      const auto& counters = parts_[i].ops[static_cast<std::size_t>(op)];
      totals.operations += counters.operations.value();
      totals.bytes += counters.bytes.value();
      totals.errors += counters.errors.value();
      totals.time_ns += counters.time_ns.value();
    }
    return totals;
  }

 private:
  std::size_t shards_;
  std::unique_ptr<ShardStatistics[]> parts_;
};

}  // namespace lunar::block

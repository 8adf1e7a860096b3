// A disk at the end of a long line: each request takes a random while.
//
// Reads end by a timer of their shard, everything else on a thread of the disk's own, as with a
// library that calls back on its threads. The line can break and be mended, and the disk grow.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "lunar/block/device.h"

// The far end: memory, and a thread that serves it. Any thread.
class FarEnd {
 public:
  explicit FarEnd(std::size_t bytes);
  ~FarEnd();

  // Calls `work` on the far end's thread, after a random while.
  void send(std::move_only_function<void()> work);
  // 0.1 to 5 ms.
  std::uint64_t random_latency_ns();
  // Moves the request's data. Fails while the line is broken.
  lunar::block::Status perform(lunar::block::Request& request);

  void set_broken(bool broken);
  void set_size(std::size_t bytes);
  [[nodiscard]] std::size_t size();

 private:
  void serve();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::multimap<std::chrono::steady_clock::time_point, std::move_only_function<void()>> works_;
  std::vector<std::byte> medium_;
  std::minstd_rand random_{1};
  bool broken_ = false;
  bool stopping_ = false;
  std::thread thread_;  // last: it uses the others
};

class FarDisk : public lunar::block::Device {
 public:
  FarDisk(const std::string& name, std::size_t bytes);

  [[nodiscard]] const char* kind() const override { return "far"; }
  [[nodiscard]] const lunar::block::Limits& limits() const override { return limits_; }
  [[nodiscard]] const lunar::block::Capabilities& capabilities() const override {
    return capabilities_;
  }
  // These answer from the far end's thread.
  void begin_open_channel(
      lunar::engine::Shard& shard,
      lunar::block::Reply<std::unique_ptr<lunar::block::Channel>> reply) override;
  void begin_resize(std::optional<lunar::ByteCount> size,
                    lunar::block::Reply<lunar::BlockCount> reply) override;
  void begin_close(lunar::block::Reply<void> reply) override;

  // What happens at the far end, told from the thread that calls.
  void break_line();
  void mend_line();
  void grow(std::size_t bytes);

 private:
  lunar::block::Limits limits_;
  const lunar::block::Capabilities capabilities_{};
  FarEnd far_end_;
};

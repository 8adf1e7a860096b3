// The floor: a spinning target in a thread of its own that does the least an iSCSI target can do
// over TCP (floor_connection.h). The speed of a real target relative to the floor shows the cost of
// the target's own work. There are two floors, for the two ways to use sockets on Linux; the better
// one counts.
#pragma once

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "bench/floor_connection.h"
#include "bench/options.h"
#include "lunar/result.h"

namespace lunar::bench {

// Started and stopped by the thread that owns it. Uses no CPU between pause() and resume().
class Floor {
 public:
  struct Shape {
    FloorForm form = FloorForm::readiness;
    std::uint32_t connections = 1;  // number of logins to wait for before it serves
    std::uint32_t queue_depth = 1;
    std::uint64_t size_bytes = 0;  // size of the RAM disk
    unsigned cpu = 0;
  };
  // Errors: no_resource; invalid_argument: no such core.
  static Result<std::unique_ptr<Floor>> start(const Shape& shape);
  ~Floor();

  [[nodiscard]] const Url& url() const { return url_; }
  // Before pause(), all commands must have been answered.
  void pause();
  void resume();

 private:
  explicit Floor(const Shape& shape) : shape_(shape) {}
  void run(std::promise<Result<>> started);
  // Both return when stop_ is set or the peer has gone.
  void serve_by_readiness();
  void serve_by_uring();
  void wait_readable() const;
  // Waits while paused. False: stop.
  bool keep_going();

  enum class State : unsigned { running, paused, stopped };
  const Shape shape_;
  Listener listener_;
  Url url_;
  MutableBytes medium_;
  std::vector<std::unique_ptr<FloorConnection>> connections_;
  std::atomic<State> state_ = State::running;
  std::thread thread_;
};

// Pins the calling thread.
Result<> pin_to(unsigned cpu);

}  // namespace lunar::bench

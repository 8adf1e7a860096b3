// A Front on a simulated shard, driven by plain calls.
#pragma once

#include <cassert>
#include <memory>
#include <vector>

#include "block/front.h"
#include "engine/sim/world.h"

namespace lunar::block::testing {

// A request that tells when it is done.
struct TestRequest : Request {
  bool finished = false;
  std::vector<iovec> pieces;

  explicit TestRequest(Op the_op, std::uint64_t first = 0, std::uint64_t blocks = 0,
                       RequestFlags the_flags = 0) {
    op = the_op;
    lba = Lba(first);
    count = BlockCount(blocks);
    flags = the_flags;
    done = [](Request& self) noexcept { static_cast<TestRequest&>(self).finished = true; };
  }
  void add_piece(void* data, std::size_t bytes) {
    pieces.push_back({data, bytes});
    iov = pieces.data();
    iov_count = static_cast<std::uint32_t>(pieces.size());
  }
};

class Bench {
 public:
  Bench(engine::sim::World& world, Device& device)
      : world_(world), statistics_(1), front_(*Front::open(device, world.shard(), statistics_)) {}
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;
  ~Bench() {
    world_.run([this] { return front_->stop(); });
  }

  [[nodiscard]] Front& front() { return *front_; }
  [[nodiscard]] engine::sim::World& world() { return world_; }
  [[nodiscard]] const DeviceStatistics& statistics() const { return statistics_; }

  // Submits and steps the world until it is done.
  Status run(TestRequest& request) {
    front_->submit(request);
    assert(!request.finished && "completed inside submit()");
    return finish(request);
  }
  Status finish(TestRequest& request) {
    world_.run_until([&] { return request.finished; });
    assert(request.finished && request.layers == 0);
    return request.status;
  }
  Status run(Op op, std::uint64_t lba, std::uint64_t count, RequestFlags flags = 0) {
    TestRequest request(op, lba, count, flags);
    return run(request);
  }
  Status run(Op op, std::uint64_t lba, std::uint64_t count, MutableBytes buffer,
             RequestFlags flags = 0) {
    TestRequest request(op, lba, count, flags);
    request.set_buffer(buffer.data(), buffer.size());
    return run(request);
  }

 private:
  engine::sim::World& world_;
  DeviceStatistics statistics_;
  std::unique_ptr<Front> front_;
};

[[nodiscard]] inline std::vector<std::byte> filled(std::size_t bytes, std::uint8_t value) {
  return std::vector<std::byte>(bytes, std::byte{value});
}

}  // namespace lunar::block::testing

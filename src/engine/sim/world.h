// A simulated world: deterministic shards with simulated time, network and files. One thread runs
// everything. The same seed gives the same run, faults included. For tests and fuzzers.
//
//   sim::World world(seed);
//   Shard& shard = world.shard(0);
//   world.run(my_coroutine(shard));         // steps all shards until it ends
//   auto peer = world.connect({"10.0.0.1", 3260});  // the far end of a connection, for the test
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "engine/file_io.h"
#include "engine/network.h"
#include "engine/shard.h"

namespace lunar::engine::sim {

class World;

// Probabilities of faults, per mille.
struct Faults {
  unsigned short_transfer = 0;  // a receive, send or file operation moves fewer bytes than it could
  unsigned would_block = 0;     // a receive or send returns -EAGAIN once, then becomes ready
  unsigned file_error = 0;      // a file op fails with EIO
  std::uint64_t file_latency_ns = 10 * kMicrosecond;
};

class SimClock final : public Clock {
 public:
  [[nodiscard]] std::uint64_t now_ns() const override { return now_ns_; }
  // A fixed day in 2026, plus the time since the start.
  [[nodiscard]] std::uint64_t wall_clock_ms() const override {
    return 1'780'000'000'000 + now_ns_ / kMillisecond;
  }
  void advance_to(std::uint64_t when_ns) { now_ns_ = std::max(now_ns_, when_ns); }

 private:
  std::uint64_t now_ns_ = kSecond;
};

// Future events of one shard.
class SimDriver final : public Driver {
 public:
  explicit SimDriver(SimClock& clock) : clock_(clock) {}

  void at(std::uint64_t when_ns, std::function<void()> event) {
    events_.emplace(when_ns, std::move(event));
  }
  [[nodiscard]] std::optional<std::uint64_t> next_event_ns() const;

  bool poll() override;
  void wait(std::optional<std::uint64_t> deadline_ns) override;
  void wake() override {}

 private:
  SimClock& clock_;
  std::multimap<std::uint64_t, std::function<void()>> events_;
};

// One direction of a connection. Shared by both ends.
struct Pipe {
  static constexpr std::size_t kCapacity =
      256 * kKiB;  // like a socket buffer: the sender waits when it is full
  std::vector<std::byte> bytes;
  bool closed = false;  // by the sender
  bool broken = false;  // by the receiver: the sender gets EPIPE
  std::function<void()> on_bytes;
  std::function<void()> on_room;
};

// The test's end of a connection.
class Peer {
 public:
  Peer(std::shared_ptr<Pipe> to_shard, std::shared_ptr<Pipe> from_shard);
  Peer(Peer&&) = default;
  ~Peer();

  void send(Bytes bytes);
  // The bytes that have arrived. take() removes them.
  [[nodiscard]] Bytes received() const { return from_shard_->bytes; }
  std::vector<std::byte> take(std::size_t count);
  // Closes the direction to the target.
  void close();
  // Whether the target has closed its direction and all bytes are taken.
  [[nodiscard]] bool is_at_end() const { return from_shard_->closed && from_shard_->bytes.empty(); }

 private:
  std::shared_ptr<Pipe> to_shard_;
  std::shared_ptr<Pipe> from_shard_;
};

class SimNetwork final : public Network {
 public:
  SimNetwork(World& world, SimDriver& driver) : world_(world), driver_(driver) {}
  Result<std::unique_ptr<Listener>> open_listener(const Endpoint& at,
                                                  const ListenOptions& options) override;
  std::unique_ptr<Stream> adopt(std::unique_ptr<Socket> socket) override;

 private:
  World& world_;
  SimDriver& driver_;
};

// Files in memory. The World keeps them when they are closed, as a disk would.
class SimFileIo final : public FileIo {
 public:
  explicit SimFileIo(World& world) : world_(world) {}
  Result<std::unique_ptr<File>> open(const std::string& path, const FileOptions& options) override;

  struct Contents {
    std::vector<std::byte> bytes;
    std::map<std::string, std::string> attributes;
    bool locked = false;
  };
  [[nodiscard]] Contents& contents(const std::string& path) { return files_[path]; }
  [[nodiscard]] World& world() { return world_; }

 private:
  World& world_;
  std::map<std::string, Contents> files_;
};

class World {
 public:
  explicit World(std::uint64_t seed = 1, std::size_t shards = 1,
                 std::size_t pool_bytes = 32 * kMiB);
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World();

  [[nodiscard]] Shard& shard(std::size_t index = 0) { return *members_[index]->shard; }
  [[nodiscard]] std::vector<Shard*> shards();
  [[nodiscard]] SimClock& clock() { return clock_; }
  [[nodiscard]] SimFileIo& files() { return files_; }
  [[nodiscard]] Prng& prng() { return prng_; }
  [[nodiscard]] Faults& faults() { return faults_; }
  // True with the given probability, per mille.
  bool chance(unsigned per_mille) { return per_mille != 0 && prng_.below(1000) < per_mille; }

  // Steps every shard once. If none had work, advances time to the next event. False: there is
  // none.
  bool step();
  // Steps until `done` returns true. False: nothing is left to happen.
  bool run_until(const std::function<bool()>& done);
  // Steps until no event is left within `duration_ns`, then advances time to its end.
  void run_for(std::uint64_t duration_ns);
  // Runs the coroutine `make()` on shard `index` to its end. Asserts that it ends.
  void run(const std::function<Task<void>()>& make, std::size_t index = 0);

  // Connects to a listener on any shard. Asserts that it exists.
  Peer connect(const Endpoint& to);

 private:
  friend class SimNetwork;
  friend class SimListener;
  struct Member {
    explicit Member(World& world) : driver(world.clock_), network(world, driver) {}
    SimDriver driver;
    SimNetwork network;
    std::unique_ptr<Shard> shard;
  };
  struct Listening {
    SimDriver* driver;
    AcceptHandler accepted{};                        // unset until start()
    std::vector<std::unique_ptr<Socket>> waiting{};  // connections until start()
  };

  SimClock clock_;
  Prng prng_;
  Faults faults_;
  SimFileIo files_;
  std::vector<std::unique_ptr<Member>> members_;
  std::map<std::pair<std::string, std::uint16_t>, Listening> listeners_;
};

}  // namespace lunar::engine::sim

// A simulated world: shards whose time, network and files are make-believe and deterministic. One
// thread runs everything; the same seed gives the same run, faults included. For tests and fuzzers.
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

// What goes wrong, and how often: chances out of 1000.
struct Faults {
  unsigned short_transfer =
      0;  // a receive or send moves fewer bytes than it could; a file op likewise
  unsigned would_block = 0;  // a receive or send says "not now" once, then gets ready
  unsigned file_error = 0;   // a file op fails with EIO
  std::uint64_t file_latency_ns = 10 * kMicrosecond;
};

class SimClock final : public Clock {
 public:
  [[nodiscard]] std::uint64_t now_ns() const override { return now_ns_; }
  // A day in 2026, and what has passed since the start.
  [[nodiscard]] std::uint64_t wall_clock_ms() const override {
    return 1'780'000'000'000 + now_ns_ / kMillisecond;
  }
  void advance_to(std::uint64_t when_ns) { now_ns_ = std::max(now_ns_, when_ns); }

 private:
  std::uint64_t now_ns_ = kSecond;
};

// Things that will happen to one shard at a time.
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

// One direction of a connection. Both ends hold it.
struct Pipe {
  static constexpr std::size_t kCapacity =
      256 * kKiB;  // as a socket buffer: the sender waits when full
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
  // What has arrived so far; take() removes it.
  [[nodiscard]] Bytes received() const { return from_shard_->bytes; }
  std::vector<std::byte> take(std::size_t count);
  // Half-closes our direction.
  void close();
  // The target has closed its direction and all is taken.
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

// Files in memory, kept by the World over close and reopen, as a disk keeps them.
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
  // True `per_mille` times out of 1000.
  bool chance(unsigned per_mille) { return per_mille != 0 && prng_.below(1000) < per_mille; }

  // Steps every shard once; when nobody had work, moves time to the next event. False: nothing
  // left.
  bool step();
  // Steps until `done`; false when nothing is left to happen first.
  bool run_until(const std::function<bool()>& done);
  // Steps until nothing is left before `duration_ns` from now, and moves time there.
  void run_for(std::uint64_t duration_ns);
  // Runs `make()`, a coroutine of shard `index`, to its end, which must come.
  void run(const std::function<Task<void>()>& make, std::size_t index = 0);

  // Connects to a listener of any shard. Asserts that there is one.
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
    AcceptHandler accepted{};                        // unset until it starts
    std::vector<std::unique_ptr<Socket>> waiting{};  // for that
  };

  SimClock clock_;
  Prng prng_;
  Faults faults_;
  SimFileIo files_;
  std::vector<std::unique_ptr<Member>> members_;
  std::map<std::pair<std::string, std::uint16_t>, Listening> listeners_;
};

}  // namespace lunar::engine::sim

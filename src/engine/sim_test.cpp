// The simulated network and files, on which the tests of everything above depend.
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "engine/sim/world.h"

namespace lunar::engine {
namespace {

iovec piece(std::span<std::byte> bytes) { return {bytes.data(), bytes.size()}; }

// Sends back what it receives, by readiness only.
struct Echo : Runnable {
  explicit Echo(std::unique_ptr<Stream> connected) : stream(std::move(connected)) {
    run = [](Runnable& self) noexcept { static_cast<Echo&>(self).turn(); };
    stream->when_readable(*this);
  }
  void turn() {
    for (;;) {
      while (sent < held) {
        const iovec from{buffer.data() + sent, held - sent};
        const std::int64_t count = stream->send({&from, 1});
        if (count == -EAGAIN) return stream->when_writable(*this);
        if (count < 0) return (void)(stream = nullptr);
        sent += static_cast<std::size_t>(count);
      }
      sent = held = 0;
      // Two pieces, to test gathering as well.
      const std::array<iovec, 2> into{piece(std::span(buffer).first(100)),
                                      piece(std::span(buffer).subspan(100))};
      const std::int64_t count = stream->receive(into);
      if (count == -EAGAIN) return stream->when_readable(*this);
      if (count <= 0) return (void)(stream = nullptr);
      held = static_cast<std::size_t>(count);
    }
  }
  std::unique_ptr<Stream> stream;
  std::array<std::byte, 4096> buffer{};
  std::size_t held = 0;
  std::size_t sent = 0;
};

std::vector<std::byte> random_bytes(Prng& prng, std::size_t count) {
  std::vector<std::byte> bytes(count);
  for (auto& b : bytes) b = static_cast<std::byte>(prng.next());
  return bytes;
}

const Endpoint kPortal{"10.0.0.1", 3260};

// Returns the simulated duration, as a fingerprint of the run.
std::uint64_t echo_once(std::uint64_t seed) {
  sim::World world(seed);
  world.faults().short_transfer = 300;
  world.faults().would_block = 300;
  std::unique_ptr<Echo> echo;
  auto listener = world.shard().network().listen(kPortal, [&](std::unique_ptr<Socket> socket) {
    echo = std::make_unique<Echo>(Shard::current()->network().adopt(std::move(socket)));
  });
  EXPECT_TRUE(listener);
  auto peer = world.connect(kPortal);
  Prng prng(seed);
  const auto data = random_bytes(prng, 700'000);  // more than the pipes hold
  std::vector<std::byte> back;
  std::size_t sent = 0;
  std::uint64_t steps = 0;
  while (back.size() < data.size()) {
    if (sent < data.size()) {
      const std::size_t count = std::min<std::size_t>(data.size() - sent, prng.below(50'000) + 1);
      peer.send(Bytes(data).subspan(sent, count));
      sent += count;
    }
    world.step();
    ++steps;
    const auto got = peer.take(prng.below(40'000) + 1);
    back.insert(back.end(), got.begin(), got.end());
  }
  EXPECT_EQ(back, data);
  EXPECT_FALSE(peer.is_at_end());
  peer.close();
  EXPECT_TRUE(world.run_until([&] { return peer.is_at_end(); }));
  EXPECT_EQ(echo->stream, nullptr);
  return steps;
}

TEST(SimNetwork, EchoesOverShortTransfersAndWouldBlock) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) echo_once(seed);
}

TEST(SimNetwork, SameSeedSameRun) { EXPECT_EQ(echo_once(99), echo_once(99)); }

TEST(SimNetwork, AddressInUseIsBusyUntilTheListenerGoes) {
  sim::World world;
  auto& network = world.shard().network();
  auto first = network.listen(kPortal, [](std::unique_ptr<Socket>) {});
  ASSERT_TRUE(first);
  EXPECT_EQ((*first)->local(), kPortal);
  EXPECT_EQ(network.listen(kPortal, {}).error().code, ErrorCode::busy);
  first->reset();
  EXPECT_TRUE(network.listen(kPortal, [](std::unique_ptr<Socket>) {}));
}

struct CountRuns : Runnable {
  CountRuns() {
    run = [](Runnable& self) noexcept { ++static_cast<CountRuns&>(self).runs; };
  }
  int runs = 0;
};

TEST(SimNetwork, DestroyedStreamTellsNobody) {
  sim::World world;
  std::unique_ptr<Stream> stream;
  auto listener = world.shard().network().listen(kPortal, [&](std::unique_ptr<Socket> socket) {
    stream = Shard::current()->network().adopt(std::move(socket));
  });
  auto peer = world.connect(kPortal);
  ASSERT_TRUE(world.run_until([&] { return stream != nullptr; }));
  CountRuns waiter;
  stream->when_readable(waiter);
  peer.send(as_bytes("x"));
  stream.reset();
  world.run_for(kSecond);
  EXPECT_EQ(waiter.runs, 0);
  EXPECT_TRUE(peer.is_at_end());
}

// One op at a time, awaited by stepping the world.
class SimFileTest : public testing::Test {
 protected:
  std::int64_t run(File& file, FileOp& op) {
    bool done = false;
    struct Waiting : FileOp {
      bool* flag = nullptr;
    };
    Waiting waiting;
    waiting.kind = op.kind;
    waiting.iov = op.iov;
    waiting.iov_count = op.iov_count;
    waiting.offset = op.offset;
    waiting.length = op.length;
    waiting.flag = &done;
    waiting.done = [](FileOp& self) noexcept { *static_cast<Waiting&>(self).flag = true; };
    file.submit(world_.shard(), waiting);
    EXPECT_FALSE(done) << "completed inside submit";
    EXPECT_TRUE(world_.run_until([&] { return done; }));
    return waiting.result;
  }
  std::int64_t transfer(File& file, FileOpKind kind, std::uint64_t offset,
                        std::span<std::byte> bytes) {
    iovec iov = piece(bytes);
    FileOp op;
    op.kind = kind;
    op.iov = &iov;
    op.iov_count = 1;
    op.offset = offset;
    return run(file, op);
  }
  std::unique_ptr<File> open(const FileOptions& options) {
    auto file = world_.files().open("/disk", options);
    EXPECT_TRUE(file);
    return std::move(*file);
  }
  sim::World world_;
};

TEST_F(SimFileTest, KeepsDataOverReopen) {
  std::array<std::byte, 512> data;
  data.fill(std::byte{0x5a});
  std::array<std::byte, 512> back{};
  {
    const auto file = open({.create = true, .size = 4096});
    EXPECT_EQ(file->info().size, 4096U);
    EXPECT_EQ(transfer(*file, FileOpKind::write, 1024, data), 512);
    EXPECT_TRUE(file->set_attribute("user.lunar.uuid", "u"));
    EXPECT_EQ(world_.files().open("/disk", {}).error().code, ErrorCode::busy);
  }
  const auto file = open({});
  EXPECT_EQ(transfer(*file, FileOpKind::read, 1024, back), 512);
  EXPECT_EQ(back, data);
  EXPECT_EQ(file->attribute("user.lunar.uuid").value(), "u");
  EXPECT_EQ(file->attribute("user.other").error().code, ErrorCode::not_found);
}

TEST_F(SimFileTest, ClearsAndEndsWhereItEnds) {
  const auto file = open({.create = true, .size = 1024});
  std::array<std::byte, 1024> data;
  data.fill(std::byte{1});
  ASSERT_EQ(transfer(*file, FileOpKind::write_dsync, 0, data), 1024);
  FileOp clear;
  clear.kind = FileOpKind::deallocate;
  clear.offset = 512;
  clear.length = 4096;
  EXPECT_EQ(run(*file, clear), 0);
  ASSERT_EQ(transfer(*file, FileOpKind::read, 0, data), 1024);
  EXPECT_EQ(data[511], std::byte{1});
  EXPECT_EQ(data[512], std::byte{0});
  EXPECT_EQ(transfer(*file, FileOpKind::read, 1000, data), 24);
  EXPECT_EQ(transfer(*file, FileOpKind::read, 5000, data), 0);
}

TEST_F(SimFileTest, FailsAndFallsShortAsAsked) {
  const auto file = open({.create = true, .size = 4096});
  std::array<std::byte, 4096> data{};
  world_.faults().file_error = 1000;
  EXPECT_EQ(transfer(*file, FileOpKind::write, 0, data), -EIO);
  world_.faults().file_error = 0;
  world_.faults().short_transfer = 1000;
  const std::int64_t moved = transfer(*file, FileOpKind::write, 0, data);
  EXPECT_GT(moved, 0);
  EXPECT_LT(moved, 4096);
}

TEST_F(SimFileTest, MissingOneIsNotFoundAndReadOnlyIsNotWritten) {
  EXPECT_EQ(world_.files().open("/none", {}).error().code, ErrorCode::not_found);
  open({.create = true, .size = 512}).reset();
  const auto file = open({.writable = false});
  std::array<std::byte, 512> data{};
  EXPECT_EQ(transfer(*file, FileOpKind::write, 0, data), -EBADF);
}

}  // namespace
}  // namespace lunar::engine

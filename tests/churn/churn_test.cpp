// LUNs are removed, resized, write-protected and swapped while two sessions, one on each of two
// shards, read and write them. Every command must get a status, and no session may end.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <thread>

#include "base/log.h"
#include "client.h"
#include "lunar/server.h"

namespace lunar {
namespace {

using alloc_test::Client;
using alloc_test::Tally;

const std::string kTarget = "iqn.2026-11.test:churn";
constexpr std::uint64_t kDiskBytes = 8 * kMiB;
constexpr unsigned kLuns = 4;
constexpr int kChanges = 10'000;

class Churn : public ::testing::Test {
 protected:
  void SetUp() override {
    log::set_level(log::Level::error);
    auto made = Server::create({.shards = "2"});
    ASSERT_TRUE(made) << made.error().message;
    server_ = std::move(*made);
    ASSERT_TRUE(server_->add_target(kTarget));
    for (const char* name : {"steady", "removed", "resized", "swapped", "spare"})
      ASSERT_TRUE(server_->add_ram(name, ByteCount(kDiskBytes)));
    ASSERT_TRUE(server_->map(kTarget, Lun(0), "steady"));
    ASSERT_TRUE(server_->map(kTarget, Lun(1), "removed"));
    ASSERT_TRUE(server_->map(kTarget, Lun(2), "resized"));
    ASSERT_TRUE(server_->map(kTarget, Lun(3), "swapped"));
    ASSERT_TRUE(server_->add_portal("127.0.0.1:0"));
    const auto started = server_->start();
    ASSERT_TRUE(started) << started.error().message;
  }

  // Makes change number `i`. Each kind is made and reverted in turn.
  Result<void> change(int i) {
    const bool there = i / 4 % 2 == 0;
    switch (i % 4) {
      case 0:
        return there ? server_->unmap(kTarget, Lun(1)) : server_->map(kTarget, Lun(1), "removed");
      case 1: return server_->resize("resized", ByteCount(there ? kDiskBytes / 2 : kDiskBytes));
      case 2: return server_->set_write_protected("steady", there);
      default: return server_->swap(kTarget, Lun(3), there ? "spare" : "swapped");
    }
  }

  std::unique_ptr<Server> server_;
};

TEST_F(Churn, EveryCommandEndsAndEverySessionStays) {
  std::atomic<bool> stop{false};
  std::array<Tally, 2> tallies;
  std::array<bool, 2> well{};
  std::vector<std::thread> initiators;
  for (std::size_t i = 0; i < tallies.size(); ++i) {
    initiators.emplace_back([&, i] {
      Client client(server_->listening().front(), kTarget, i == 0);
      // Large enough to be received into the medium, and to be in progress during a change.
      const alloc_test::Workload workload{.bytes = 32768, .depth = 8};
      well[i] = client.churn(workload, kLuns, kDiskBytes, stop, tallies[i]);
    });
  }
  for (int i = 0; i < kChanges; ++i) {
    const auto changed = change(i);
    ASSERT_TRUE(changed) << i << ": " << changed.error().message;
  }
  stop = true;
  for (std::thread& initiator : initiators) initiator.join();
  for (std::size_t i = 0; i < tallies.size(); ++i) {
    EXPECT_TRUE(well[i]) << "session " << i << " ended, or lost a command";
    EXPECT_GT(tallies[i].good, 0U);
    EXPECT_GT(tallies[i].other, 0U);
  }
  for (const char* name : {"steady", "removed", "resized", "swapped", "spare"})
    EXPECT_EQ(server_->commands_in_flight(name), 0U) << name;
  for (std::uint16_t lun = 0; lun < kLuns; ++lun) EXPECT_TRUE(server_->unmap(kTarget, Lun(lun)));
  for (const char* name : {"steady", "removed", "resized", "swapped", "spare"})
    EXPECT_TRUE(server_->remove_device(name)) << name;
}

}  // namespace
}  // namespace lunar

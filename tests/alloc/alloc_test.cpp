// In steady state, READs and WRITEs cause no heap allocation on the shard's thread.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "app/server_internals.h"
#include "base/log.h"
#include "client.h"
#include "counting.h"
#include "lunar/server.h"

namespace lunar::alloc_test {
namespace {

const std::string kTarget = "iqn.2026-11.test:alloc-disk";
constexpr std::uint64_t kDiskBytes = 64 * kMiB;
constexpr std::uint64_t kWarmUp = 3000;
constexpr std::uint64_t kCounted = 10000;
constexpr std::uint64_t kCountedLarge = 1000;  // of 256 KiB

enum class Medium : std::uint8_t { ram, file };

class Allocations : public ::testing::TestWithParam<Medium> {
 protected:
  void SetUp() override {
    log::set_level(log::Level::error);
    auto server = Server::create({.shards = "1"});
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
    if (GetParam() == Medium::ram) {
      ASSERT_TRUE(server_->add_ram("disk", ByteCount(kDiskBytes)));
    } else {
      std::string name = (std::filesystem::temp_directory_path() / "lunar-alloc-XXXXXX").string();
      ASSERT_NE(mkdtemp(name.data()), nullptr);
      folder_ = name;
      ASSERT_TRUE(server_->add_file("disk", folder_ / "disk", ByteCount(kDiskBytes)));
    }
    ASSERT_TRUE(server_->add_target(kTarget));
    ASSERT_TRUE(server_->map(kTarget, Lun(0), "disk"));
    ASSERT_TRUE(server_->add_portal("127.0.0.1:0"));
    ASSERT_TRUE(server_->start());
    (void)shard_allocations();  // this request itself warms up, too
  }
  void TearDown() override {
    server_.reset();
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }

  std::uint64_t shard_allocations() {
    std::uint64_t count = 0;
    server_->internals().shards->run_on(0, [&count]() { return read_count(&count); });
    return count;
  }

  // Pools grow to the highest number in use, which depends on timing, so a few rounds may each
  // reach a new one. Code that allocates for each I/O allocates in every round.
  void expect_none(const Workload& workload, bool immediate, std::uint64_t count) {
    constexpr int kRounds = 8;
    Client client(server_->listening().front(), kTarget, immediate);
    ASSERT_TRUE(client.run(workload, std::min(kWarmUp, count), kDiskBytes));
    std::uint64_t fewest = UINT64_MAX;
    for (int round = 0; round < kRounds && fewest != 0; ++round) {
      const std::uint64_t before = shard_allocations();
      ASSERT_TRUE(client.run(workload, count, kDiskBytes));
      fewest = std::min(fewest, shard_allocations() - before);
    }
    EXPECT_EQ(fewest, 0U);
  }

 private:
  static engine::Task<void> read_count(std::uint64_t* count) {
    *count = allocations();
    co_return;
  }

  std::unique_ptr<Server> server_;
  std::filesystem::path folder_;
};

TEST_P(Allocations, NoneForReads) { expect_none({.write = false}, true, kCounted); }
TEST_P(Allocations, NoneForWritesWithImmediateData) {
  expect_none({.write = true}, true, kCounted);
}
TEST_P(Allocations, NoneForLargeReads) {
  expect_none({.write = false, .bytes = 262144}, true, kCountedLarge);
}
TEST_P(Allocations, NoneForLargeWritesWithR2t) {
  expect_none({.write = true, .bytes = 262144}, false, kCountedLarge);
}

INSTANTIATE_TEST_SUITE_P(OnA, Allocations, ::testing::Values(Medium::ram, Medium::file),
                         [](const auto& medium) {
                           return medium.param == Medium::ram ? "Ram" : "File";
                         });

}  // namespace
}  // namespace lunar::alloc_test

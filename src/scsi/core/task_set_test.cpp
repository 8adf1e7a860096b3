#include "scsi/core/task_set.h"

#include <gtest/gtest.h>

#include "scsi/testing/bench.h"

namespace lunar::scsi {
namespace {

using namespace testing;
using spec::AdditionalSense;
using spec::Opcode;

enum class Qerr : std::uint8_t { none = 0, task_set = 1, nexus = 3 };

struct QueueErrors : ::testing::TestWithParam<Qerr> {
  Bench bench{2048, {}, 2};
  Initiator& initiator = bench.initiator();
  Initiator other{bench, 1, "iqn.2026-11.test:two"};

  QueueErrors() {
    initiator.clear_attention();
    other.clear_attention();
    Outcome page = initiator.run({0x1a, 0x08, 0x0a, 0, 255, 0});
    page.data[0] = 0;
    page.data[4 + 3] |= static_cast<std::uint8_t>(static_cast<unsigned>(GetParam()) << 1);
    const Bytes list = std::as_bytes(std::span(page.data));
    EXPECT_TRUE(initiator
                    .run({0x15, 0x10, 0, 0, static_cast<std::uint8_t>(list.size()), 0},
                         {list.begin(), list.end()})
                    .is_good());
    other.clear_attention();
  }
  // Commands of both nexuses that are in the task set when one of the first ends in CHECK
  // CONDITION.
  void expect_after(const std::vector<std::uint8_t>& failing, AdditionalSense why,
                    std::optional<AdditionalSense> attention = std::nullopt) {
    bench.device().hold = true;
    const auto running = initiator.start(block_cdb(Opcode::read_10, 0, 1));
    const auto gathering = initiator.prepare(block_cdb(Opcode::write_10, 8, 1), filled(512, 1));
    const auto theirs = other.start(block_cdb(Opcode::read_10, 0, 1));
    if (attention) initiator.nexus().find(Lun(0))->attentions.raise(*attention);
    const Outcome failed = initiator.run(failing);
    EXPECT_EQ(failed.status, spec::Status::check_condition);
    EXPECT_EQ(failed.sense.additional, why);
    bench.world().run_until([&] { return running->outcome && gathering->outcome; });
    const bool aborts = GetParam() != Qerr::none;
    EXPECT_EQ(running->outcome && running->outcome->aborted, aborts);
    EXPECT_EQ(gathering->outcome && gathering->outcome->aborted, aborts);
    EXPECT_FALSE(running->tell_aborted) << "no status: the initiator knows of the error";
    EXPECT_FALSE(theirs->outcome) << "another task set";
    engine::Shard::bind(&bench.world().shard(1));
    bench.device().release();
    EXPECT_TRUE(other.finish(*theirs).is_good());
    if (!aborts) {
      initiator.execute(*gathering);
      EXPECT_TRUE(initiator.finish(*running).is_good());
      EXPECT_TRUE(initiator.finish(*gathering).is_good());
    }
    EXPECT_TRUE(other.run({0, 0, 0, 0, 0, 0}).is_good()) << "nobody else is concerned";
    EXPECT_TRUE(initiator.run({0, 0, 0, 0, 0, 0}).is_good());
  }
};

TEST_P(QueueErrors, ACommandThatIsRefused) {
  expect_after(block_cdb(Opcode::read_10, 4096, 1), AdditionalSense::lba_out_of_range);
}

TEST_P(QueueErrors, ABitThatIsNotRead) {
  expect_after({0, 1, 0, 0, 0, 0}, AdditionalSense::invalid_field_in_cdb);
}

TEST_P(QueueErrors, AUnitAttention) {
  const auto attention = AdditionalSense::capacity_data_has_changed;
  expect_after({0, 0, 0, 0, 0, 0}, attention, attention);
}

TEST_P(QueueErrors, TheMediumFails) {
  bench.device().hold = true;
  const auto bad = initiator.start(block_cdb(Opcode::read_10, 0, 1));
  const auto fine = initiator.start(block_cdb(Opcode::write_10, 8, 1), filled(512, 7));
  bench.world().run_until([&] { return bench.device().held.size() == 2; });
  bench.device().answers[block::Op::read] = block::Status::read_error;
  bench.device().release_one(0);
  EXPECT_TRUE(initiator.finish(*bad).is(spec::SenseKey::medium_error,
                                        AdditionalSense::unrecovered_read_error));
  bench.world().run_until([&] { return fine->outcome.has_value(); });
  if (GetParam() == Qerr::none) {
    bench.device().release();
    EXPECT_TRUE(initiator.finish(*fine).is_good());
  } else {
    ASSERT_TRUE(fine->outcome);
    EXPECT_TRUE(fine->outcome->aborted);
    EXPECT_EQ(bench.device().medium[8 * 512], std::byte{0}) << "it never reached the medium";
  }
}

INSTANTIATE_TEST_SUITE_P(Qerr, QueueErrors,
                         ::testing::Values(Qerr::none, Qerr::task_set, Qerr::nexus));

}  // namespace
}  // namespace lunar::scsi

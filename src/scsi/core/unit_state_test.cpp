#include "scsi/state/unit_state.h"

#include <gtest/gtest.h>

#include "scsi/testing/bench.h"

namespace lunar::scsi {
namespace {

using namespace testing;
using spec::AdditionalSense;
using spec::Opcode;

struct Protect final : UnitChange {
  explicit Protect(bool protection) : wanted(protection) {}
  engine::Task<bool> decide(UnitState& next) override {
    if (next.write_protected == wanted) co_return false;
    next.write_protected = wanted;
    co_return true;
  }
  void apply(LogicalUnitShard& part) override {
    part.raise(AdditionalSense::mode_parameters_changed);
  }
  const bool wanted;
};

engine::Task<void> change(LogicalUnit& unit, UnitChange& what, bool& changed) {
  changed = co_await unit.change(what);
}

bool change_on(Bench& bench, std::size_t shard, UnitChange& what) {
  bool changed = false;
  bench.world().run([&] { return change(bench.unit(), what, changed); }, shard);
  return changed;
}

TEST(UnitState, AChangeIsInForceOnEveryShardWhenItCompletes) {
  Bench bench(2048, {}, 2);
  Initiator far(bench, 1, "iqn.2026-11.test:two");
  bench.initiator().clear_attention();
  far.clear_attention();
  Protect protect(true);
  ASSERT_TRUE(change_on(bench, 1, protect));
  for (Initiator* initiator : {&bench.initiator(), &far}) {
    EXPECT_TRUE(initiator->run(block_cdb(Opcode::read_10, 0, 1))
                    .is_attention(AdditionalSense::mode_parameters_changed));
    EXPECT_TRUE(initiator->run(block_cdb(Opcode::write_10, 0, 1), filled(512, 1))
                    .is(spec::SenseKey::data_protect, AdditionalSense::write_protected));
    EXPECT_TRUE(initiator->run(block_cdb(Opcode::read_10, 0, 1)).is_good());
  }
}

TEST(UnitState, ARefusedChangeChangesNothing) {
  Bench bench(2048, {}, 2);
  bench.initiator().clear_attention();
  Protect protect(false);
  EXPECT_FALSE(change_on(bench, 1, protect));
  EXPECT_TRUE(bench.initiator().run(block_cdb(Opcode::write_10, 0, 1), filled(512, 1)).is_good());
}

TEST(UnitState, ANexusThatComesLaterHasTheState) {
  Bench bench(2048, {}, 2);
  Protect protect(true);
  ASSERT_TRUE(change_on(bench, 0, protect));
  Initiator late(bench, 1, "iqn.2026-11.test:late");
  late.clear_attention();
  EXPECT_TRUE(late.run(block_cdb(Opcode::write_10, 0, 1), filled(512, 1))
                  .is(spec::SenseKey::data_protect, AdditionalSense::write_protected));
}

// Two changes at once, from two shards: one after the other.
struct Slow final : UnitChange {
  explicit Slow(engine::Event& event) : go(event) {}
  engine::Task<bool> decide(UnitState& next) override {
    co_await go;
    ++next.capacity_blocks;
    co_return true;
  }
  engine::Event& go;
};
struct Next final : UnitChange {
  engine::Task<bool> decide(UnitState& next) override {
    seen = next.capacity_blocks;
    co_return true;
  }
  std::uint64_t seen = 0;
};

TEST(UnitState, ChangesHappenOneAtATime) {
  Bench bench(2048, {}, 2);
  engine::Event go;
  Slow slow(go);
  Next next;
  bool slow_done = false;
  bool next_done = false;
  engine::Shard::bind(&bench.world().shard(0));
  change(bench.unit(), slow, slow_done).detach();
  bench.world().run_until([&] { return false; });
  engine::Shard::bind(&bench.world().shard(1));
  change(bench.unit(), next, next_done).detach();
  bench.world().run_until([&] { return next_done; });
  EXPECT_FALSE(next_done);
  engine::Shard::bind(&bench.world().shard(0));
  go.set();
  bench.world().run_until([&] { return next_done; });
  EXPECT_TRUE(slow_done);
  EXPECT_TRUE(next_done);
  EXPECT_EQ(next.seen, 2049U);
}

}  // namespace
}  // namespace lunar::scsi

#include "scsi/core/shared_task_set.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>

#include "scsi/core/task_set.h"
#include "scsi/testing/bench.h"

namespace lunar::scsi {
namespace {

using namespace testing;
using spec::AdditionalSense;
using spec::Opcode;

using Commands = std::vector<std::unique_ptr<TestCommand>>;

// TST, QERR and TAS of the control mode page, for the tests of those that are set.
constexpr std::uint8_t kPerNexus = 0x20;
constexpr std::uint8_t kQerrTaskSet = 0x02;
constexpr std::uint8_t kQerrNexus = 0x06;
constexpr std::uint8_t kTas = 0x40;

// As a HEAD OF QUEUE command, which waits for none.
Outcome set_control(Initiator& initiator, std::uint8_t tst, std::uint8_t qerr = 0,
                    std::uint8_t tas = 0) {
  const std::array<std::uint8_t, 16> list{0,
                                          0,
                                          0,
                                          0,
                                          0x0a,
                                          0x0a,
                                          static_cast<std::uint8_t>(tst | 2),
                                          static_cast<std::uint8_t>(0x10 | qerr),
                                          0,
                                          tas,
                                          0,
                                          0,
                                          0,
                                          0,
                                          0,
                                          1};
  const Bytes bytes = std::as_bytes(std::span(list));
  const auto command = initiator.start({0x15, 0x10, 0, 0, 16, 0}, {bytes.begin(), bytes.end()}, 0,
                                       TaskAttribute::head_of_queue);
  return initiator.finish(*command);
}

const std::vector<std::uint8_t> kRead = block_cdb(Opcode::read_10, 0, 1);
const std::vector<std::uint8_t> kWrite = block_cdb(Opcode::write_10, 8, 1);

// Initiators on three shards, of which the first is the home, and one beside the first.
struct SharedTasks : ::testing::Test {
  Bench bench{2048, {}, 3};
  Initiator& home = bench.initiator();
  Initiator near{bench, 0, "iqn.2026-11.test:two"};
  Initiator far{bench, 1, "iqn.2026-11.test:three"};
  Initiator farther{bench, 2, "iqn.2026-11.test:four"};
  std::array<Initiator*, 4> all{&home, &near, &far, &farther};

  SharedTasks() {
    for (Initiator* initiator : all) initiator->clear_attention();
    share();
  }
  void share(std::uint8_t qerr = 0, std::uint8_t tas = 0) {
    EXPECT_TRUE(set_control(home, 0, qerr, tas).is_good());
    for (Initiator* initiator : all) (void)initiator->requested_sense();
  }
  // Until all messages have come.
  void settle() { bench.world().run_for(engine::kMillisecond); }
  // A write whose data are still to come.
  std::unique_ptr<TestCommand> gather(Initiator& initiator,
                                      TaskAttribute attribute = TaskAttribute::simple) {
    auto command = initiator.prepare(kWrite, filled(512, 1), 0, attribute);
    settle();
    return command;
  }
  std::unique_ptr<TestCommand> start(Initiator& initiator,
                                     TaskAttribute attribute = TaskAttribute::simple) {
    auto command = initiator.start(kRead, {}, 0, attribute);
    settle();
    return command;
  }
  void abort(Initiator& initiator, TestCommand& command) {
    engine::Shard::bind(command.shard);
    initiator.server().abort(command);
    settle();
  }
  void expect_good(Initiator& initiator, TestCommand& command) {
    settle();
    ASSERT_TRUE(command.outcome);
    EXPECT_TRUE(initiator.finish(command).is_good());
  }
};

TEST_F(SharedTasks, AnOrderedCommandHoldsTheYoungerOfEveryNexus) {
  for (Initiator* whose : all) {
    const auto ordered = gather(*whose, TaskAttribute::ordered);
    Commands younger;
    for (Initiator* initiator : all) younger.push_back(start(*initiator));
    for (const auto& command : younger) EXPECT_FALSE(command->outcome);
    whose->execute(*ordered);
    expect_good(*whose, *ordered);
    for (std::size_t i = 0; i < all.size(); ++i) expect_good(*all[i], *younger[i]);
  }
}

TEST_F(SharedTasks, AnOrderedCommandWaitsForTheOlderOfEveryNexus) {
  for (Initiator* whose : all) {
    Commands older;
    for (Initiator* initiator : all) older.push_back(gather(*initiator));
    const auto ordered = start(*whose, TaskAttribute::ordered);
    for (std::size_t i = 0; i < all.size(); ++i) {
      EXPECT_FALSE(ordered->outcome);
      all[i]->execute(*older[i]);
      expect_good(*all[i], *older[i]);
    }
    expect_good(*whose, *ordered);
  }
}

TEST_F(SharedTasks, OrderedCommandsHaveOneOrder) {
  const auto first = gather(far, TaskAttribute::ordered);
  const auto second = start(farther, TaskAttribute::ordered);
  const auto third = gather(home, TaskAttribute::ordered);
  const auto last = start(near);
  home.execute(*third);
  settle();
  for (const auto* waiting : {&second, &third, &last}) EXPECT_FALSE((*waiting)->outcome);
  far.execute(*first);
  expect_good(far, *first);
  expect_good(farther, *second);
  expect_good(home, *third);
  expect_good(near, *last);
}

// The order holds when what is in its midst leaves before its time.
TEST_F(SharedTasks, AnAbortedOrderedCommandHoldsNobody) {
  const auto older = gather(far);
  const auto first = start(home, TaskAttribute::ordered);
  const auto second = start(far, TaskAttribute::ordered);
  const auto simple = start(farther);
  abort(home, *first);
  EXPECT_TRUE(home.finish(*first).aborted);
  settle();
  EXPECT_FALSE(second->outcome) << "an older one is left";
  EXPECT_FALSE(simple->outcome) << "one more is ordered";
  abort(far, *second);
  EXPECT_TRUE(far.finish(*second).aborted);
  expect_good(farther, *simple);
  far.execute(*older);
  expect_good(far, *older);
}

TEST_F(SharedTasks, AHeadOfQueueCommandGoesFirst) {
  for (Initiator* whose : all) {
    const auto ordered = gather(home, TaskAttribute::ordered);
    const auto head = gather(*whose, TaskAttribute::head_of_queue);
    const auto simple = start(near);
    const auto other_head = start(farther, TaskAttribute::head_of_queue);
    expect_good(farther, *other_head);
    home.execute(*ordered);
    settle();
    EXPECT_FALSE(ordered->outcome || simple->outcome) << "they wait for every HEAD OF QUEUE";
    whose->execute(*head);
    expect_good(*whose, *head);
    expect_good(home, *ordered);
    expect_good(near, *simple);
  }
}

TEST_F(SharedTasks, WhatPassesOthersPasses) {
  const auto ordered = gather(home, TaskAttribute::ordered);
  EXPECT_TRUE(far.run({0x12, 0, 0, 0, 36, 0}).is_good());
  abort(home, *ordered);
}

TEST_F(SharedTasks, ANexusThatComesLaterIsHeldToo) {
  const auto ordered = gather(far, TaskAttribute::ordered);
  {
    Initiator late(bench, 2, "iqn.2026-11.test:five");
    late.clear_attention();
    const auto read = start(late);
    EXPECT_FALSE(read->outcome);
    abort(late, *read);
    EXPECT_TRUE(late.finish(*read).aborted);
  }
  Initiator later(bench, 2, "iqn.2026-11.test:six");
  later.clear_attention();
  const auto read = start(later);
  far.execute(*ordered);
  expect_good(far, *ordered);
  expect_good(later, *read);
}

TEST_F(SharedTasks, CommandsKeepTheRuleUnderWhichTheyCame) {
  const auto shared = gather(far, TaskAttribute::ordered);
  const auto held = start(near);
  ASSERT_TRUE(set_control(home, kPerNexus).is_good());
  for (Initiator* initiator : all) (void)initiator->requested_sense();
  EXPECT_FALSE(held->outcome);
  far.execute(*shared);
  expect_good(far, *shared);
  expect_good(near, *held);

  const auto own = gather(far, TaskAttribute::ordered);
  const auto after_own = start(far);
  share();
  const auto free = start(near);
  expect_good(near, *free);
  EXPECT_FALSE(after_own->outcome);
  const auto ordered = start(home, TaskAttribute::ordered);
  EXPECT_FALSE(ordered->outcome) << "what came before is older";
  far.execute(*own);
  expect_good(far, *own);
  expect_good(far, *after_own);
  expect_good(home, *ordered);
}

// ---- What ends the commands of all

engine::Task<void> clear(Initiator& initiator, bool& done) {
  auto clearing = initiator.server().clear_task_set(initiator.nexus(), lun_field(0));
  const TaskManagementOutcome outcome = co_await clearing;
  EXPECT_EQ(outcome, TaskManagementOutcome::function_complete);
  done = true;
}

struct ClearTaskSet : SharedTasks {
  void run(Initiator& initiator) {
    bool done = false;
    engine::Shard::bind(&initiator.server().shard());
    clear(initiator, done).detach();
    ASSERT_TRUE(bench.world().run_until([&] { return done; }));
  }
};

TEST_F(ClearTaskSet, EndsTheCommandsOfAllAndTellsThem) {
  const auto mine = gather(far);
  const auto theirs = gather(home, TaskAttribute::ordered);
  const auto waiting = start(farther);
  run(far);
  for (const auto* command : {&mine, &theirs, &waiting}) {
    ASSERT_TRUE((*command)->outcome);
    EXPECT_TRUE((*command)->outcome->aborted);
    EXPECT_FALSE((*command)->tell_aborted);
  }
  const std::vector<std::uint8_t> ready{0, 0, 0, 0, 0, 0};
  const auto cleared = AdditionalSense::commands_cleared_by_another_initiator;
  EXPECT_TRUE(home.run(ready).is_attention(cleared));
  EXPECT_TRUE(farther.run(ready).is_attention(cleared));
  EXPECT_TRUE(far.run(ready).is_good());
  EXPECT_TRUE(near.run(ready).is_good()) << "it had none";
}

TEST_F(ClearTaskSet, TellsOfEachWhereTasIsOne) {
  share(0, kTas);
  const auto mine = gather(far);
  const auto theirs = gather(home);
  run(far);
  EXPECT_FALSE(mine->tell_aborted);
  EXPECT_TRUE(theirs->outcome && theirs->tell_aborted);
  EXPECT_TRUE(home.run({0, 0, 0, 0, 0, 0}).is_good());
}

TEST_F(ClearTaskSet, EndsThoseOfItsNexusWhereEachHasATaskSet) {
  ASSERT_TRUE(set_control(home, kPerNexus).is_good());
  for (Initiator* initiator : all) (void)initiator->requested_sense();
  const auto mine = gather(far);
  const auto theirs = gather(home);
  run(far);
  EXPECT_TRUE(mine->outcome && mine->outcome->aborted);
  EXPECT_FALSE(theirs->outcome);
  home.execute(*theirs);
  expect_good(home, *theirs);
}

TEST_F(SharedTasks, AnErrorEndsTheCommandsOfAllWhereQerrSaysSo) {
  share(kQerrTaskSet);
  Commands commands;
  for (Initiator* initiator : all) commands.push_back(gather(*initiator));
  EXPECT_TRUE(
      far.run(block_cdb(Opcode::read_10, 4096, 1)).is_illegal(AdditionalSense::lba_out_of_range));
  settle();
  for (std::size_t i = 0; i < all.size(); ++i) {
    ASSERT_TRUE(commands[i]->outcome);
    EXPECT_TRUE(commands[i]->outcome->aborted);
    const Outcome next = all[i]->run({0, 0, 0, 0, 0, 0});
    const bool told = next.is_attention(AdditionalSense::commands_cleared_by_another_initiator);
    EXPECT_EQ(told, all[i] != &far);
  }
}

TEST_F(SharedTasks, AnErrorEndsTheCommandsOfItsNexusWhereQerrSaysSo) {
  share(kQerrNexus);
  const auto mine = gather(far);
  const auto theirs = gather(home);
  (void)far.run(block_cdb(Opcode::read_10, 4096, 1));
  settle();
  EXPECT_TRUE(mine->outcome && mine->outcome->aborted);
  EXPECT_FALSE(theirs->outcome);
  abort(home, *theirs);
}

// ---- Whatever comes, in whatever order the medium answers

struct Step {
  unsigned what = 0;
  unsigned which = 0;
};

class History {
 public:
  explicit History(Bench& bench) : bench_(bench), device_(bench.device()) {
    for (std::size_t i = 0; i < 5; ++i) {
      initiators_.push_back(
          std::make_unique<Initiator>(bench, i % 3, "iqn.2026-11.test:" + std::to_string(i)));
      initiators_.back()->clear_attention();
    }
    RC_ASSERT(set_control(*initiators_[0], 0).is_good());
    for (const auto& initiator : initiators_) (void)initiator->requested_sense();
    device_.hold = true;
  }
  ~History() {  // also of one that has failed
    for (unsigned i = 0; i < commands_.size(); ++i) abort(i);
    bench_.world().run_for(engine::kMillisecond);
  }

  void take(const Step& step) {
    switch (step.what % 8) {
      case 0:
      case 1: begin(step.which, TaskAttribute::simple); break;
      case 2: begin(step.which, TaskAttribute::ordered); break;
      case 3: begin(step.which, TaskAttribute::head_of_queue); break;
      case 4:
      case 5: answer(step.which); break;
      case 6: abort(step.which); break;
      default: break;
    }
    // Now and then another comes before the messages of this one have.
    for (unsigned i = step.which % 8; i != 0; --i) bench_.world().step();
    check();
  }
  void finish() {
    const auto all_ended = [this] {
      return std::ranges::all_of(commands_,
                                 [](const auto& each) { return each->outcome.has_value(); });
    };
    for (int i = 0; i < 1000 && !all_ended(); ++i) {
      answer(0);
      bench_.world().run_for(engine::kMicrosecond);
      check();
    }
    RC_ASSERT(all_ended());
  }

 private:
  void begin(unsigned which, TaskAttribute attribute) {
    Initiator& initiator = *initiators_[which % initiators_.size()];
    commands_.push_back(
        initiator.start(block_cdb(Opcode::read_10, commands_.size(), 1), {}, 0, attribute));
  }
  void answer(unsigned which) {
    if (device_.held.empty()) return;
    const std::size_t index = which % device_.held.size();
    engine::Shard::bind(commands_[device_.held[index]->lba.value]->shard);
    device_.release_one(index);
  }
  void abort(unsigned which) {
    if (commands_.empty()) return;
    TestCommand& command = *commands_[which % commands_.size()];
    if (command.outcome) return;
    engine::Shard::bind(command.shard);
    abort_command(command);
  }
  // SAM-5 §8.6.3: beside an ORDERED command only those run that are HEAD OF QUEUE.
  void check() {
    std::size_t ordered = 0;
    std::size_t simple = 0;
    for (const block::Request* request : device_.held) {
      const TaskAttribute attribute = commands_[request->lba.value]->attribute;
      ordered += attribute == TaskAttribute::ordered ? 1 : 0;
      simple += attribute == TaskAttribute::simple ? 1 : 0;
    }
    RC_ASSERT(ordered == 0 || (ordered == 1 && simple == 0));
  }

  Bench& bench_;
  FakeDevice& device_;
  std::vector<std::unique_ptr<Initiator>> initiators_;
  Commands commands_;
};

TEST(SharedTaskSetProperty, AnOrderedCommandRunsAlone) {
  const bool holds = rc::check([] {
    const auto steps = *rc::gen::container<std::vector<std::pair<unsigned, unsigned>>>(
        rc::gen::pair(rc::gen::inRange(0U, 8U), rc::gen::inRange(0U, 1000U)));
    Bench bench(4096, {}, 3);
    History history(bench);
    for (const auto& [what, which] : steps) history.take({what, which});
    history.finish();
  });
  EXPECT_TRUE(holds);
}

}  // namespace
}  // namespace lunar::scsi

// Initiators on several shards use the same few blocks at once, and the medium answers in any
// order. Some order of the commands, one after the other, must explain every outcome and the final
// contents of the medium. (The history is linearizable.)
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>

#include "scsi/testing/bench.h"

namespace lunar::scsi {
namespace {

using namespace testing;

constexpr std::size_t kShards = 3;
constexpr std::size_t kBlocks = 4;
constexpr std::size_t kCommands = 7;

using Blocks = std::array<std::uint8_t, kBlocks>;  // the value that fills each

struct Operation {
  enum class Kind : std::uint8_t { write, compare_and_write, orwrite };
  Kind kind = Kind::write;
  std::size_t initiator = 0;
  std::size_t lba = 0;
  std::size_t count = 1;
  std::uint8_t expected = 0;
  std::uint8_t value = 0;
};

// A command of the history: when it began and ended, and its result.
struct Event {
  Operation operation;
  std::size_t began = 0;
  std::size_t ended = 0;
  Outcome outcome;
};

// ---- The model: one command after the other, as in the standard.

// Applies `event` if it can be the next one. False: it cannot.
bool take_effect(const Event& event, Blocks& blocks) {
  const Operation& operation = event.operation;
  const auto range = std::span(blocks).subspan(operation.lba, operation.count);
  if (operation.kind == Operation::Kind::compare_and_write) {
    const auto differs = std::ranges::find_if(
        range, [&](std::uint8_t value) { return value != operation.expected; });
    if (differs != range.end()) {
      const auto offset = static_cast<std::uint64_t>(differs - range.begin()) * 512;
      return event.outcome.sense.key == spec::SenseKey::miscompare &&
             event.outcome.sense.information == offset;
    }
  }
  if (!event.outcome.is_good()) return false;
  for (std::uint8_t& value : range) {
    const bool sets = operation.kind == Operation::Kind::orwrite;
    value = sets ? static_cast<std::uint8_t>(value | operation.value) : operation.value;
  }
  return true;
}

bool is_explained(std::vector<Event> left, const Blocks& blocks, const Blocks& final_blocks) {
  if (left.empty()) return blocks == final_blocks;
  // No remaining event may have ended before the next one began.
  const std::size_t first_end = std::ranges::min(left, {}, &Event::ended).ended;
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (left[i].began > first_end) continue;
    Blocks after = blocks;
    if (!take_effect(left[i], after)) continue;
    std::vector<Event> rest = left;
    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(i));
    if (is_explained(std::move(rest), after, final_blocks)) return true;
  }
  return false;
}

// ---- The run

std::vector<std::uint8_t> cdb_of(const Operation& operation) {
  switch (operation.kind) {
    case Operation::Kind::write:
      return block_cdb(spec::Opcode::write_10, operation.lba, operation.count);
    case Operation::Kind::orwrite:
      return block_cdb(spec::Opcode::orwrite_16, operation.lba, operation.count);
    case Operation::Kind::compare_and_write: {
      std::vector<std::uint8_t> cdb(16);
      cdb[0] = 0x89;
      cdb[9] = static_cast<std::uint8_t>(operation.lba);
      cdb[13] = static_cast<std::uint8_t>(operation.count);
      return cdb;
    }
  }
  return {};
}

std::vector<std::byte> data_of(const Operation& operation) {
  std::vector<std::byte> data;
  if (operation.kind == Operation::Kind::compare_and_write)
    data = filled(operation.count * 512, operation.expected);
  data.resize(data.size() + operation.count * 512, std::byte{operation.value});
  return data;
}

class Workload {
 public:
  explicit Workload(std::uint32_t seed) : prng_(seed) {
    for (std::size_t i = 0; i < kShards; ++i) {
      initiators_.push_back(
          std::make_unique<Initiator>(bench_, i, "iqn.2026-11.test:" + std::to_string(i)));
      initiators_.back()->clear_attention();
    }
    bench_.device().hold = true;
  }
  ~Workload() {
    bench_.device().release();
    initiators_.clear();
  }

  std::vector<Event> perform(const std::vector<Operation>& operations) {
    std::vector<Event> events;
    std::vector<std::unique_ptr<TestCommand>> commands;
    for (std::size_t now = 1; !is_over(events, operations.size()); ++now) {
      const bool may_begin = events.size() < operations.size();
      if (may_begin && prng_.below(3) == 0) {
        const Operation& operation = operations[events.size()];
        commands.push_back(
            initiators_[operation.initiator]->start(cdb_of(operation), data_of(operation)));
        events.push_back({operation, now, 0, {}});
      } else if (!bench_.device().held.empty() && prng_.below(2) == 0) {
        bench_.device().release_one(prng_.below(bench_.device().held.size()));
      } else {
        (void)bench_.world().step();
      }
      for (std::size_t i = 0; i < events.size(); ++i) {
        if (events[i].ended != 0 || !commands[i]->outcome) continue;
        events[i].ended = now;
        events[i].outcome = *commands[i]->outcome;
      }
      RC_ASSERT(now < 100'000U);  // somebody waits for ever
    }
    return events;
  }
  [[nodiscard]] Blocks blocks() {
    Blocks blocks{};
    for (std::size_t i = 0; i < kBlocks; ++i) {
      const auto block = Bytes(bench_.device().medium).subspan(i * 512, 512);
      blocks[i] = std::to_integer<std::uint8_t>(block.front());
      RC_ASSERT(std::ranges::count(block, block.front()) == 512);
    }
    return blocks;
  }

 private:
  static bool is_over(const std::vector<Event>& events, std::size_t count) {
    return events.size() == count &&
           std::ranges::all_of(events, [](const Event& event) { return event.ended != 0; });
  }

  engine::Prng prng_;
  Bench bench_{64, {}, kShards};
  std::vector<std::unique_ptr<Initiator>> initiators_;
};

rc::Gen<Operation> any_operation() {
  using Kind = Operation::Kind;
  return rc::gen::map(
      rc::gen::tuple(rc::gen::element(Kind::write, Kind::compare_and_write, Kind::compare_and_write,
                                      Kind::compare_and_write, Kind::orwrite),
                     rc::gen::inRange<std::size_t>(0, kShards),
                     rc::gen::inRange<std::size_t>(0, kBlocks),
                     rc::gen::inRange<std::size_t>(0, kBlocks), rc::gen::inRange(0, 4),
                     rc::gen::inRange(0, 4)),
      [](const auto& parts) {
        const auto& [kind, initiator, lba, count, expected, value] = parts;
        Operation operation;
        operation.kind = kind;
        operation.initiator = initiator;
        operation.lba = lba;
        operation.count = 1 + count % (kBlocks - lba);
        operation.expected = static_cast<std::uint8_t>(expected);
        operation.value = static_cast<std::uint8_t>(value);
        return operation;
      });
}

TEST(ExclusiveWritesProperty, SomeOrderExplainsEverything) {
  const bool holds = rc::check([] {
    const auto operations = *rc::gen::container<std::vector<Operation>>(kCommands, any_operation());
    Workload run(*rc::gen::arbitrary<std::uint32_t>());
    std::vector<Event> events = run.perform(operations);
    RC_ASSERT(is_explained(std::move(events), Blocks{}, run.blocks()));
  });
  EXPECT_TRUE(holds);
}

}  // namespace
}  // namespace lunar::scsi

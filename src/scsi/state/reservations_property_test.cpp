// Random PERSISTENT RESERVE OUT, RESERVE and RELEASE from four I_T nexuses on two shards, against a
// model that was written from the standard's text and shares nothing with reservations.cpp.
//
// RC_PARAMS="seed=… max_success=…" in the environment tries others.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <ostream>

#include "scsi/testing/persistent_reserve.h"

namespace lunar::scsi {
namespace {

using namespace testing;
using spec::AdditionalSense;
using spec::Opcode;
using spec::Status;
using state::testing::MemoryStore;
namespace action = spec::service_action;

constexpr std::size_t kNexuses = 4;

enum class What : std::uint8_t {
  register_key,
  register_and_ignore,
  reserve,
  release,
  clear,
  preempt,
  preempt_and_abort,
  move,
  simple_reserve,  // RESERVE (6)
  simple_release,
};

struct Step {
  What what{};
  std::size_t nexus = 0;
  bool right_key = true;  // RESERVATION KEY is the registered one
  std::uint64_t key = 0;  // else this
  std::uint64_t new_key = 0;
  int type = 1;
  std::size_t to = 0;  // of move
  bool unregister = false;
};

std::ostream& operator<<(std::ostream& out, const Step& step) {
  return out << "{what " << static_cast<int>(step.what) << ", nexus " << step.nexus << ", "
             << (step.right_key ? "right key" : "key ") << step.key << ", new key " << step.new_key
             << ", type " << step.type << ", to " << step.to << (step.unregister ? " unreg" : "")
             << "}";
}

enum class Answer : std::uint8_t { good, conflict, refused };

// ---- The model

class Model {
 public:
  static constexpr int kNobody = -1;

  Answer run(const Step& step) {
    if (step.what == What::simple_reserve) return simple(step, true);
    if (step.what == What::simple_release) return simple(step, false);
    if (reserved_by != kNobody) return Answer::conflict;
    const bool registered = keys.contains(step.nexus);
    const std::uint64_t key = key_of(step);
    if (step.what == What::register_key || step.what == What::register_and_ignore) {
      const std::uint64_t wanted = registered ? keys[step.nexus] : 0;
      if (step.what == What::register_key && key != wanted) return Answer::conflict;
      return set_key(step.nexus, step.new_key);
    }
    if (!registered || keys[step.nexus] != key) return Answer::conflict;
    switch (step.what) {
      case What::reserve: return reserve(step);
      case What::release: return release(step);
      case What::clear: return clear(step);
      case What::preempt:
      case What::preempt_and_abort: return preempt(step);
      case What::move: return move(step);
      case What::register_key:
      case What::register_and_ignore:
      case What::simple_reserve:
      case What::simple_release: break;
    }
    return Answer::refused;
  }

  [[nodiscard]] std::uint64_t key_of(const Step& step) const {
    if (!step.right_key) return step.key;
    const auto known = keys.find(step.nexus);
    return known == keys.end() ? 0 : known->second;
  }
  [[nodiscard]] bool may(std::size_t nexus, bool writes) const {
    if (reserved_by != kNobody) return reserved_by == static_cast<int>(nexus);
    if (type == 0 || holds(nexus)) return true;
    const bool shared_with_registrants = type >= 5;
    if (shared_with_registrants && keys.contains(nexus)) return true;
    const bool reads_are_free = type == 1 || type == 5 || type == 7;
    return !writes && reads_are_free;
  }
  [[nodiscard]] bool holds(std::size_t nexus) const {
    if (type == 7 || type == 8) return keys.contains(nexus);
    return type != 0 && holder == nexus;
  }

  std::map<std::size_t, std::uint64_t> keys;
  int type = 0;  // 0: no reservation
  std::size_t holder = 0;
  std::uint32_t generation = 0;
  int reserved_by = kNobody;
  std::array<std::vector<AdditionalSense>, kNexuses> attentions;

 private:
  Answer simple(const Step& step, bool reserves) {
    const int me = static_cast<int>(step.nexus);
    if (!keys.empty()) {
      const bool exempt = holds(step.nexus) || (type >= 5 && keys.contains(step.nexus));
      return exempt ? Answer::good : Answer::conflict;
    }
    if (reserves) {
      if (reserved_by != kNobody && reserved_by != me) return Answer::conflict;
      reserved_by = me;
    } else if (reserved_by == me) {
      reserved_by = kNobody;
    }
    return Answer::good;
  }

  void tell(std::size_t from, std::size_t to, AdditionalSense what) {
    if (from == to) return;
    auto& queue = attentions[to];
    if (std::ranges::count(queue, what) == 0) queue.push_back(what);
  }
  void tell_registered(std::size_t from, AdditionalSense what) {
    for (const auto& [nexus, key] : keys) tell(from, nexus, what);
  }

  Answer set_key(std::size_t nexus, std::uint64_t new_key) {
    if (new_key != 0) {
      keys[nexus] = new_key;
      ++generation;
      return Answer::good;
    }
    if (!keys.contains(nexus)) return Answer::good;
    ++generation;
    const bool held = type != 0 && type < 7 && holder == nexus;
    keys.erase(nexus);
    if (held) {
      if (type == 5 || type == 6) tell_registered(nexus, AdditionalSense::reservations_released);
      type = 0;
    }
    if (keys.empty()) type = 0;
    return Answer::good;
  }

  Answer reserve(const Step& step) {
    if (type != 0) return holds(step.nexus) && type == step.type ? Answer::good : Answer::conflict;
    type = step.type;
    holder = step.nexus;
    return Answer::good;
  }

  Answer release(const Step& step) {
    if (!holds(step.nexus)) return Answer::good;
    if (type != step.type) return Answer::refused;
    if (type >= 5) tell_registered(step.nexus, AdditionalSense::reservations_released);
    type = 0;
    return Answer::good;
  }

  Answer clear(const Step& step) {
    tell_registered(step.nexus, AdditionalSense::reservations_preempted);
    keys.clear();
    type = 0;
    ++generation;
    return Answer::good;
  }

  Answer preempt(const Step& step) {
    const std::uint64_t victim = step.new_key;
    const bool all = type == 7 || type == 8;
    if (victim == 0 && !all) return Answer::refused;
    const bool whole = all ? victim == 0 : type != 0 && keys[holder] == victim;
    std::vector<std::size_t> removed;
    for (const auto& [nexus, key] : keys) {
      const bool meant =
          whole ? nexus != step.nexus && (victim == 0 || key == victim) : key == victim;
      if (meant) removed.push_back(nexus);
    }
    if (!whole && removed.empty()) return Answer::conflict;
    for (const std::size_t nexus : removed) {
      keys.erase(nexus);
      tell(step.nexus, nexus, AdditionalSense::registrations_preempted);
    }
    if (whole) {
      if (type != step.type) tell_registered(step.nexus, AdditionalSense::reservations_released);
      type = step.type;
      holder = step.nexus;
    }
    if (keys.empty()) type = 0;
    ++generation;
    return Answer::good;
  }

  Answer move(const Step& step) {
    if (type == 0 || type >= 7 || holder != step.nexus) return Answer::conflict;
    if (step.new_key == 0 || step.to == step.nexus) return Answer::refused;
    if (step.unregister) keys.erase(step.nexus);
    keys[step.to] = step.new_key;
    holder = step.to;
    ++generation;
    return Answer::good;
  }
};

// ---- What is tested

class Subject {
 public:
  Subject() {
    for (std::size_t i = 1; i < kNexuses; ++i) {
      // Two initiators of two ports each, over both shards.
      others_.push_back(std::make_unique<Initiator>(
          bench_, i % 2, i < 2 ? "iqn.2026-11.test:one" : "iqn.2026-11.test:two",
          i % 2 == 0 ? "000000000001" : "000000000002"));
    }
    for (std::size_t i = 0; i < kNexuses; ++i) nexus(i).clear_attention();
  }

  Initiator& nexus(std::size_t i) { return i == 0 ? bench_.initiator() : *others_[i - 1]; }

  Outcome run(const Step& step, std::uint64_t key) {
    Initiator& initiator = nexus(step.nexus);
    const PrOut parameters{
        .key = key, .new_key = step.new_key, .type = static_cast<std::uint8_t>(step.type)};
    switch (step.what) {
      case What::register_key: return pr_out(initiator, action::register_key, parameters);
      case What::register_and_ignore:
        return pr_out(initiator, action::register_and_ignore_existing_key, parameters);
      case What::reserve: return pr_out(initiator, action::reserve, parameters);
      case What::release: return pr_out(initiator, action::release, parameters);
      case What::clear: return pr_out(initiator, action::clear, parameters);
      case What::preempt: return pr_out(initiator, action::preempt, parameters);
      case What::preempt_and_abort: return pr_out(initiator, action::preempt_and_abort, parameters);
      case What::move:
        return testing::move(initiator, key, step.new_key,
                             nexus(step.to).nexus().initiator_port_name(), 1, step.unregister);
      case What::simple_reserve: return initiator.run({0x16, 0, 0, 0, 0, 0});
      case What::simple_release: return initiator.run({0x17, 0, 0, 0, 0, 0});
    }
    return {};
  }

  // Takes what is pending; INQUIRY-like commands would leave it, so MODE SENSE asks.
  std::vector<AdditionalSense> attentions(std::size_t i) {
    std::vector<AdditionalSense> all;
    for (;;) {
      const Outcome outcome = nexus(i).run({0x00, 0, 0, 0, 0, 0});
      if (outcome.status != Status::check_condition) return all;
      all.push_back(outcome.sense.additional);
    }
  }
  bool may_read(std::size_t i) { return nexus(i).run(block_cdb(Opcode::read_10, 0, 1)).is_good(); }
  bool may_write(std::size_t i) {
    return nexus(i).run(block_cdb(Opcode::write_10, 0, 1), filled(512, 1)).is_good();
  }

 private:
  MemoryStore store_;
  Bench bench_{64, {.store = &store_}, 2};
  std::vector<std::unique_ptr<Initiator>> others_;
};

Answer answer_of(const Outcome& outcome) {
  if (outcome.status == Status::good) return Answer::good;
  return outcome.status == Status::reservation_conflict ? Answer::conflict : Answer::refused;
}

rc::Gen<Step> steps() {
  namespace gen = rc::gen;
  const auto what = gen::weightedElement<What>({{8, What::register_key},
                                                {3, What::register_and_ignore},
                                                {8, What::reserve},
                                                {4, What::release},
                                                {1, What::clear},
                                                {4, What::preempt},
                                                {4, What::preempt_and_abort},
                                                {3, What::move},
                                                {1, What::simple_reserve},
                                                {2, What::simple_release}});
  return gen::build<Step>(
      gen::set(&Step::what, what), gen::set(&Step::nexus, gen::inRange<std::size_t>(0, kNexuses)),
      gen::set(&Step::right_key, gen::weightedElement<bool>({{9, true}, {1, false}})),
      gen::set(&Step::key, gen::inRange<std::uint64_t>(0, 4)),
      gen::set(&Step::new_key, gen::inRange<std::uint64_t>(0, 4)),
      gen::set(&Step::type, gen::element(1, 3, 5, 6, 7, 8)),
      gen::set(&Step::to, gen::inRange<std::size_t>(0, kNexuses)),
      gen::set(&Step::unregister, gen::arbitrary<bool>()));
}

void check(Subject& subject, const Model& model) {
  for (std::size_t i = 0; i < kNexuses; ++i) {
    RC_ASSERT(subject.attentions(i) == model.attentions[i]);
    RC_ASSERT(subject.may_read(i) == model.may(i, false));
    RC_ASSERT(subject.may_write(i) == model.may(i, true));
  }
  if (model.reserved_by != Model::kNobody) return;
  std::vector<std::uint64_t> keys;
  for (const auto& [nexus, key] : model.keys) keys.push_back(key);
  auto told = read_keys(subject.nexus(1));
  std::ranges::sort(keys);
  std::ranges::sort(told);
  RC_ASSERT(told == keys);
  RC_ASSERT(generation_of(subject.nexus(1)) == model.generation);
  const auto reservation = reservation_of(subject.nexus(2));
  RC_ASSERT(reservation.has_value() == (model.type != 0));
  if (!reservation) return;
  RC_ASSERT(reservation->second == model.type);
  RC_ASSERT(reservation->first == (model.type >= 7 ? 0 : model.keys.at(model.holder)));
}

TEST(ReservationsProperty, TheModelAgrees) {
  setenv("RC_PARAMS", "seed=20261121", 0);  // the same every time, unless somebody asks
  EXPECT_TRUE(rc::check("reservations are those of the model", [] {
    Subject subject;
    Model model;
    for (const Step& step : *rc::gen::container<std::vector<Step>>(steps())) {
      const Outcome outcome = subject.run(step, model.key_of(step));
      RC_ASSERT(answer_of(outcome) == model.run(step));
      check(subject, model);
      for (auto& each : model.attentions) each.clear();
    }
  }));
}

}  // namespace
}  // namespace lunar::scsi

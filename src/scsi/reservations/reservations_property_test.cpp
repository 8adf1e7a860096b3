// Random PERSISTENT RESERVE OUT, RESERVE and RELEASE from four I_T nexuses on two shards, against
// the model of access.
//
// RC_PARAMS="seed=… max_success=…" in the environment tries others.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cstdlib>

#include "access/testing/reservation_model.h"
#include "scsi/testing/persistent_reserve.h"

namespace lunar::scsi {
namespace {

using namespace testing;
using access::Event;
using access::testing::Answer;
using access::testing::kRegistrants;
using access::testing::Model;
using access::testing::Step;
using access::testing::What;
using spec::AdditionalSense;
using spec::Opcode;
using spec::Status;
using state::testing::MemoryStore;
namespace action = spec::service_action;

Event event_of(AdditionalSense condition) {
  if (condition == AdditionalSense::registrations_preempted) return Event::registration_preempted;
  if (condition == AdditionalSense::reservations_released) return Event::reservation_released;
  RC_ASSERT(condition == AdditionalSense::reservations_preempted);
  return Event::reservation_preempted;
}

class Subject {
 public:
  Subject() {
    for (std::size_t i = 1; i < kRegistrants; ++i) {
      // Two initiators of two ports each, over both shards.
      others_.push_back(std::make_unique<Initiator>(
          bench_, i % 2, i < 2 ? "iqn.2026-11.test:one" : "iqn.2026-11.test:two",
          i % 2 == 0 ? "000000000001" : "000000000002"));
    }
    for (std::size_t i = 0; i < kRegistrants; ++i) nexus(i).clear_attention();
  }

  Initiator& nexus(std::size_t i) { return i == 0 ? bench_.initiator() : *others_[i - 1]; }

  Outcome run(const Step& step, std::uint64_t key) {
    Initiator& initiator = nexus(step.who);
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
      case What::begin_sole_use: return initiator.run({0x16, 0, 0, 0, 0, 0});
      case What::end_sole_use: return initiator.run({0x17, 0, 0, 0, 0, 0});
    }
    return {};
  }

  // Takes what is pending; INQUIRY-like commands would leave it, so TEST UNIT READY asks.
  std::vector<Event> notices(std::size_t i) {
    std::vector<Event> all;
    for (;;) {
      const Outcome outcome = nexus(i).run({0x00, 0, 0, 0, 0, 0});
      if (outcome.status != Status::check_condition) return all;
      all.push_back(event_of(outcome.sense.additional));
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

void check(Subject& subject, const Model& model) {
  for (std::size_t i = 0; i < kRegistrants; ++i) {
    RC_ASSERT(subject.notices(i) == model.notices[i]);
    RC_ASSERT(subject.may_read(i) == model.may(i, false));
    RC_ASSERT(subject.may_write(i) == model.may(i, true));
  }
  if (model.sole_user != Model::kNobody) return;
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
    for (const Step& step : *rc::gen::container<std::vector<Step>>(access::testing::steps())) {
      const Outcome outcome = subject.run(step, model.key_of(step));
      RC_ASSERT(answer_of(outcome) == model.run(step));
      check(subject, model);
      for (auto& each : model.notices) each.clear();
    }
  }));
}

}  // namespace
}  // namespace lunar::scsi

// Random requests of four registrants, two of them hosts without a port, against the model.
//
// RC_PARAMS="seed=… max_success=…" in the environment tries others.
#include <gtest/gtest.h>

#include <cstdlib>

#include "access/testing/reservation_model.h"

namespace lunar::access {
namespace {

using testing::Answer;
using testing::kRegistrants;
using testing::Model;
using testing::Step;
using testing::steps;
using testing::What;

class Subject {
 public:
  Answer run(const Step& step, std::uint64_t key) {
    outcome_ = {};
    const Registrant& who = registrant(step.who);
    const std::uint64_t session = step.who + 1;
    if (step.what == What::begin_sole_use || step.what == What::end_sole_use) {
      // As SPC-5 §5.14.3 wants it of RESERVE and RELEASE.
      bool good = true;
      if (!state.registrations.empty()) {
        good = state.has_reservation(who);
      } else if (step.what == What::begin_sole_use) {
        good = begin_sole_use(state, session);
      } else {
        end_sole_use(state, session);
      }
      return good ? Answer::good : Answer::conflict;
    }
    outcome_ = perform(state, {who, key, operation_of(step)});
    if (outcome_.is_ok()) return Answer::good;
    return outcome_.verdict == Verdict::conflict ? Answer::conflict : Answer::refused;
  }

  [[nodiscard]] const Registrant& registrant(std::size_t i) const { return registrants_.at(i); }
  [[nodiscard]] std::vector<Event> notices(std::size_t i) const {
    std::vector<Event> events;
    for (const Notice& notice : outcome_.notices) {
      if (notice.registrant == registrant(i)) events.push_back(notice.event);
    }
    return events;
  }
  [[nodiscard]] const std::vector<Registrant>& preempted() const { return outcome_.preempted; }

  Reservations state;

 private:
  using AnyOperation = decltype(Request::operation);
  [[nodiscard]] AnyOperation operation_of(const Step& step) const {
    const auto type = static_cast<ReservationType>(step.type);
    switch (step.what) {
      case What::register_key: return SetKey{.new_key = step.new_key, .persistent = true};
      case What::register_and_ignore:
        return SetKey{.premise = Premise::anything, .new_key = step.new_key, .persistent = true};
      case What::reserve: return Reserve{type};
      case What::release: return Release{type};
      case What::preempt:
      case What::preempt_and_abort: return Preempt{step.new_key, type};
      case What::move:
        return Move{
            .to = registrant(step.to), .new_key = step.new_key, .unregister = step.unregister};
      case What::clear:
      case What::begin_sole_use:
      case What::end_sole_use: break;
    }
    return Clear{};
  }

  // In ascending order, as they are kept.
  const std::array<Registrant, kRegistrants> registrants_{
      Registrant{"0000000000000001", {}, 0}, Registrant{"00112233445566778899aabbccddeeff", {}, 0},
      Registrant{"iqn.2026-11.test:one,i,0x000000000001", "iqn.2026-11.test:disks,t,0x0001", 1},
      Registrant{"iqn.2026-11.test:one,i,0x000000000001", "iqn.2026-11.test:disks,t,0x0002", 2}};
  Outcome outcome_;
};

void check(const Subject& subject, const Model& model) {
  const Reservations& state = subject.state;
  std::size_t at = 0;
  for (const auto& [who, key] : model.keys) {
    RC_ASSERT(at < state.registrations.size());
    const Registration& each = state.registrations[at++];
    RC_ASSERT(each.registrant == subject.registrant(who));
    RC_ASSERT(each.key == key);
    RC_ASSERT(state.holds(each) == model.holds(who));
  }
  RC_ASSERT(at == state.registrations.size());
  RC_ASSERT((state.type ? static_cast<int>(*state.type) : 0) == model.type);
  RC_ASSERT(state.generation == model.generation);
  for (std::size_t i = 0; i < kRegistrants; ++i) {
    const Rights rights = rights_of(state, subject.registrant(i), i + 1);
    RC_ASSERT(rights.read == model.may(i, false));
    RC_ASSERT(rights.write == model.may(i, true));
    RC_ASSERT(subject.notices(i) == model.notices[i]);
  }
  std::vector<Registrant> preempted;
  for (const std::size_t i : model.preempted) preempted.push_back(subject.registrant(i));
  RC_ASSERT(subject.preempted() == preempted);
}

// What is kept is what comes back.
void check_record(const Reservations& state) {
  const auto record = to_record(state);
  RC_ASSERT(record.has_value() == (state.persistent && !state.registrations.empty()));
  if (!record) return;
  const auto back = reservations_of(*record);
  RC_ASSERT(back.has_value());
  RC_ASSERT(back->registrations == state.registrations);
  RC_ASSERT(back->type == state.type);
}

TEST(ReservationsProperty, TheModelAgrees) {
  setenv("RC_PARAMS", "seed=20261121 max_success=2000", 0);  // unless somebody asks for others
  EXPECT_TRUE(rc::check("reservations are those of the model", [] {
    Subject subject;
    Model model;
    for (const Step& step : *rc::gen::container<std::vector<Step>>(steps())) {
      const std::uint64_t key = model.key_of(step);
      RC_ASSERT(subject.run(step, key) == model.run(step));
      check(subject, model);
      check_record(subject.state);
      for (auto& each : model.notices) each.clear();
    }
  }));
}

}  // namespace
}  // namespace lunar::access

// A model of persistent reservations that was written from the standard's text (SPC-5 §5.14) and
// shares nothing with reservations.cpp, and random steps for it and for what is tested against it:
// access::perform() itself, and each protocol's commands.
#pragma once

#include <rapidcheck.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <ostream>
#include <vector>

#include "access/reservations.h"

namespace lunar::access::testing {

constexpr std::size_t kRegistrants = 4;

enum class What : std::uint8_t {
  register_key,
  register_and_ignore,
  reserve,
  release,
  clear,
  preempt,
  preempt_and_abort,
  move,
  begin_sole_use,
  end_sole_use,
};

struct Step {
  What what{};
  std::size_t who = 0;
  bool right_key = true;  // the request names the registered one
  std::uint64_t key = 0;  // else this
  std::uint64_t new_key = 0;
  int type = 1;
  std::size_t to = 0;  // of move
  bool unregister = false;
};

inline std::ostream& operator<<(std::ostream& out, const Step& step) {
  return out << "{what " << static_cast<int>(step.what) << ", who " << step.who << ", "
             << (step.right_key ? "right key" : "key ") << step.key << ", new key " << step.new_key
             << ", type " << step.type << ", to " << step.to << (step.unregister ? " unreg" : "")
             << "}";
}

enum class Answer : std::uint8_t { good, conflict, refused };

class Model {
 public:
  static constexpr int kNobody = -1;

  Answer run(const Step& step) {
    preempted.clear();
    if (step.what == What::begin_sole_use) return sole_use(step, true);
    if (step.what == What::end_sole_use) return sole_use(step, false);
    if (sole_user != kNobody) return Answer::conflict;
    const bool registered = keys.contains(step.who);
    const std::uint64_t key = key_of(step);
    if (step.what == What::register_key || step.what == What::register_and_ignore) {
      const std::uint64_t wanted = registered ? keys[step.who] : 0;
      if (step.what == What::register_key && key != wanted) return Answer::conflict;
      return set_key(step.who, step.new_key);
    }
    if (!registered || keys[step.who] != key) return Answer::conflict;
    switch (step.what) {
      case What::reserve: return reserve(step);
      case What::release: return release(step);
      case What::clear: return clear(step);
      case What::preempt:
      case What::preempt_and_abort: return preempt(step);
      case What::move: return move(step);
      case What::register_key:
      case What::register_and_ignore:
      case What::begin_sole_use:
      case What::end_sole_use: break;
    }
    return Answer::refused;
  }

  [[nodiscard]] std::uint64_t key_of(const Step& step) const {
    if (!step.right_key) return step.key;
    const auto known = keys.find(step.who);
    return known == keys.end() ? 0 : known->second;
  }
  [[nodiscard]] bool may(std::size_t registrant, bool writes) const {
    if (sole_user != kNobody) return sole_user == static_cast<int>(registrant);
    if (type == 0 || holds(registrant)) return true;
    const bool shared_with_registrants = type >= 5;
    if (shared_with_registrants && keys.contains(registrant)) return true;
    const bool reads_are_free = type == 1 || type == 5 || type == 7;
    return !writes && reads_are_free;
  }
  [[nodiscard]] bool holds(std::size_t registrant) const {
    if (type == 7 || type == 8) return keys.contains(registrant);
    return type != 0 && holder == registrant;
  }

  std::map<std::size_t, std::uint64_t> keys;
  int type = 0;  // 0: no reservation
  std::size_t holder = 0;
  std::uint32_t generation = 0;
  int sole_user = kNobody;
  std::array<std::vector<Event>, kRegistrants> notices;
  std::vector<std::size_t> preempted;  // by the last step

 private:
  Answer sole_use(const Step& step, bool begins) {
    const int me = static_cast<int>(step.who);
    if (!keys.empty()) {
      const bool exempt = holds(step.who) || (type >= 5 && keys.contains(step.who));
      return exempt ? Answer::good : Answer::conflict;
    }
    if (begins) {
      if (sole_user != kNobody && sole_user != me) return Answer::conflict;
      sole_user = me;
    } else if (sole_user == me) {
      sole_user = kNobody;
    }
    return Answer::good;
  }

  void tell(std::size_t from, std::size_t to, Event what) {
    if (from == to) return;
    auto& queue = notices[to];
    if (std::ranges::count(queue, what) == 0) queue.push_back(what);
  }
  void tell_registered(std::size_t from, Event what) {
    for (const auto& [registrant, key] : keys) tell(from, registrant, what);
  }

  Answer set_key(std::size_t registrant, std::uint64_t new_key) {
    if (new_key != 0) {
      keys[registrant] = new_key;
      ++generation;
      return Answer::good;
    }
    if (!keys.contains(registrant)) return Answer::good;
    ++generation;
    const bool held = type != 0 && type < 7 && holder == registrant;
    keys.erase(registrant);
    if (held) {
      if (type == 5 || type == 6) tell_registered(registrant, Event::reservation_released);
      type = 0;
    }
    if (keys.empty()) type = 0;
    return Answer::good;
  }

  Answer reserve(const Step& step) {
    if (type != 0) return holds(step.who) && type == step.type ? Answer::good : Answer::conflict;
    type = step.type;
    holder = step.who;
    return Answer::good;
  }

  Answer release(const Step& step) {
    if (!holds(step.who)) return Answer::good;
    if (type != step.type) return Answer::refused;
    if (type >= 5) tell_registered(step.who, Event::reservation_released);
    type = 0;
    return Answer::good;
  }

  Answer clear(const Step& step) {
    tell_registered(step.who, Event::reservation_preempted);
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
    for (const auto& [registrant, key] : keys) {
      const bool meant =
          whole ? registrant != step.who && (victim == 0 || key == victim) : key == victim;
      if (meant) removed.push_back(registrant);
    }
    if (!whole && removed.empty()) return Answer::conflict;
    preempted = removed;
    for (const std::size_t registrant : removed) {
      keys.erase(registrant);
      tell(step.who, registrant, Event::registration_preempted);
    }
    if (whole) {
      if (type != step.type) tell_registered(step.who, Event::reservation_released);
      type = step.type;
      holder = step.who;
    }
    if (keys.empty()) type = 0;
    ++generation;
    return Answer::good;
  }

  Answer move(const Step& step) {
    if (type == 0 || type >= 7 || holder != step.who) return Answer::conflict;
    if (step.new_key == 0 || step.to == step.who) return Answer::refused;
    if (step.unregister) keys.erase(step.who);
    keys[step.to] = step.new_key;
    holder = step.to;
    ++generation;
    return Answer::good;
  }
};

inline rc::Gen<Step> steps() {
  namespace gen = rc::gen;
  const auto what = gen::weightedElement<What>({{8, What::register_key},
                                                {3, What::register_and_ignore},
                                                {8, What::reserve},
                                                {4, What::release},
                                                {1, What::clear},
                                                {4, What::preempt},
                                                {4, What::preempt_and_abort},
                                                {3, What::move},
                                                {1, What::begin_sole_use},
                                                {2, What::end_sole_use}});
  return gen::build<Step>(
      gen::set(&Step::what, what), gen::set(&Step::who, gen::inRange<std::size_t>(0, kRegistrants)),
      gen::set(&Step::right_key, gen::weightedElement<bool>({{9, true}, {1, false}})),
      gen::set(&Step::key, gen::inRange<std::uint64_t>(0, 4)),
      gen::set(&Step::new_key, gen::inRange<std::uint64_t>(0, 4)),
      gen::set(&Step::type, gen::element(1, 3, 5, 6, 7, 8)),
      gen::set(&Step::to, gen::inRange<std::size_t>(0, kRegistrants)),
      gen::set(&Step::unregister, gen::arbitrary<bool>()));
}

}  // namespace lunar::access::testing

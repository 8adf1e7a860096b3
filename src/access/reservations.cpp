#include "access/reservations.h"

#include <algorithm>
#include <utility>

namespace lunar::access {
namespace {

// One request on a state that may be thrown away. Clauses are SPC-5's.
class Operation {
 public:
  Operation(Reservations& state, const Request& request) : state_(state), request_(request) {}

  Outcome run() {
    std::visit([this](const auto& operation) { run(operation); }, request_.operation);
    return std::move(outcome_);
  }

 private:
  // ---- Answers
  void refuse(Verdict verdict) { outcome_.verdict = verdict; }
  void tell(const Registrant& registrant, Event event) {
    if (registrant != request_.registrant) outcome_.notices.push_back({registrant, event});
  }
  void tell_registered(Event event) {
    for (const Registration& each : state_.registrations) tell(each.registrant, event);
  }

  // ---- Registrations
  Registration* find(const Registrant& registrant) {
    return const_cast<Registration*>(std::as_const(state_).find(registrant));
  }
  // Adds one, or gives the one that is there another key: a holder stays the holder.
  Registration& put(const Registrant& registrant, std::uint64_t key) {
    if (Registration* known = find(registrant)) {
      known->key = key;
      return *known;
    }
    const auto at =
        std::ranges::lower_bound(state_.registrations, registrant, {}, &Registration::registrant);
    return *state_.registrations.insert(at, {registrant, key, false});
  }
  void erase(Registration& registration) {
    state_.registrations.erase(state_.registrations.begin() +
                               (&registration - state_.registrations.data()));
  }
  bool has_room_for(std::size_t more) {
    if (state_.registrations.size() + more <= kMaxRegistrations) return true;
    refuse(Verdict::no_room);
    return false;
  }
  void set_persistent(std::optional<bool> persistent) {
    state_.persistent = persistent.value_or(state_.persistent);
  }

  // ---- The reservation
  [[nodiscard]] Registration* holder() {
    const auto found = std::ranges::find_if(state_.registrations, &Registration::holder);
    return found == state_.registrations.end() ? nullptr : &*found;
  }
  void end_reservation() {
    state_.type.reset();
    for (Registration& each : state_.registrations) each.holder = false;
  }
  void begin_reservation(Registration& holder, ReservationType type) {
    end_reservation();
    state_.type = type;
    holder.holder = !is_all_registrants(type);
  }

  // §6.17.3: every operation but those of registering goes by the registered key. Null: refused.
  Registration* registered() {
    Registration* own = find(request_.registrant);
    if (own != nullptr && own->key == request_.key) return own;
    refuse(Verdict::conflict);
    return nullptr;
  }

  // ---- §5.14.7, table 66
  [[nodiscard]] bool holds(const SetKey& set, const Registration* known) const {
    switch (set.premise) {
      case Premise::key_or_new: return request_.key == (known == nullptr ? 0 : known->key);
      case Premise::registered_key: return known != nullptr && known->key == request_.key;
      case Premise::registered: return known != nullptr;
      case Premise::new_or_same: return known == nullptr || known->key == set.new_key;
      case Premise::anything: return true;
    }
    return false;
  }

  void run(const SetKey& set) {
    const Registration* own = find(request_.registrant);
    if (!holds(set, own)) return refuse(Verdict::conflict);
    if (set.along && (own != nullptr || set.new_key == 0)) return refuse(Verdict::not_new);
    for (const Registrant& each : set.elsewhere) {
      const Registration* there = find(each);
      if (set.new_key == 0 && there == nullptr) continue;
      if (!holds(set, there)) return refuse(Verdict::conflict);
    }
    // Another's registration is not ours to change.
    for (const Registrant& each : set.along.value_or(std::vector<Registrant>())) {
      const Registration* there = find(each);
      if (there != nullptr && there->key != set.new_key) return refuse(Verdict::other_registered);
    }
    set_keys(set);
  }

  // Registers all that are meant with the new key, or none; with key 0 it removes them.
  void set_keys(const SetKey& set) {
    std::vector<Registrant> all = {request_.registrant};
    all.insert(all.end(), set.elsewhere.begin(), set.elsewhere.end());
    if (set.along) all.insert(all.end(), set.along->begin(), set.along->end());
    std::ranges::sort(all);
    all.erase(std::ranges::unique(all).begin(), all.end());
    const auto is_new = [this](const Registrant& each) { return find(each) == nullptr; };
    const auto more = static_cast<std::size_t>(std::ranges::count_if(all, is_new));
    const bool removes = set.new_key == 0;
    if (removes && more == all.size()) return;  // ok, and nothing is done
    if (!removes && !has_room_for(more)) return;
    for (const Registrant& each : all) {
      if (removes) {
        unregister(each);
      } else {
        put(each, set.new_key);
      }
    }
    set_persistent(set.persistent);
    ++state_.generation;
  }

  // §5.14.11.3: with its holder, or the last of all registrants, a reservation goes.
  void unregister(const Registrant& registrant) {
    Registration* own = find(registrant);
    if (own == nullptr) return;
    const bool was_holder = own->holder;
    erase(*own);
    if (!state_.type) return;
    if (was_holder) {
      const bool told = is_for_registrants(*state_.type);
      end_reservation();
      if (told) tell_registered(Event::reservation_released);
    } else if (state_.registrations.empty()) {
      end_reservation();
    }
  }

  // ---- §5.14.9
  void run(const Reserve& reserve) {
    Registration* own = registered();
    if (own == nullptr) return;
    if (!reserve.type) return refuse(Verdict::unknown_type);
    if (!state_.type) return begin_reservation(*own, *reserve.type);
    // The holder may say again what it has.
    if (!state_.holds(*own) || state_.type != reserve.type) refuse(Verdict::conflict);
  }

  // ---- §5.14.11.2
  void run(const Release& release) {
    const Registration* own = registered();
    if (own == nullptr) return;
    if (!release.type) return refuse(Verdict::unknown_type);
    if (!state_.holds(*own)) return;  // ok, and nothing is done
    if (state_.type != release.type) return refuse(Verdict::other_type);
    const bool told = is_for_registrants(*release.type);
    end_reservation();
    if (told) tell_registered(Event::reservation_released);
  }

  // ---- §5.14.11.6
  void run(const Clear& /*clear*/) {
    if (registered() == nullptr) return;
    tell_registered(Event::reservation_preempted);
    end_reservation();
    state_.registrations.clear();
    ++state_.generation;
  }

  // ---- §5.14.11.4, .5, figure 5
  void run(const Preempt& preempt) {
    if (registered() == nullptr) return;
    const std::uint64_t key = preempt.victim_key;
    const bool all_hold = state_.type && is_all_registrants(*state_.type);
    if (key == 0 && !all_hold) return refuse(Verdict::zero_key);
    const Registration* held_by = holder();
    const bool takes_reservation = all_hold ? key == 0 : held_by != nullptr && held_by->key == key;
    if (takes_reservation) return take_reservation(preempt);
    const auto has_key = [key](const Registration& each) { return each.key == key; };
    if (std::ranges::none_of(state_.registrations, has_key)) return refuse(Verdict::conflict);
    remove_preempted(has_key);
    // Of all registrants, we may have been the last.
    if (state_.registrations.empty()) end_reservation();
    ++state_.generation;
  }

  void take_reservation(const Preempt& preempt) {
    if (!preempt.type) return refuse(Verdict::unknown_type);
    const std::uint64_t key = preempt.victim_key;
    const auto old_type = state_.type;
    end_reservation();
    remove_preempted([this, key](const Registration& each) {
      return each.registrant != request_.registrant && (key == 0 || each.key == key);
    });
    if (old_type != preempt.type) tell_registered(Event::reservation_released);
    begin_reservation(*find(request_.registrant), *preempt.type);
    ++state_.generation;
  }

  template <class Matches>
  void remove_preempted(Matches matches) {
    std::vector<Registration> kept;
    for (Registration& each : state_.registrations) {
      if (!matches(each)) {
        kept.push_back(std::move(each));
        continue;
      }
      tell(each.registrant, Event::registration_preempted);
      outcome_.preempted.push_back(std::move(each.registrant));
    }
    state_.registrations = std::move(kept);
  }

  // ---- §5.14.8
  void run(const Move& move) {
    Registration* own = registered();
    if (own == nullptr) return;
    // Also where all registrants hold it.
    if (!state_.type || !own->holder) return refuse(Verdict::conflict);
    if (move.new_key == 0) return refuse(Verdict::zero_key);
    if (move.to == request_.registrant) return refuse(Verdict::to_itself);
    if (find(move.to) == nullptr && !has_room_for(1)) return;
    const ReservationType moved = *state_.type;
    end_reservation();
    if (move.unregister) erase(*own);
    begin_reservation(put(move.to, move.new_key), moved);
    set_persistent(move.persistent);
    ++state_.generation;
  }

  Reservations& state_;
  const Request& request_;
  Outcome outcome_;
};

}  // namespace

const Registration* Reservations::find(const Registrant& registrant) const {
  const auto at =
      std::ranges::lower_bound(registrations, registrant, {}, &Registration::registrant);
  return at != registrations.end() && at->registrant == registrant ? &*at : nullptr;
}

bool Reservations::has_reservation(const Registrant& registrant) const {
  const Registration* own = find(registrant);
  return own != nullptr && type && (holds(*own) || is_for_registrants(*type));
}

// SPC-5 table 63, SBC-4 table 13.
Rights rights_of(const Reservations& reservations, const Registrant& registrant,
                 std::uint64_t session) {
  if (reservations.sole_session != 0) {
    const bool own = reservations.sole_session == session;
    return {.read = own, .write = own};
  }
  if (!reservations.type || reservations.has_reservation(registrant)) return {};
  return {.read = !is_exclusive_access(*reservations.type), .write = false};
}

Outcome perform(Reservations& reservations, const Request& request) {
  // SPC-2 §5.5.1: the sole use of a session and registrations exclude each other.
  if (reservations.sole_session != 0) return {.verdict = Verdict::conflict};
  Reservations next = reservations;
  Outcome outcome = Operation(next, request).run();
  if (outcome.is_ok()) reservations = std::move(next);
  return outcome;
}

bool begin_sole_use(Reservations& reservations, std::uint64_t session) {
  if (!reservations.registrations.empty()) return false;
  if (reservations.sole_session != 0) return reservations.sole_session == session;
  reservations.sole_session = session;
  return true;
}

bool end_sole_use(Reservations& reservations, std::uint64_t session) {
  const std::uint64_t holder = reservations.sole_session;
  if (holder == 0 || (session != 0 && session != holder)) return false;
  reservations.sole_session = 0;
  return true;
}

}  // namespace lunar::access

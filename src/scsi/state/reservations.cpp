#include "scsi/state/reservations.h"

#include <algorithm>
#include <utility>

namespace lunar::scsi {
namespace {

using spec::AdditionalSense;
using spec::ReservationType;
using spec::Sense;
using spec::Status;
namespace action = spec::service_action;

constexpr std::uint16_t kScopeTypeByte = 2;         // of the CDB
constexpr std::uint16_t kServiceActionKeyByte = 8;  // of the parameter list
constexpr std::uint16_t kFlagsByte = 20;            // of the parameter list
constexpr std::uint16_t kTransportIdByte = 24;      // of both parameter lists
constexpr std::uint8_t kSpecIPtBit = 3;

// One PERSISTENT RESERVE OUT on a state that may be thrown away.
class Operation {
 public:
  Operation(Reservations& state, const ReservationRequest& request)
      : state_(state), request_(request) {}

  ReservationOutcome run() {
    switch (request_.action) {
      case action::register_key: register_key(); break;
      case action::register_and_ignore_existing_key: register_and_ignore(); break;
      case action::reserve: with_own_key(&Operation::reserve); break;
      case action::release: with_own_key(&Operation::release); break;
      case action::clear: with_own_key(&Operation::clear); break;
      case action::preempt:
      case action::preempt_and_abort: with_own_key(&Operation::preempt); break;
      case action::register_and_move: with_own_key(&Operation::register_and_move); break;
    }
    return std::move(outcome_);
  }

 private:
  using Registrations = std::vector<Registration>;

  // ---- Answers
  void conflict() { outcome_.status = Status::reservation_conflict; }
  void refuse(const Sense& sense) {
    outcome_.status = Status::check_condition;
    outcome_.sense = sense;
  }
  void tell(const NexusIdentity& nexus, AdditionalSense condition) {
    if (nexus != request_.nexus) outcome_.attentions.push_back({nexus, condition});
  }
  void tell_registered(AdditionalSense condition) {
    for (const Registration& each : state_.registrations) tell(each.nexus, condition);
  }

  // ---- Registrations
  Registration* find(const NexusIdentity& nexus) {
    return const_cast<Registration*>(std::as_const(state_).find(nexus));
  }
  // Adds one, or gives the one that is there another key: a holder stays the holder.
  Registration& put(const NexusIdentity& nexus, std::uint64_t key) {
    if (Registration* known = find(nexus)) {
      known->key = key;
      return *known;
    }
    const auto at = std::ranges::lower_bound(state_.registrations, nexus, {}, &Registration::nexus);
    return *state_.registrations.insert(at, {nexus, key, false});
  }
  void erase(Registration& registration) {
    state_.registrations.erase(state_.registrations.begin() +
                               (&registration - state_.registrations.data()));
  }
  bool has_room_for(std::size_t more) {
    if (state_.registrations.size() + more <= kMaxRegistrations) return true;
    refuse(Sense::illegal_request(AdditionalSense::insufficient_registration_resources));
    return false;
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
    holder.holder = !spec::is_all_registrants(type);
  }
  // The TYPE and SCOPE of the CDB, where they count.
  bool check_scope_and_type() {
    if (request_.scope != spec::kScopeLogicalUnit) {
      refuse(Sense::invalid_field_in_cdb(kScopeTypeByte, std::uint8_t{7}));
      return false;
    }
    if (!spec::is_reservation_type(request_.type)) {
      refuse(Sense::invalid_field_in_cdb(kScopeTypeByte, std::uint8_t{3}));
      return false;
    }
    return true;
  }
  [[nodiscard]] ReservationType type() const { return static_cast<ReservationType>(request_.type); }

  // SPC-5 §6.17.3: every service action but those of registering goes by the registered key.
  void with_own_key(void (Operation::*then)()) {
    const Registration* own = find(request_.nexus);
    if (own == nullptr || own->key != request_.key) return conflict();
    (this->*then)();
  }

  // ---- REGISTER (SPC-5 §5.14.7, table 66)
  void register_key() {
    const Registration* own = find(request_.nexus);
    if (request_.key != (own == nullptr ? 0 : own->key)) return conflict();
    const bool registers = own == nullptr && request_.service_action_key != 0;
    if (request_.spec_i_pt && !registers)
      return refuse(Sense::invalid_field_in_parameter_list(kFlagsByte, kSpecIPtBit));
    // As if it had come through each of the ports.
    for (const NexusIdentity& port : request_.other_ports) {
      const Registration* there = find(port);
      if (request_.service_action_key == 0 && there == nullptr) continue;
      if (request_.key != (there == nullptr ? 0 : there->key)) return conflict();
    }
    // Another's registration is not ours to change.
    for (const NexusIdentity& each : request_.specified) {
      const Registration* there = find(each);
      if (there != nullptr && there->key != request_.service_action_key)
        return refuse(Sense::invalid_field_in_parameter_list(kTransportIdByte));
    }
    set_keys();
  }

  void register_and_ignore() { set_keys(); }

  // Registers all that are meant with the new key, or none; with key 0 it removes them.
  void set_keys() {
    std::vector<NexusIdentity> all = {request_.nexus};
    all.insert(all.end(), request_.other_ports.begin(), request_.other_ports.end());
    all.insert(all.end(), request_.specified.begin(), request_.specified.end());
    std::ranges::sort(all);
    all.erase(std::ranges::unique(all).begin(), all.end());
    const auto is_new = [this](const NexusIdentity& nexus) { return find(nexus) == nullptr; };
    const auto more = static_cast<std::size_t>(std::ranges::count_if(all, is_new));
    const bool removes = request_.service_action_key == 0;
    if (removes && more == all.size()) return;  // GOOD, and nothing is done
    if (!removes && !has_room_for(more)) return;
    for (const NexusIdentity& nexus : all) {
      if (removes) {
        unregister(nexus);
      } else {
        put(nexus, request_.service_action_key);
      }
    }
    state_.aptpl = request_.aptpl;
    ++state_.generation;
  }

  // SPC-5 §5.14.11.3: with its holder, or the last of all registrants, a reservation goes.
  void unregister(const NexusIdentity& nexus) {
    Registration* own = find(nexus);
    if (own == nullptr) return;
    const bool was_holder = own->holder;
    erase(*own);
    if (!state_.type) return;
    if (was_holder) {
      const bool told = spec::is_for_registrants(*state_.type);
      end_reservation();
      if (told) tell_registered(AdditionalSense::reservations_released);
    } else if (state_.registrations.empty()) {
      end_reservation();
    }
  }

  // ---- RESERVE (SPC-5 §5.14.9)
  void reserve() {
    if (!check_scope_and_type()) return;
    Registration& own = *find(request_.nexus);
    if (state_.type) {
      // The holder may say again what it has.
      if (!state_.holds(own) || *state_.type != type()) conflict();
      return;
    }
    begin_reservation(own, type());
  }

  // ---- RELEASE (SPC-5 §5.14.11.2)
  void release() {
    if (!check_scope_and_type()) return;
    if (!state_.type || !state_.holds(*find(request_.nexus))) return;  // GOOD, and nothing is done
    if (*state_.type != type()) {
      return refuse(
          Sense::illegal_request(AdditionalSense::invalid_release_of_persistent_reservation));
    }
    const bool told = spec::is_for_registrants(type());
    end_reservation();
    if (told) tell_registered(AdditionalSense::reservations_released);
  }

  // ---- CLEAR (SPC-5 §5.14.11.6)
  void clear() {
    tell_registered(AdditionalSense::reservations_preempted);
    end_reservation();
    state_.registrations.clear();
    ++state_.generation;
  }

  // ---- PREEMPT, PREEMPT AND ABORT (SPC-5 §5.14.11.4, .5, figure 5)
  void preempt() {
    const std::uint64_t key = request_.service_action_key;
    const bool all_hold = state_.type && spec::is_all_registrants(*state_.type);
    if (key == 0 && !all_hold)
      return refuse(Sense::invalid_field_in_parameter_list(kServiceActionKeyByte));
    const Registration* held_by = holder();
    const bool takes_reservation = all_hold ? key == 0 : held_by != nullptr && held_by->key == key;
    if (takes_reservation) return take_reservation();
    const auto has_key = [key](const Registration& each) { return each.key == key; };
    if (std::ranges::none_of(state_.registrations, has_key)) return conflict();
    remove_preempted(has_key);
    // Of all registrants, we may have been the last.
    if (state_.type && state_.registrations.empty()) end_reservation();
    ++state_.generation;
  }

  void take_reservation() {
    if (!check_scope_and_type()) return;
    const std::uint64_t key = request_.service_action_key;
    const ReservationType old_type = *state_.type;
    end_reservation();
    remove_preempted([this, key](const Registration& each) {
      return each.nexus != request_.nexus && (key == 0 || each.key == key);
    });
    if (old_type != type()) tell_registered(AdditionalSense::reservations_released);
    begin_reservation(*find(request_.nexus), type());
    ++state_.generation;
  }

  template <class Matches>
  void remove_preempted(Matches matches) {
    Registrations kept;
    for (Registration& each : state_.registrations) {
      if (!matches(each)) {
        kept.push_back(std::move(each));
        continue;
      }
      tell(each.nexus, AdditionalSense::registrations_preempted);
      if (request_.action == action::preempt_and_abort) outcome_.preempted.push_back(each.nexus);
    }
    state_.registrations = std::move(kept);
  }

  // ---- REGISTER AND MOVE (SPC-5 §5.14.8)
  void register_and_move() {
    const Registration* own = find(request_.nexus);
    if (!state_.type || !own->holder) return conflict();  // also where all registrants hold it
    if (request_.service_action_key == 0)
      return refuse(Sense::invalid_field_in_parameter_list(kServiceActionKeyByte));
    if (request_.move_to == request_.nexus)
      return refuse(Sense::invalid_field_in_parameter_list(kTransportIdByte));
    if (find(request_.move_to) == nullptr && !has_room_for(1)) return;
    const ReservationType moved = *state_.type;
    end_reservation();
    if (request_.unregister) erase(*find(request_.nexus));
    begin_reservation(put(request_.move_to, request_.service_action_key), moved);
    state_.aptpl = request_.aptpl;
    ++state_.generation;
  }

  Reservations& state_;
  const ReservationRequest& request_;
  ReservationOutcome outcome_;
};

// SPC-5 §5.14.3 (CRH): RESERVE and RELEASE of these are GOOD and do nothing.
bool has_persistent_reservation(const Reservations& reservations, const NexusIdentity& nexus) {
  const Registration* own = reservations.find(nexus);
  if (own == nullptr || !reservations.type) return false;
  return reservations.holds(*own) || spec::is_for_registrants(*reservations.type);
}

}  // namespace

const Registration* Reservations::find(const NexusIdentity& nexus) const {
  const auto at = std::ranges::lower_bound(registrations, nexus, {}, &Registration::nexus);
  return at != registrations.end() && at->nexus == nexus ? &*at : nullptr;
}

// SPC-5 table 63, SBC-4 table 13.
Restrictions restrictions_of(const Reservations& reservations, const NexusIdentity& nexus,
                             std::uint64_t nexus_id) {
  if (reservations.reserved_by != 0)
    return reservations.reserved_by == nexus_id ? kReservedAtAll : kReservedAtAll | kReservedAll;
  if (!reservations.type) return 0;
  const Registration* own = reservations.find(nexus);
  const bool allowed =
      own != nullptr && (reservations.holds(*own) || spec::is_for_registrants(*reservations.type));
  if (allowed) return 0;
  return spec::is_exclusive_access(*reservations.type) ? kReservedReads | kReservedWrites
                                                       : kReservedWrites;
}

ReservationOutcome perform(Reservations& reservations, const ReservationRequest& request) {
  // SPC-2 §5.5.1: both kinds exclude each other.
  if (reservations.reserved_by != 0) {
    ReservationOutcome outcome;
    outcome.status = Status::reservation_conflict;
    return outcome;
  }
  Reservations next = reservations;
  ReservationOutcome outcome = Operation(next, request).run();
  if (outcome.is_good()) reservations = std::move(next);
  return outcome;
}

bool reserve(Reservations& reservations, const NexusIdentity& nexus, std::uint64_t nexus_id) {
  if (!reservations.registrations.empty()) return has_persistent_reservation(reservations, nexus);
  if (reservations.reserved_by != 0) return reservations.reserved_by == nexus_id;
  reservations.reserved_by = nexus_id;
  return true;
}

bool release(Reservations& reservations, const NexusIdentity& nexus, std::uint64_t nexus_id) {
  if (!reservations.registrations.empty()) return has_persistent_reservation(reservations, nexus);
  // Of another's reservation: GOOD, and nothing is done.
  if (reservations.reserved_by == nexus_id) reservations.reserved_by = 0;
  return true;
}

}  // namespace lunar::scsi

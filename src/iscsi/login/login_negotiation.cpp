#include "iscsi/login/login_negotiation.h"

#include <algorithm>
#include <utility>

#include "iscsi/spec/names.h"

namespace lunar::iscsi {

using spec::LoginStage;
using spec::LoginStatus;

LoginNegotiation::LoginNegotiation(const NegotiationPolicy& policy,
                                   const TargetDirectory& directory)
    : policy_(policy), directory_(directory) {}

LoginReply LoginNegotiation::handle(const spec::LoginRequest& request, Bytes text) {
  initiator_task_tag_ = request.initiator_task_tag;
  if (auto checked = advance(request, text); !checked) {
    return refuse(checked.error().status, std::move(checked.error().reason));
  }
  return reply_to(request);
}

LoginReply LoginNegotiation::refuse(LoginStatus status, std::string reason) {
  LoginReply reply;
  reply.bhs = response();
  reply.bhs.flags = spec::stage_flags(stage(), LoginStage::security_negotiation);
  reply.bhs.set_status(status);
  reply.outcome = LoginOutcome::refused;
  reply.reason = std::move(reason);
  transition(State::refused);
  return reply;
}

LoginNegotiation::Checked LoginNegotiation::advance(const spec::LoginRequest& request, Bytes text) {
  ++request_count_;
  if (state_ == State::begin) adopt(request);
  LUNAR_TRY(check_header(request));
  LUNAR_TRY(check_stages(request));
  if (state_ == State::begin) {
    transition(spec::current_stage(request.flags) == LoginStage::security_negotiation
                   ? State::security
                   : State::operational);
  }
  if (!output_.empty() && !text.empty()) {
    return std::unexpected(
        Refusal{LoginStatus::initiator_error, "text sent before the answer's last PDU"});
  }
  if (const auto appended = input_.append(text); !appended) {
    return std::unexpected(Refusal{LoginStatus::initiator_error, appended.error().message});
  }
  if ((request.flags & spec::kContinue) != 0) return {};

  const std::string whole = input_.take();
  const auto pairs = spec::parse_text(as_bytes(std::string_view(whole)));
  if (!pairs) return std::unexpected(Refusal{LoginStatus::initiator_error, pairs.error().message});
  LUNAR_TRY(answer(*pairs));
  return check_authenticated(request);
}

LoginNegotiation::Checked LoginNegotiation::check_header(const spec::LoginRequest& request) const {
  const auto wrong = [](LoginStatus status, std::string reason) {
    return std::unexpected(Refusal{status, std::move(reason)});
  };
  if (state_ == State::full_feature || state_ == State::refused) {
    return wrong(LoginStatus::initiator_error, "Login Request after the login phase");
  }
  if (request_count_ > kMaxLoginRequests) {
    return wrong(LoginStatus::initiator_error, "login does not come to an end");
  }
  if (request.version_min > spec::kVersion) {  // RFC 7143 §11.12.4
    return wrong(LoginStatus::unsupported_version, "Version-min is above 0");
  }
  if (request.data_segment_length > kMaxLoginSegmentLength) {
    return wrong(LoginStatus::initiator_error, "login data segment longer than 8192 bytes");
  }
  // RFC 7143 §6.3: all requests of a login have the same identification of the connection.
  // §11.12.8: CmdSN does not advance.
  if (request.isid != identity_.isid || request.tsih != identity_.tsih ||
      request.cid != identity_.cid || request.cmd_sn != identity_.cmd_sn) {
    return wrong(LoginStatus::initiator_error, "ISID, TSIH, CID or CmdSN changed during login");
  }
  return {};
}

// RFC 7143 §11.12.1 to §11.12.3
LoginNegotiation::Checked LoginNegotiation::check_stages(const spec::LoginRequest& request) const {
  const auto wrong = [](std::string reason) {
    return std::unexpected(Refusal{LoginStatus::initiator_error, std::move(reason)});
  };
  const LoginStage current = spec::current_stage(request.flags);
  const LoginStage next = spec::next_stage(request.flags);
  if (current != LoginStage::security_negotiation &&
      current != LoginStage::login_operational_negotiation) {
    return wrong("current stage is none of login's");
  }
  if (state_ != State::begin && current != stage()) {
    return wrong("current stage is not the one agreed on");
  }
  if ((request.flags & spec::kTransit) == 0) return {};  // NSG is reserved then
  if ((request.flags & spec::kContinue) != 0) return wrong("T and C bits together");
  if (next != LoginStage::login_operational_negotiation && next != LoginStage::full_feature_phase) {
    return wrong("next stage is none to go to");
  }
  if (next <= current) return wrong("next stage is not after the current one");
  return {};
}

void LoginNegotiation::adopt(const spec::LoginRequest& request) {
  identity_.isid = request.isid;
  identity_.tsih = request.tsih;
  identity_.cid = request.cid;
  identity_.cmd_sn = request.cmd_sn;
  // We choose it (RFC 7143 §11.13.4): the number that the initiator expects.
  stat_sn_ = request.exp_stat_sn;
}

LoginNegotiation::Checked LoginNegotiation::answer(const std::vector<spec::KeyValue>& pairs) {
  std::vector<spec::KeyValue> fresh;
  for (const spec::KeyValue& pair : pairs) {
    const KeyRule* const rule = find_key(pair.key);
    const auto sight = rule == nullptr ? SeenKeys::Sight::fresh : seen_.look(*rule, pair.value);
    if (sight == SeenKeys::Sight::wrong) {  // RFC 7143 §6.3
      return std::unexpected(
          Refusal{LoginStatus::initiator_error, std::string(pair.key) + " came twice"});
    }
    if (sight == SeenKeys::Sight::fresh) fresh.push_back(pair);
  }
  // Other answers depend on the session's type, which may come behind those keys.
  if (!identified_) LUNAR_TRY(identify(fresh));

  std::vector<spec::KeyValue> auth_keys;
  for (const spec::KeyValue& pair : fresh) LUNAR_TRY(answer_pair(pair, auth_keys));
  LUNAR_TRY(run_authenticator(auth_keys));

  if (state_ == State::operational && !declared_segment_length_) {
    declared_segment_length_ = true;
    parameters_.target_max_recv_data_segment_length =
        policy_.preferred.target_max_recv_data_segment_length;
    output_.add(key_name(Key::max_recv_data_segment_length),
                std::to_string(parameters_.target_max_recv_data_segment_length));
  }
  return {};
}

// Takes the identity and the target from the first text (RFC 7143 §6.3: InitiatorName, SessionType
// and TargetName belong into the first Login Request).
LoginNegotiation::Checked LoginNegotiation::identify(const std::vector<spec::KeyValue>& pairs) {
  const auto value_of = [&](Key key) -> std::optional<std::string_view> {
    const auto found = std::ranges::find(pairs, key_name(key), &spec::KeyValue::key);
    if (found == pairs.end()) return std::nullopt;
    return found->value;
  };
  const auto wrong = [](LoginStatus status, std::string reason) {
    return std::unexpected(Refusal{status, std::move(reason)});
  };
  const auto initiator_name = value_of(Key::initiator_name);
  if (!initiator_name) return wrong(LoginStatus::missing_parameter, "no InitiatorName");
  auto name = spec::normalize_peer_name(*initiator_name);
  if (!name) return wrong(LoginStatus::initiator_error, "InitiatorName: " + name.error().message);
  identity_.initiator_name = std::move(*name);

  const std::string_view type = value_of(Key::session_type).value_or("Normal");
  const auto target_name = value_of(Key::target_name);
  if (type == "Discovery") {
    identity_.session_type = SessionType::discovery;
    auth_ = directory_.discovery_auth(identity_.initiator_name);
  } else if (type == "Normal") {
    if (!target_name) return wrong(LoginStatus::missing_parameter, "no TargetName");
    LUNAR_TRY(find_target(*target_name));
  } else {
    return wrong(LoginStatus::session_type_not_supported, "SessionType is unknown");
  }
  identified_ = true;
  return {};
}

LoginNegotiation::Checked LoginNegotiation::find_target(std::string_view target_name) {
  const auto name = spec::normalize_peer_name(target_name);
  if (!name) return std::unexpected(Refusal{LoginStatus::not_found, name.error().message});
  auto target = directory_.find_target(*name, identity_.initiator_name);
  if (!target) {
    return std::unexpected(Refusal{target.error(), "target " + *name + " cannot be logged in to"});
  }
  identity_.target_name = std::move(target->name);
  identity_.portal_group_tag = target->portal_group_tag;
  auth_ = std::move(target->auth);
  // RFC 7143 §13.9: in the first response of a normal session.
  output_.add(key_name(Key::target_portal_group_tag), std::to_string(identity_.portal_group_tag));
  if (!target->alias.empty()) output_.add(key_name(Key::target_alias), target->alias);
  return {};
}

LoginNegotiation::Checked LoginNegotiation::answer_pair(const spec::KeyValue& pair,
                                                        std::vector<spec::KeyValue>& auth_keys) {
  const KeyRule* const rule = find_key(pair.key);
  if (rule == nullptr) {
    if (authenticator_ && authenticator_->owns(pair.key)) {
      auth_keys.push_back(pair);
    } else {
      output_.add(pair.key, spec::kNotUnderstood);  // RFC 7143 §6.2, X- keys too
    }
    return {};
  }
  if (const auto refused = refusal(*rule, key_context())) {
    output_.add(pair.key, *refused);
    return {};
  }
  if (rule->key == Key::auth_method) return choose_auth_method(pair.value);
  if (rule->kind == KeyKind::declared_name) return check_name(*rule, pair.value);
  if (rule->kind == KeyKind::declared_text) {
    if (pair.value.size() > kMaxAliasLength) {
      output_.add(pair.key, spec::kReject);
    } else {
      identity_.initiator_alias = pair.value;
    }
    return {};
  }
  if (const auto value = negotiate(*rule, pair.value, policy_, parameters_)) {
    output_.add(pair.key, *value);
  }
  return {};
}

// Checks names after the first text. identify() has taken those in it, and repeated keys do not get
// here. A later TargetName is that of a discovery session, which ignores it.
LoginNegotiation::Checked LoginNegotiation::check_name(const KeyRule& rule,
                                                       std::string_view value) const {
  const std::string_view type =
      identity_.session_type == SessionType::discovery ? "Discovery" : "Normal";
  if (rule.key == Key::session_type && value != type) {
    return std::unexpected(
        Refusal{LoginStatus::initiator_error, "SessionType came after the first text"});
  }
  return {};
}

LoginNegotiation::Checked LoginNegotiation::choose_auth_method(std::string_view offer) {
  const auto items = spec::parse_list(offer);
  if (!items) return std::unexpected(Refusal{LoginStatus::initiator_error, "AuthMethod: no list"});
  for (const std::string_view item : *items) {
    if (item == spec::kNone && auth_.none_allowed) {
      authenticated_ = true;
      output_.add(key_name(Key::auth_method), item);
      return {};
    }
    for (const auto& method : auth_.methods) {
      if (method->name() != item) continue;
      authenticator_ = method->begin(identity_.initiator_name);
      output_.add(key_name(Key::auth_method), item);
      return {};
    }
  }
  return std::unexpected(
      Refusal{LoginStatus::authentication_failure, "no offered AuthMethod is acceptable"});
}

LoginNegotiation::Checked LoginNegotiation::run_authenticator(
    const std::vector<spec::KeyValue>& auth_keys) {
  if (auth_keys.empty()) return {};
  switch (authenticator_->advance(auth_keys, output_)) {
    case Authenticator::Verdict::in_progress: return {};
    case Authenticator::Verdict::accepted: authenticated_ = true; return {};
    case Authenticator::Verdict::refused: break;
  }
  return std::unexpected(Refusal{LoginStatus::authentication_failure, "authentication failed"});
}

// An initiator that does not send AuthMethod, or skips the security stage, requests no
// authentication (RFC 7143 §6.3.2).
LoginNegotiation::Checked LoginNegotiation::check_authenticated(
    const spec::LoginRequest& request) const {
  if (authenticated_ || auth_.none_allowed) return {};
  const bool leaves_security =
      state_ == State::operational || (request.flags & spec::kTransit) != 0;
  if (!leaves_security || authenticator_) return {};
  return std::unexpected(
      Refusal{LoginStatus::authentication_failure, "this login needs authentication"});
}

LoginReply LoginNegotiation::reply_to(const spec::LoginRequest& request) {
  LoginReply reply;
  const bool more_to_come = (request.flags & spec::kContinue) != 0;
  if (!more_to_come) reply.text = output_.take(kMaxLoginSegmentLength);
  reply.bhs = response();
  reply.bhs.data_segment_length = static_cast<std::uint32_t>(reply.text.size());
  reply.bhs.flags = spec::stage_flags(stage(), LoginStage::security_negotiation);
  ++stat_sn_;

  const bool authenticating = authenticator_ && !authenticated_;
  if (!output_.empty()) {
    if (!more_to_come) reply.bhs.flags |= spec::kContinue;
  } else if ((request.flags & spec::kTransit) != 0 && !authenticating) {
    const LoginStage next = spec::next_stage(request.flags);
    reply.bhs.flags = spec::kTransit | spec::stage_flags(stage(), next);
    const bool finished = next == LoginStage::full_feature_phase;
    transition(finished ? State::full_feature : State::operational);
    if (finished) reply.outcome = LoginOutcome::full_feature;
  }
  return reply;
}

spec::LoginResponse LoginNegotiation::response() const {
  spec::LoginResponse bhs;
  bhs.isid = identity_.isid;
  bhs.tsih = identity_.tsih;
  bhs.initiator_task_tag = initiator_task_tag_;
  bhs.stat_sn = stat_sn_;
  bhs.exp_cmd_sn = identity_.cmd_sn;
  bhs.max_cmd_sn = identity_.cmd_sn + policy_.command_window - 1;
  return bhs;
}

LoginStage LoginNegotiation::stage() const {
  switch (state_) {
    case State::begin:
    case State::security:
    case State::refused: return LoginStage::security_negotiation;
    case State::operational: return LoginStage::login_operational_negotiation;
    case State::full_feature: return LoginStage::full_feature_phase;
  }
  return LoginStage::security_negotiation;
}

KeyContext LoginNegotiation::key_context() const {
  return {.phase = state_ == State::security ? kInSecurity : kInOperational,
          .leading = identity_.tsih == 0,
          .discovery = identity_.session_type == SessionType::discovery};
}

void LoginNegotiation::transition(State next) {
  state_ = next;
  if (next == State::refused) {
    input_.clear();
    output_.clear();
  } else if (next == State::full_feature) {
    // RFC 7143 §13.14. Can be violated if the initiator offers only one of the two, below the
    // default of the other.
    parameters_.first_burst_length =
        std::min(parameters_.first_burst_length, parameters_.max_burst_length);
  }
}

}  // namespace lunar::iscsi

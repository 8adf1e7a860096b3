#include "iscsi/login/text_keys.h"

#include <algorithm>
#include <array>

#include "iscsi/spec/text.h"

namespace lunar::iscsi {
namespace {

using P = Parameters;

constexpr std::uint32_t kMaxDsl = spec::kMaxDataSegmentLength;
constexpr std::uint8_t kAnywhere = kInLogin | kInFullFeature;

constexpr KeyRule own(std::string_view name, Key key, KeyKind kind, std::uint8_t phases) {
  return {.name = name, .key = key, .kind = kind, .phases = phases};
}
constexpr KeyRule leading(KeyRule rule) {
  rule.leading_only = true;
  return rule;
}
// A property of SCSI traffic, which discovery sessions do not have.
constexpr KeyRule normal_only(KeyRule rule) {
  rule.irrelevant_in_discovery = true;
  return rule;
}
constexpr KeyRule number(std::string_view name, Key key, KeyKind kind, std::uint32_t P::* field,
                         std::uint32_t minimum, std::uint32_t maximum) {
  KeyRule rule = leading(own(name, key, kind, kInOperational));
  rule.number = field;
  rule.minimum = minimum;
  rule.maximum = maximum;
  return rule;
}
constexpr KeyRule boolean(std::string_view name, Key key, KeyKind kind, bool P::* field) {
  KeyRule rule = normal_only(leading(own(name, key, kind, kInOperational)));
  rule.boolean = field;
  return rule;
}
constexpr KeyRule max_recv_data_segment_length() {
  KeyRule rule =
      number("MaxRecvDataSegmentLength", Key::max_recv_data_segment_length,
             KeyKind::declared_number, &P::initiator_max_recv_data_segment_length, 512, kMaxDsl);
  rule.leading_only = false;
  rule.phases = kInOperational | kInFullFeature;
  return rule;
}

// RFC 7143 §12 and §13: use, scope, range and result function of each key.
constexpr std::array<KeyRule, kKeyCount> kTable = {
    own("AuthMethod", Key::auth_method, KeyKind::action, kInSecurity),
    own("HeaderDigest", Key::header_digest, KeyKind::list, kInOperational),
    own("DataDigest", Key::data_digest, KeyKind::list, kInOperational),
    normal_only(number("MaxConnections", Key::max_connections, KeyKind::minimum,
                       &P::max_connections, 1, 65535)),
    own("SendTargets", Key::send_targets, KeyKind::action, kInFullFeature),
    own("TargetName", Key::target_name, KeyKind::declared_name, kInLogin),
    own("InitiatorName", Key::initiator_name, KeyKind::declared_name, kInLogin),
    own("TargetAlias", Key::target_alias, KeyKind::from_target, kAnywhere),
    own("InitiatorAlias", Key::initiator_alias, KeyKind::declared_text, kAnywhere),
    own("TargetAddress", Key::target_address, KeyKind::from_target, kAnywhere),
    own("TargetPortalGroupTag", Key::target_portal_group_tag, KeyKind::from_target, kInLogin),
    boolean("InitialR2T", Key::initial_r2t, KeyKind::boolean_or, &P::initial_r2t),
    boolean("ImmediateData", Key::immediate_data, KeyKind::boolean_and, &P::immediate_data),
    max_recv_data_segment_length(),
    normal_only(number("MaxBurstLength", Key::max_burst_length, KeyKind::minimum,
                       &P::max_burst_length, 512, kMaxDsl)),
    normal_only(number("FirstBurstLength", Key::first_burst_length, KeyKind::minimum,
                       &P::first_burst_length, 512, kMaxDsl)),
    number("DefaultTime2Wait", Key::default_time2wait, KeyKind::maximum, &P::default_time2wait, 0,
           3600),
    number("DefaultTime2Retain", Key::default_time2retain, KeyKind::minimum,
           &P::default_time2retain, 0, 3600),
    normal_only(number("MaxOutstandingR2T", Key::max_outstanding_r2t, KeyKind::minimum,
                       &P::max_outstanding_r2t, 1, 65535)),
    boolean("DataPDUInOrder", Key::data_pdu_in_order, KeyKind::boolean_or, &P::data_pdu_in_order),
    boolean("DataSequenceInOrder", Key::data_sequence_in_order, KeyKind::boolean_or,
            &P::data_sequence_in_order),
    number("ErrorRecoveryLevel", Key::error_recovery_level, KeyKind::minimum,
           &P::error_recovery_level, 0, 2),
    // "Leading only" in the RFC. But initiators repeat it on further connections, where it changes
    // nothing.
    own("SessionType", Key::session_type, KeyKind::declared_name, kInLogin),
    normal_only(leading(own("TaskReporting", Key::task_reporting, KeyKind::list, kInOperational))),
    normal_only(number("iSCSIProtocolLevel", Key::protocol_level, KeyKind::minimum,
                       &P::protocol_level, 0, 31)),
    own("IFMarker", Key::if_marker, KeyKind::obsolete_marker, kInOperational),
    own("OFMarker", Key::of_marker, KeyKind::obsolete_marker, kInOperational),
    own("IFMarkInt", Key::if_mark_int, KeyKind::obsolete_interval, kInOperational),
    own("OFMarkInt", Key::of_mark_int, KeyKind::obsolete_interval, kInOperational),
};

constexpr bool table_is_in_order() {
  for (std::size_t i = 0; i < kKeyCount; ++i) {
    if (static_cast<std::size_t>(kTable[i].key) != i) return false;
  }
  return true;
}
static_assert(table_is_in_order());

constexpr std::string_view name_of(Digest digest) {
  switch (digest) {
    case Digest::none: return spec::kNone;
    case Digest::crc32c: return "CRC32C";
  }
  return {};
}

constexpr std::string_view name_of(TaskReporting reporting) {
  switch (reporting) {
    case TaskReporting::rfc3720: return "RFC3720";
    case TaskReporting::response_fence: return "ResponseFence";
    case TaskReporting::fast_abort: return "FastAbort";
  }
  return {};
}

// The first offered item that is among `allowed`.
template <class T>
std::string choose(std::string_view offer, std::span<const T> allowed, T& result) {
  const auto items = spec::parse_list(offer);
  if (!items) return std::string(spec::kReject);
  for (const std::string_view item : *items) {
    for (const T candidate : allowed) {
      if (name_of(candidate) != item) continue;
      result = candidate;
      return std::string(item);
    }
  }
  return std::string(spec::kReject);
}

std::string choose_digest(std::string_view offer, const NegotiationPolicy& policy, Digest& result) {
  std::array<Digest, 2> allowed{};
  std::size_t count = 0;
  if (policy.allow_digest_none) allowed[count++] = Digest::none;
  if (policy.allow_digest_crc32c) allowed[count++] = Digest::crc32c;
  return choose<Digest>(offer, std::span(allowed).first(count), result);
}

std::string choose_from_list(Key key, std::string_view offer, const NegotiationPolicy& policy,
                             Parameters& parameters) {
  if (key == Key::header_digest) return choose_digest(offer, policy, parameters.header_digest);
  if (key == Key::data_digest) return choose_digest(offer, policy, parameters.data_digest);
  const std::array<TaskReporting, 2> allowed = {TaskReporting::rfc3720,
                                                policy.preferred.task_reporting};
  return choose<TaskReporting>(offer, allowed, parameters.task_reporting);
}

std::string negotiate_boolean(const KeyRule& rule, std::string_view value,
                              const NegotiationPolicy& policy, Parameters& parameters) {
  if (value != spec::kYes && value != spec::kNo) return std::string(spec::kReject);
  const bool offered = value == spec::kYes;
  const bool ours = policy.preferred.*rule.boolean;
  const bool result = rule.kind == KeyKind::boolean_and ? offered && ours : offered || ours;
  parameters.*rule.boolean = result;
  return std::string(result ? spec::kYes : spec::kNo);
}

// Our value of a number. FirstBurstLength must not exceed MaxBurstLength (RFC 7143 §13.14), so its
// answer takes an earlier MaxBurstLength into account.
std::uint32_t preferred_number(const KeyRule& rule, const NegotiationPolicy& policy,
                               const Parameters& parameters) {
  const std::uint32_t ours = policy.preferred.*rule.number;
  if (rule.key != Key::first_burst_length) return ours;
  return std::min({ours, policy.preferred.max_burst_length, parameters.max_burst_length});
}

std::optional<std::string> negotiate_number(const KeyRule& rule, std::string_view value,
                                            const NegotiationPolicy& policy,
                                            Parameters& parameters) {
  const auto offered = spec::parse_number(value);
  if (!offered || *offered < rule.minimum || *offered > rule.maximum) {
    return std::string(spec::kReject);
  }
  std::uint32_t result = static_cast<std::uint32_t>(*offered);
  if (rule.kind == KeyKind::minimum) {
    result = std::min(result, preferred_number(rule, policy, parameters));
  } else if (rule.kind == KeyKind::maximum) {
    result = std::max(result, policy.preferred.*rule.number);
  }
  parameters.*rule.number = result;
  if (rule.kind == KeyKind::declared_number) return std::nullopt;
  return std::to_string(result);
}

constexpr bool declares(KeyKind kind) {
  return kind == KeyKind::declared_number || kind == KeyKind::declared_text ||
         kind == KeyKind::declared_name;
}

}  // namespace

SeenKeys::Sight SeenKeys::look(const KeyRule& rule, std::string_view value) {
  const auto index = static_cast<std::size_t>(rule.key);
  if (!seen_.test(index)) {
    seen_.set(index);
    if (declares(rule.kind)) declared_.emplace_back(rule.key, value);
    return Sight::fresh;
  }
  const auto is_same = [&](const auto& said) {
    return said.first == rule.key && said.second == value;
  };
  return std::ranges::any_of(declared_, is_same) ? Sight::repeated : Sight::wrong;
}

void SeenKeys::clear() {
  seen_.reset();
  declared_.clear();
}

const KeyRule* find_key(std::string_view name) {
  const auto* const found = std::ranges::find(kTable, name, &KeyRule::name);
  return found == kTable.end() ? nullptr : found;
}

std::string_view key_name(Key key) { return kTable[static_cast<std::size_t>(key)].name; }

std::optional<std::string_view> refusal(const KeyRule& rule, const KeyContext& context) {
  if (rule.kind == KeyKind::from_target) return spec::kReject;
  if ((rule.phases & context.phase) == 0) return spec::kReject;
  if (rule.leading_only && !context.leading) return spec::kReject;
  if (rule.irrelevant_in_discovery && context.discovery) return spec::kIrrelevant;
  return std::nullopt;
}

std::optional<std::string> negotiate(const KeyRule& rule, std::string_view value,
                                     const NegotiationPolicy& policy, Parameters& parameters) {
  switch (rule.kind) {
    case KeyKind::list: return choose_from_list(rule.key, value, policy, parameters);
    case KeyKind::boolean_and:
    case KeyKind::boolean_or: return negotiate_boolean(rule, value, policy, parameters);
    case KeyKind::minimum:
    case KeyKind::maximum:
    case KeyKind::declared_number: return negotiate_number(rule, value, policy, parameters);
    // RFC 7143 §13.25: the answer should be Reject and may be No. We answer No: initiators older
    // than that text offer "No" and treat any other answer as a failed negotiation.
    case KeyKind::obsolete_marker: return std::string(spec::kNo);
    case KeyKind::obsolete_interval:
    case KeyKind::from_target: return std::string(spec::kReject);
    case KeyKind::declared_text:
    case KeyKind::declared_name:
    case KeyKind::action: return std::nullopt;  // the caller answers
  }
  return std::nullopt;
}

}  // namespace lunar::iscsi

#include "iscsi/login/text_request.h"

#include <algorithm>
#include <utility>

namespace lunar::iscsi {

TextNegotiation::TextNegotiation(const NegotiationPolicy& policy, const TargetLister& lister,
                                 const LoginIdentity& identity, ConnectionParameters& parameters)
    : policy_(policy), lister_(lister), identity_(identity), parameters_(parameters) {}

TextReply TextNegotiation::handle(const spec::TextRequest& request, Bytes text) {
  if (auto fault = sequence_fault(request)) return refuse(std::move(*fault));
  // A request without a tag starts a negotiation and ends an open one (RFC 7143 §11.10.4).
  if (request.target_transfer_tag == spec::kReservedTag) start(request);
  if (!output_.empty() && !text.empty()) return refuse("text sent before the answer's last PDU");
  if (const auto appended = input_.append(text); !appended) {
    return refuse(appended.error().message);
  }
  if ((request.flags & spec::kContinue) != 0) return respond(request);

  const std::string whole = input_.take();
  const auto pairs = spec::parse_text(as_bytes(std::string_view(whole)));
  if (!pairs) return refuse(pairs.error().message);
  if (auto fault = answer(*pairs)) return refuse(std::move(*fault));
  return respond(request);
}

std::optional<std::string> TextNegotiation::sequence_fault(const spec::TextRequest& request) const {
  if ((request.flags & spec::kFinal) != 0 && (request.flags & spec::kContinue) != 0) {
    return "F and C bits together";  // RFC 7143 §11.10.2
  }
  if (request.target_transfer_tag == spec::kReservedTag) return std::nullopt;
  if (!in_progress_ || request.target_transfer_tag != target_transfer_tag_ ||
      request.initiator_task_tag != initiator_task_tag_) {
    return "no text negotiation has this tag";
  }
  return std::nullopt;
}

void TextNegotiation::start(const spec::TextRequest& request) {
  reset();
  in_progress_ = true;
  initiator_task_tag_ = request.initiator_task_tag;
  if (++target_transfer_tag_ == spec::kReservedTag) target_transfer_tag_ = 0;
  static_cast<ConnectionParameters&>(negotiated_) = parameters_;
}

void TextNegotiation::reset() {
  in_progress_ = false;
  seen_.clear();
  input_.clear();
  output_.clear();
}

std::optional<std::string> TextNegotiation::answer(const std::vector<spec::KeyValue>& pairs) {
  for (const spec::KeyValue& pair : pairs) {
    const KeyRule* const rule = find_key(pair.key);
    const auto sight = rule == nullptr ? SeenKeys::Sight::fresh : seen_.look(*rule, pair.value);
    if (sight == SeenKeys::Sight::wrong) return std::string(pair.key) + " came twice";
    if (sight == SeenKeys::Sight::fresh) answer_pair(pair);
  }
  return std::nullopt;
}

void TextNegotiation::answer_pair(const spec::KeyValue& pair) {
  const KeyRule* const rule = find_key(pair.key);
  if (rule == nullptr) {
    output_.add(pair.key, spec::kNotUnderstood);
    return;
  }
  const KeyContext context{.phase = kInFullFeature,
                           .leading = identity_.tsih == 0,
                           .discovery = identity_.session_type == SessionType::discovery};
  if (const auto refused = refusal(*rule, context)) {
    output_.add(pair.key, *refused);
  } else if (rule->key == Key::send_targets) {
    send_targets(pair.value);
  } else if (const auto value = negotiate(*rule, pair.value, policy_, negotiated_)) {
    output_.add(pair.key, *value);
  }
}

// RFC 7143 Appendix C. "All" is for discovery sessions. Some tools use it in normal sessions, too,
// and get the answer of an empty value there, which is all that they may know.
void TextNegotiation::send_targets(std::string_view value) {
  const bool discovery = identity_.session_type == SessionType::discovery;
  if (value == "All" && discovery) {
    for (const TargetRecord& record : lister_.list_targets(identity_.initiator_name)) {
      add_record(record);
    }
    return;
  }
  std::string name = identity_.target_name;
  if (value.empty() && discovery) {
    output_.add(key_name(Key::send_targets), spec::kReject);
    return;
  }
  if (!value.empty() && value != "All") {
    auto wanted = spec::normalize_peer_name(value);
    if (!wanted) {
      output_.add(key_name(Key::send_targets), spec::kReject);
      return;
    }
    name = std::move(*wanted);
  }
  if (!discovery && name != identity_.target_name) return;  // hide other targets
  if (const auto record = lister_.find_record(name, identity_.initiator_name)) add_record(*record);
}

void TextNegotiation::add_record(const TargetRecord& record) {
  output_.add(key_name(Key::target_name), record.name);
  for (const auto& portal : record.portals) {
    output_.add(key_name(Key::target_address),
                portal.address.to_string() + "," + std::to_string(portal.portal_group_tag));
  }
}

TextReply TextNegotiation::respond(const spec::TextRequest& request) {
  TextReply reply;
  const bool more_to_come = (request.flags & spec::kContinue) != 0;
  if (!more_to_come) reply.text = output_.take(parameters_.initiator_max_recv_data_segment_length);
  reply.bhs.data_segment_length = static_cast<std::uint32_t>(reply.text.size());
  reply.bhs.initiator_task_tag = initiator_task_tag_;
  // RFC 7143 §11.11.1: only a final request has a final response, and only if no text is left to
  // send.
  const bool final = (request.flags & spec::kFinal) != 0 && output_.empty();
  if (final) {
    reply.bhs.flags = spec::kFinal;
    parameters_ = static_cast<const ConnectionParameters&>(negotiated_);
    reset();
  } else {
    reply.bhs.flags = !output_.empty() && !more_to_come ? spec::kContinue : std::uint8_t{0};
    reply.bhs.target_transfer_tag = target_transfer_tag_;
  }
  return reply;
}

TextReply TextNegotiation::refuse(std::string reason) {
  reset();
  TextReply reply;
  reply.reject = spec::RejectReason::protocol_error;
  reply.reason = std::move(reason);
  return reply;
}

}  // namespace lunar::iscsi

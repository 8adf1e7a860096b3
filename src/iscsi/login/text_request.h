// Text Requests of the full feature phase (RFC 7143 §6.4, §11.10, §11.11, Appendix C). No I/O.
//
// Owned by one connection and used on its shard only. The connection fills in the sequence numbers
// of each response and sends it, or a Reject PDU if the reply says so.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "iscsi/login/login_negotiation.h"
#include "iscsi/login/text_keys.h"
#include "iscsi/login/text_stream.h"
#include "iscsi/spec/names.h"
#include "iscsi/spec/pdu.h"

namespace lunar::iscsi {

// A target and its portals.
struct TargetRecord {
  struct Portal {
    spec::PortalAddress address;  // no wildcard: an address that the initiator can connect to
    std::uint16_t portal_group_tag = 1;
  };
  std::string name;
  std::vector<Portal> portals;
};

// Source of SendTargets answers (RFC 7143 Appendix C). Lists only targets that the initiator may
// log in to.
class TargetLister {
 public:
  virtual ~TargetLister() = default;
  [[nodiscard]] virtual std::vector<TargetRecord> list_targets(
      std::string_view initiator_name) const = 0;
  // `target_name` in lower case.
  [[nodiscard]] virtual std::optional<TargetRecord> find_record(
      std::string_view target_name, std::string_view initiator_name) const = 0;
};

struct TextReply {
  spec::TextResponse bhs;  // complete, except StatSN, ExpCmdSN and MaxCmdSN
  std::string text;        // its data segment, without padding
  // Set: send a Reject PDU with this reason instead. The negotiation ends without effect.
  std::optional<spec::RejectReason> reject;
  std::string reason;  // of a Reject, for the log
};

class TextNegotiation {
 public:
  // All arguments must outlive this object. `parameters` change when the final response is
  // returned, so that the response is still sent under the old ones. In the full feature phase only
  // parameters of a connection can be negotiated (RFC 7143 §13).
  TextNegotiation(const NegotiationPolicy& policy, const TargetLister& lister,
                  const LoginIdentity& identity, ConnectionParameters& parameters);

  TextReply handle(const spec::TextRequest& request, Bytes text);

 private:
  [[nodiscard]] std::optional<std::string> sequence_fault(const spec::TextRequest& request) const;
  void start(const spec::TextRequest& request);
  void reset();
  // Answers the pairs. Returns what is wrong with the text, if anything.
  std::optional<std::string> answer(const std::vector<spec::KeyValue>& pairs);
  void answer_pair(const spec::KeyValue& pair);
  void send_targets(std::string_view value);
  void add_record(const TargetRecord& record);
  TextReply respond(const spec::TextRequest& request);
  TextReply refuse(std::string reason);

  const NegotiationPolicy& policy_;
  const TargetLister& lister_;
  const LoginIdentity& identity_;
  ConnectionParameters& parameters_;

  bool in_progress_ = false;
  std::uint32_t initiator_task_tag_ = spec::kReservedTag;
  std::uint32_t target_transfer_tag_ = 0;  // of the negotiation in progress
  Parameters negotiated_;                  // of which the connection's are used
  SeenKeys seen_;
  TextInput input_;
  TextOutput output_;
};

}  // namespace lunar::iscsi

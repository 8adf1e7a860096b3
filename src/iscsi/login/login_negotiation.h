// The login phase of one connection (RFC 7143 §6.3, §11.12, §11.13, §12, §13). No I/O.
//
// The connection passes in each Login Request with its text, and sends each reply. It closes after
// a refusal, and enters the full feature phase after LoginOutcome::full_feature. Owned by one
// connection and used on its shard only. Never blocks: the TargetDirectory answers look-ups at
// once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "iscsi/login/text_keys.h"
#include "iscsi/login/text_stream.h"
#include "iscsi/spec/pdu.h"
#include "iscsi/spec/text.h"

namespace lunar::iscsi {

// Largest data segment of a login PDU, in both directions: MaxRecvDataSegmentLength is 8192 until
// declared (RFC 7143 §13.12), and a declaration takes effect after login.
constexpr std::size_t kMaxLoginSegmentLength = 8192;
// Login Requests of one login. A peer that needs more will not finish; mutual CHAP takes five.
constexpr std::uint32_t kMaxLoginRequests = 64;
// TargetAlias, InitiatorAlias (RFC 7143 §13.6, §13.7)
constexpr std::size_t kMaxAliasLength = 255;

// One run of an authentication method with one initiator (RFC 7143 §12.1).
class Authenticator {
 public:
  enum class Verdict : std::uint8_t { in_progress, accepted, refused };

  virtual ~Authenticator() = default;
  // Whether `key` belongs to this method.
  [[nodiscard]] virtual bool owns(std::string_view key) const = 0;
  // Takes the method's keys of one request (at least one), and adds keys to `answer`.
  virtual Verdict advance(std::span<const spec::KeyValue> keys, TextOutput& answer) = 0;
};

// An authentication method that a target offers, such as "CHAP". Called on any shard.
class AuthMethod {
 public:
  virtual ~AuthMethod() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;
  [[nodiscard]] virtual std::unique_ptr<Authenticator> begin(
      std::string_view initiator_name) const = 0;
};

struct AuthPolicy {
  bool none_allowed = true;
  std::vector<std::shared_ptr<const AuthMethod>> methods;
};

// What login needs to know about a target.
struct TargetLogin {
  std::string name;
  std::uint16_t portal_group_tag = 1;  // of the connection's portal
  std::string alias;                   // empty: not declared
  AuthPolicy auth;
};

// The initiator, and the session that it requests.
struct LoginIdentity {
  std::string initiator_name;  // lower case
  std::string initiator_alias;
  SessionType session_type = SessionType::normal;
  std::string target_name;  // as the directory spells it; empty in a discovery session
  std::uint16_t portal_group_tag = 0;
  spec::Isid isid;
  std::uint16_t tsih = 0;  // 0: a new session; may reinstate an old one (RFC 7143 §6.3.5)
  std::uint16_t cid = 0;
  std::uint32_t cmd_sn = 0;  // CmdSN of the first command in the full feature phase
};

class TargetDirectory {
 public:
  virtual ~TargetDirectory() = default;
  // Names are in lower case. The error is the status for the initiator: not_found, target_removed,
  // authorization_failure or service_unavailable.
  [[nodiscard]] virtual std::expected<TargetLogin, spec::LoginStatus> find_target(
      std::string_view target_name, std::string_view initiator_name) const = 0;
  [[nodiscard]] virtual AuthPolicy discovery_auth(std::string_view initiator_name) const = 0;
};

enum class LoginOutcome : std::uint8_t {
  proceed,       // send the reply and wait for the next request
  full_feature,  // the login is accepted: send the reply
  refused,       // send the reply and close the connection
};

struct LoginReply {
  spec::LoginResponse bhs;  // complete, except `tsih` of a new session (see LoginNegotiation)
  std::string text;         // its data segment, without padding
  LoginOutcome outcome = LoginOutcome::proceed;
  std::string reason;  // of a refusal, for the log
};

// At LoginOutcome::full_feature the owner creates the session, or joins the one named by the TSIH.
// It puts the TSIH of a new session into reply.bhs.tsih before it sends the reply. If that fails,
// it sends refuse() instead.
class LoginNegotiation {
 public:
  // Both must outlive this object.
  LoginNegotiation(const NegotiationPolicy& policy, const TargetDirectory& directory);

  LoginReply handle(const spec::LoginRequest& request, Bytes text);

  // Ends the login for a reason that the owner found: out_of_resources, target_error, a session
  // error, or invalid_during_login for a PDU that is no Login Request.
  LoginReply refuse(spec::LoginStatus status, std::string reason);

  // Complete at LoginOutcome::full_feature.
  [[nodiscard]] const Parameters& parameters() const { return parameters_; }
  [[nodiscard]] const LoginIdentity& identity() const { return identity_; }
  // Whether a Login Request has been received.
  [[nodiscard]] bool has_begun() const { return request_count_ != 0; }
  // StatSN of the next response on this connection.
  [[nodiscard]] std::uint32_t next_stat_sn() const { return stat_sn_; }

 private:
  enum class State : std::uint8_t {
    begin,         // no request yet
    security,      // SecurityNegotiation
    operational,   // LoginOperationalNegotiation
    full_feature,  // the login is accepted
    refused,
  };
  struct Refusal {
    spec::LoginStatus status;
    std::string reason;
  };
  using Checked = std::expected<void, Refusal>;

  Checked advance(const spec::LoginRequest& request, Bytes text);
  Checked check_header(const spec::LoginRequest& request) const;
  Checked check_stages(const spec::LoginRequest& request) const;
  void adopt(const spec::LoginRequest& request);
  Checked answer(const std::vector<spec::KeyValue>& pairs);
  Checked identify(const std::vector<spec::KeyValue>& pairs);
  Checked find_target(std::string_view target_name);
  Checked answer_pair(const spec::KeyValue& pair, std::vector<spec::KeyValue>& auth_keys);
  Checked check_name(const KeyRule& rule, std::string_view value) const;
  Checked choose_auth_method(std::string_view offer);
  Checked run_authenticator(const std::vector<spec::KeyValue>& auth_keys);
  Checked check_authenticated(const spec::LoginRequest& request) const;

  LoginReply reply_to(const spec::LoginRequest& request);
  [[nodiscard]] spec::LoginResponse response() const;
  [[nodiscard]] spec::LoginStage stage() const;
  [[nodiscard]] KeyContext key_context() const;
  void transition(State next);

  const NegotiationPolicy& policy_;
  const TargetDirectory& directory_;
  State state_ = State::begin;
  std::uint32_t request_count_ = 0;
  std::uint32_t initiator_task_tag_ = spec::kReservedTag;  // of the current request
  std::uint32_t stat_sn_ = 0;
  bool identified_ = false;
  bool authenticated_ = false;
  AuthPolicy auth_;
  std::unique_ptr<Authenticator> authenticator_;
  bool declared_segment_length_ = false;
  SeenKeys seen_;
  TextInput input_;
  TextOutput output_;
  LoginIdentity identity_;
  Parameters parameters_;
};

}  // namespace lunar::iscsi

// The text keys of RFC 7143 §13 as a table, and the negotiation of one key by its row.
//
// Used by login and by Text Requests of the full feature phase. Keys with actions of their own
// (names, AuthMethod, SendTargets) have a row, too: it restricts them to their stages and detects
// repetitions. The owner of the key performs the action.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "iscsi/spec/pdu.h"

namespace lunar::iscsi {

enum class Digest : std::uint8_t { none, crc32c };
enum class SessionType : std::uint8_t { normal, discovery };
// Semantics of the task management functions that end many tasks (RFC 7143 §13.23).
enum class TaskReporting : std::uint8_t { rfc3720, response_fence, fast_abort };

// iSCSIProtocolLevel (RFC 7144 §7.1.1): at this level QUERY TASK and related functions exist.
constexpr std::uint32_t kProtocolLevelRfc7144 = 2;

// The negotiated values. Initially the RFC's defaults, which apply to keys that are not negotiated.
// Lengths are in bytes, times in seconds. RFC 7143 §13 gives the scope of each key.

// Scope: the session. The login of the leading connection negotiates them for all connections.
struct SessionParameters {
  std::uint32_t max_connections = 1;
  bool initial_r2t = true;
  bool immediate_data = true;
  std::uint32_t max_burst_length = 262144;
  std::uint32_t first_burst_length = 65536;
  std::uint32_t default_time2wait = 2;
  std::uint32_t default_time2retain = 20;
  std::uint32_t max_outstanding_r2t = 1;
  bool data_pdu_in_order = true;
  bool data_sequence_in_order = true;
  std::uint32_t error_recovery_level = 0;
  TaskReporting task_reporting = TaskReporting::rfc3720;
  std::uint32_t protocol_level = 1;  // iSCSIProtocolLevel

  friend bool operator==(const SessionParameters&, const SessionParameters&) = default;
};

// Scope: one connection.
struct ConnectionParameters {
  Digest header_digest = Digest::none;
  Digest data_digest = Digest::none;
  // Largest data segment that the initiator accepts, and that we accept. Each side declares its
  // own.
  std::uint32_t initiator_max_recv_data_segment_length = 8192;
  std::uint32_t target_max_recv_data_segment_length = 8192;

  friend bool operator==(const ConnectionParameters&, const ConnectionParameters&) = default;
};

// Everything that a login negotiates.
struct Parameters : SessionParameters, ConnectionParameters {
  friend bool operator==(const Parameters&, const Parameters&) = default;
};

// lunar's values and limits for negotiation.
struct NegotiationPolicy {
  // Our value of each key. The key's function combines it with the initiator's.
  Parameters preferred{{
                           .initial_r2t = false,
                           .max_burst_length = 1048576,
                           .first_burst_length = 262144,
                           .default_time2retain = 0,
                           .max_outstanding_r2t = 8,
                           .protocol_level = kProtocolLevelRfc7144,
                       },
                       {.target_max_recv_data_segment_length = 262144}};
  // Allowed values of list keys. The initiator's first choice among them wins.
  bool allow_digest_none = true;
  bool allow_digest_crc32c = true;
  // Command window that login advertises: MaxCmdSN = ExpCmdSN + command_window - 1.
  std::uint32_t command_window = 128;
};

enum class Key : std::uint8_t {
  auth_method,
  header_digest,
  data_digest,
  max_connections,
  send_targets,
  target_name,
  initiator_name,
  target_alias,
  initiator_alias,
  target_address,
  target_portal_group_tag,
  initial_r2t,
  immediate_data,
  max_recv_data_segment_length,
  max_burst_length,
  first_burst_length,
  default_time2wait,
  default_time2retain,
  max_outstanding_r2t,
  data_pdu_in_order,
  data_sequence_in_order,
  error_recovery_level,
  session_type,
  task_reporting,
  protocol_level,
  if_marker,
  of_marker,
  if_mark_int,
  of_mark_int,
};
constexpr std::size_t kKeyCount = static_cast<std::size_t>(Key::of_mark_int) + 1;

// How the result follows from the offer and our preference (RFC 7143 §6.2).
enum class KeyKind : std::uint8_t {
  list,             // the first offered value that we allow
  boolean_and,      // Yes if both say Yes
  boolean_or,       // Yes if either says Yes
  minimum,          // the smaller number
  maximum,          // the larger number
  declared_number,  // the initiator declares it; no answer
  declared_text,    // likewise; its owner stores it
  from_target,      // only targets may send it
  declared_name,    // declared: InitiatorName, TargetName, SessionType
  action,           // its owner answers it
  obsolete_marker,  // RFC 7143 §13.25
  obsolete_interval,
};

// Bits of KeyRule::phases.
constexpr std::uint8_t kInSecurity = 1;
constexpr std::uint8_t kInOperational = 2;
constexpr std::uint8_t kInFullFeature = 4;
constexpr std::uint8_t kInLogin = kInSecurity | kInOperational;

struct KeyRule {
  std::string_view name;
  Key key;
  KeyKind kind;
  std::uint8_t phases;                   // where initiators may send it
  bool leading_only = false;             // only on the session's first connection
  bool irrelevant_in_discovery = false;  // answered "Irrelevant" in discovery sessions
  std::uint32_t Parameters::* number = nullptr;
  bool Parameters::* boolean = nullptr;
  std::uint32_t minimum = 0;  // range of the number
  std::uint32_t maximum = 0;
};

// nullptr: not a key of the RFC.
[[nodiscard]] const KeyRule* find_key(std::string_view name);
[[nodiscard]] std::string_view key_name(Key key);

struct KeyContext {
  std::uint8_t phase = kInOperational;
  bool leading = true;
  bool discovery = false;
};

// Whether the rule refuses its key whatever the value: spec::kReject, spec::kIrrelevant, or
// nothing.
[[nodiscard]] std::optional<std::string_view> refusal(const KeyRule& rule,
                                                      const KeyContext& context);

// Negotiates an offered `value` into `parameters` and returns the answer. No answer for
// declarations. Answers an unacceptable value with spec::kReject and changes nothing. Not for the
// kinds declared_text, declared_name and action.
[[nodiscard]] std::optional<std::string> negotiate(const KeyRule& rule, std::string_view value,
                                                   const NegotiationPolicy& policy,
                                                   Parameters& parameters);

// The initiator's keys in one negotiation. Each key may occur once (RFC 7143 §6.3). An identical
// repetition of a declaration changes nothing and is accepted: libiscsi, and so QEMU, repeats
// InitiatorName in the operational stage.
class SeenKeys {
 public:
  enum class Sight : std::uint8_t {
    fresh,     // first occurrence
    repeated,  // an identical declaration: ignore it
    wrong,     // a different declaration, or a repeated negotiation
  };
  Sight look(const KeyRule& rule, std::string_view value);
  void clear();

 private:
  std::bitset<kKeyCount> seen_;
  std::vector<std::pair<Key, std::string>> declared_;
};

}  // namespace lunar::iscsi

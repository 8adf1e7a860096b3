#include "bench/login.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <vector>

#include "iscsi/spec/text.h"

namespace lunar::bench {
namespace {

using namespace iscsi::spec;

constexpr unsigned kMaxExchanges = 16;  // more than any login needs

std::string_view status_text(LoginStatus status) {
  switch (status) {
    case LoginStatus::success: return "success";
    case LoginStatus::target_moved_temporarily:
    case LoginStatus::target_moved_permanently: return "the target has moved";
    case LoginStatus::initiator_error: return "initiator error";
    case LoginStatus::authentication_failure: return "authentication failure";
    case LoginStatus::authorization_failure: return "authorization failure";
    case LoginStatus::not_found: return "no such target";
    case LoginStatus::target_removed: return "the target has been removed";
    case LoginStatus::unsupported_version: return "unsupported version";
    case LoginStatus::too_many_connections: return "too many connections";
    case LoginStatus::missing_parameter: return "missing parameter";
    case LoginStatus::cannot_include_in_session: return "cannot include in session";
    case LoginStatus::session_type_not_supported: return "session type not supported";
    case LoginStatus::session_does_not_exist: return "session does not exist";
    case LoginStatus::invalid_during_login: return "invalid during login";
    case LoginStatus::target_error: return "target error";
    case LoginStatus::service_unavailable: return "service unavailable";
    case LoginStatus::out_of_resources: return "out of resources";
  }
  return "unknown status";
}

class Login {
 public:
  Login(const Socket& socket, const LoginRequestOptions& options)
      : socket_(socket), options_(options) {}

  Result<SessionParameters> run() {
    LUNAR_TRY(negotiate(LoginStage::security_negotiation, security_keys()));
    if (stage_ == LoginStage::login_operational_negotiation) {
      LUNAR_TRY(negotiate(stage_, operational_keys()));
    }
    if (stage_ != LoginStage::full_feature_phase) {
      return fail(ErrorCode::unsupported, "login: the target ends in no full feature phase");
    }
    // Without what was requested, the run would measure something else.
    const auto refused = [](bool asked, bool agreed) { return asked && !agreed; };
    if (refused(options_.digests.header, parameters_.digests.header)) {
      return fail(ErrorCode::unsupported, "the target takes no header digests");
    }
    if (refused(options_.digests.data, parameters_.digests.data)) {
      return fail(ErrorCode::unsupported, "the target takes no data digests");
    }
    return parameters_;
  }

 private:
  // Exchanges PDUs until the target leaves `stage`.
  Result<> negotiate(LoginStage stage, std::string keys) {
    const LoginStage next = stage == LoginStage::security_negotiation
                                ? LoginStage::login_operational_negotiation
                                : LoginStage::full_feature_phase;
    for (unsigned i = 0; i < kMaxExchanges; ++i) {
      LUNAR_TRY(send_request(stage, next, keys));
      keys.clear();
      LUNAR_TRY_ASSIGN(const LoginResponse response, receive_response());
      if ((response.flags & kTransit) != 0) {
        stage_ = next_stage(response.flags);
        return {};
      }
    }
    return fail(ErrorCode::unsupported, "login: the target does not come to an end");
  }

  [[nodiscard]] std::string security_keys() const {
    std::string text;
    append_pair(text, "InitiatorName", options_.initiator_name);
    append_pair(text, "TargetName", options_.target);
    append_pair(text, "SessionType", "Normal");
    append_pair(text, "AuthMethod", kNone);
    return text;
  }
  [[nodiscard]] std::string operational_keys() const {
    constexpr std::uint64_t kMaxBurst = 16'776'192;  // 2**24 - 1, down to whole kilobytes
    const std::uint64_t first_burst =
        std::clamp<std::uint64_t>(options_.largest_write, 262'144, kMaxBurst);
    std::string text;
    append_pair(text, "HeaderDigest", options_.digests.header ? "CRC32C" : kNone);
    append_pair(text, "DataDigest", options_.digests.data ? "CRC32C" : kNone);
    append_pair(text, "MaxRecvDataSegmentLength", std::to_string(kMaxRecvDataSegmentLength));
    append_pair(text, "InitialR2T", kNo);
    append_pair(text, "ImmediateData", kYes);
    append_pair(text, "MaxBurstLength", std::to_string(kMaxBurst));
    append_pair(text, "FirstBurstLength", std::to_string(first_burst));
    append_pair(text, "MaxOutstandingR2T", "1");
    append_pair(text, "MaxConnections", "1");
    append_pair(text, "DataPDUInOrder", kYes);
    append_pair(text, "DataSequenceInOrder", kYes);
    append_pair(text, "DefaultTime2Wait", "2");
    append_pair(text, "DefaultTime2Retain", "0");
    append_pair(text, "ErrorRecoveryLevel", "0");
    return text;
  }

  Result<> send_request(LoginStage stage, LoginStage next, std::string_view text) {
    LoginRequest request;
    request.flags = static_cast<std::uint8_t>(kTransit | stage_flags(stage, next));
    request.isid = options_.isid;
    request.tsih = tsih_;
    request.data_segment_length = static_cast<std::uint32_t>(text.size());
    request.cmd_sn = parameters_.cmd_sn;
    request.exp_stat_sn = parameters_.exp_stat_sn;
    std::vector<std::byte> pdu(sizeof request + padded_length(text.size()));
    ByteWriter writer(pdu);
    writer.write(request);
    writer.write_text(text);
    return send_all(socket_, pdu);
  }

  Result<LoginResponse> receive_response() {
    Bhs header;
    LUNAR_TRY(receive_all(socket_, {reinterpret_cast<std::byte*>(&header), sizeof header}));
    if (header.opcode() != Opcode::login_response) {
      return fail(ErrorCode::malformed, "login: the answer is no Login Response");
    }
    text_.resize(padded_length(header.data_segment_length));
    LUNAR_TRY(receive_all(socket_, text_));
    text_.resize(header.data_segment_length);
    const auto response = pdu_cast<LoginResponse>(header);
    if (response.status() != LoginStatus::success) {
      return fail(
          ErrorCode::permission,
          fmt::format("login to {} is refused: {} ({:04x}h)", options_.target,
                      status_text(response.status()), static_cast<unsigned>(response.status())));
    }
    parameters_.exp_stat_sn = response.stat_sn + 1;
    parameters_.max_cmd_sn = response.max_cmd_sn;
    // The first command's CmdSN is the login's (RFC 7143 §4.2.2.1).
    parameters_.cmd_sn = response.exp_cmd_sn;
    tsih_ = response.tsih;
    LUNAR_TRY(take_keys());
    return response;
  }

  Result<> take_keys() {
    LUNAR_TRY_ASSIGN(const auto pairs, parse_text(text_));
    for (const auto& [key, value] : pairs) LUNAR_TRY(take_key(key, value));
    return {};
  }
  Result<> take_key(std::string_view key, std::string_view value) {
    if (key == "HeaderDigest") parameters_.digests.header = value == "CRC32C";
    if (key == "DataDigest") parameters_.digests.data = value == "CRC32C";
    if (key == "InitialR2T") parameters_.initial_r2t = value == kYes;
    if (key == "ImmediateData") parameters_.immediate_data = value == kYes;
    if (key == "MaxRecvDataSegmentLength") {
      return take_number(value, parameters_.max_recv_data_segment_length);
    }
    if (key == "MaxBurstLength") return take_number(value, parameters_.max_burst_length);
    if (key == "FirstBurstLength") return take_number(value, parameters_.first_burst_length);
    return {};
  }
  static Result<> take_number(std::string_view value, std::uint32_t& into) {
    LUNAR_TRY_ASSIGN(const std::uint64_t number, parse_number(value));
    // RFC 7143 §13.12 to §13.14: the three lengths have the same bounds.
    if (number < 512 || number > kMaxDataSegmentLength) {
      return fail(ErrorCode::malformed, fmt::format("login: a length of {}", value));
    }
    into = static_cast<std::uint32_t>(number);
    return {};
  }

  const Socket& socket_;
  const LoginRequestOptions& options_;
  SessionParameters parameters_;
  LoginStage stage_ = LoginStage::security_negotiation;
  std::uint16_t tsih_ = 0;
  std::vector<std::byte> text_;
};

}  // namespace

Result<SessionParameters> log_in(const Socket& socket, const LoginRequestOptions& options) {
  return Login(socket, options).run();
}

}  // namespace lunar::bench

// Drives a login, and Text Requests after it, with PDUs made from the input: a byte of mode, the
// header's variable bytes, two bytes of length, then that many bytes of text, and so on.
#include <cstdlib>

#include "iscsi/login/login_negotiation.h"
#include "iscsi/login/text_request.h"

namespace {

using namespace lunar;
using namespace lunar::iscsi;

void require(bool condition) {
  if (!condition) std::abort();
}

class AnyTarget final : public TargetDirectory, public TargetLister {
 public:
  [[nodiscard]] std::expected<TargetLogin, spec::LoginStatus> find_target(
      std::string_view target_name, std::string_view) const override {
    if (target_name.size() > 100) return std::unexpected(spec::LoginStatus::not_found);
    return TargetLogin{.name = std::string(target_name), .alias = "fuzz", .auth = {}};
  }
  [[nodiscard]] AuthPolicy discovery_auth(std::string_view) const override { return {}; }
  [[nodiscard]] std::vector<TargetRecord> list_targets(std::string_view) const override {
    return {64, TargetRecord{.name = "iqn.a", .portals = {{}, {}}}};
  }
  [[nodiscard]] std::optional<TargetRecord> find_record(std::string_view target_name,
                                                        std::string_view) const override {
    return TargetRecord{.name = std::string(target_name), .portals = {{}}};
  }
};

void check_parameters(const Parameters& parameters) {
  require(parameters.max_burst_length >= 512 && parameters.first_burst_length >= 512);
  require(parameters.first_burst_length <= parameters.max_burst_length);
  require(parameters.initiator_max_recv_data_segment_length >= 512);
  require(parameters.initiator_max_recv_data_segment_length <= spec::kMaxDataSegmentLength);
  require(parameters.max_connections == 1 && parameters.error_recovery_level == 0);
  require(parameters.max_outstanding_r2t >= 1);
}

// The next text of the input.
Bytes take_text(ByteReader& input) {
  const auto length = input.read<be16>();
  if (!length) return {};
  const std::size_t count = std::min<std::size_t>(length->value(), input.remaining());
  return input.read_bytes(count).value_or(Bytes{});
}

bool log_in(LoginNegotiation& login, ByteReader& input) {
  while (const auto flags = input.read<std::array<std::uint8_t, 2>>()) {
    spec::LoginRequest request;
    request.flags = (*flags)[0];
    // Mostly a well-formed identity, so that the input gets beyond it.
    request.tsih = ((*flags)[1] & 0x01) != 0 ? 1 : 0;
    request.version_min = ((*flags)[1] & 0x80) != 0 ? 1 : 0;
    const Bytes text = take_text(input);
    request.data_segment_length = static_cast<std::uint32_t>(text.size());
    const LoginReply reply = login.handle(request, text);
    require(reply.text.size() <= kMaxLoginSegmentLength);
    require(reply.bhs.data_segment_length == reply.text.size());
    require((reply.outcome == LoginOutcome::refused) ==
            (reply.bhs.status() != spec::LoginStatus::success));
    if (reply.outcome == LoginOutcome::refused) return false;
    if (reply.outcome == LoginOutcome::full_feature) return true;
  }
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const NegotiationPolicy policy;
  const AnyTarget targets;
  ByteReader input(std::as_bytes(std::span(data, size)));
  LoginNegotiation login(policy, targets);
  if (!log_in(login, input)) return 0;

  Parameters parameters = login.parameters();
  check_parameters(parameters);
  require(!login.identity().initiator_name.empty());
  TextNegotiation negotiation(policy, targets, login.identity(), parameters);
  std::uint32_t target_transfer_tag = spec::kReservedTag;
  while (const auto flags = input.read<std::array<std::uint8_t, 2>>()) {
    spec::TextRequest request;
    request.flags = (*flags)[0];
    if (((*flags)[1] & 1) != 0) request.target_transfer_tag = target_transfer_tag;
    const std::uint32_t limit = parameters.initiator_max_recv_data_segment_length;
    const TextReply reply = negotiation.handle(request, take_text(input));
    require(reply.text.size() <= limit);
    target_transfer_tag = reply.bhs.target_transfer_tag;
    check_parameters(parameters);
  }
  return 0;
}

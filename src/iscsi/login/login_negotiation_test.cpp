#include "iscsi/login/login_negotiation.h"

#include <gtest/gtest.h>

#include <map>

namespace lunar::iscsi {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;
using spec::LoginStage;
using spec::LoginStatus;

constexpr auto kSecurity = LoginStage::security_negotiation;
constexpr auto kOperational = LoginStage::login_operational_negotiation;
constexpr auto kFullFeature = LoginStage::full_feature_phase;

constexpr std::string_view kNames =
    "InitiatorName=iqn.2007-10.com.Example:host\0TargetName=iqn.2026-11.io.lunar:disks\0"sv;
constexpr std::string_view kDiscovery =
    "InitiatorName=iqn.2007-10.com.example:host\0SessionType=Discovery\0"sv;

// An authentication method with a clear-text secret, sent in any number of requests.
class Password final : public AuthMethod {
 public:
  class Run final : public Authenticator {
   public:
    [[nodiscard]] bool owns(std::string_view key) const override { return key.starts_with("PW_"); }
    Verdict advance(std::span<const spec::KeyValue> keys, TextOutput& answer) override {
      if (keys.front().key == "PW_Hello") {
        answer.add("PW_Ask", "secret");
        return Verdict::in_progress;
      }
      return keys.front().value == "sesame" ? Verdict::accepted : Verdict::refused;
    }
  };
  [[nodiscard]] std::string_view name() const override { return "PW"; }
  [[nodiscard]] std::unique_ptr<Authenticator> begin(std::string_view) const override {
    return std::make_unique<Run>();
  }
};

class OneTarget final : public TargetDirectory {
 public:
  [[nodiscard]] std::expected<TargetLogin, LoginStatus> find_target(
      std::string_view target_name, std::string_view) const override {
    if (target_name != target.name) return std::unexpected(LoginStatus::not_found);
    return target;
  }
  [[nodiscard]] AuthPolicy discovery_auth(std::string_view) const override { return target.auth; }

  TargetLogin target{
      .name = "iqn.2026-11.io.lunar:disks", .portal_group_tag = 3, .alias = {}, .auth = {}};
};

class Login : public testing::Test {
 protected:
  static spec::LoginRequest request(std::uint8_t flags) {
    spec::LoginRequest bhs;
    bhs.flags = flags;
    bhs.isid.bytes = {0x80, 1, 2, 3, 4, 5};
    bhs.initiator_task_tag = 0x1234;
    bhs.cid = 1;
    bhs.cmd_sn = 100;
    bhs.exp_stat_sn = 50;
    return bhs;
  }
  LoginReply send(spec::LoginRequest bhs, std::string_view text) {
    bhs.data_segment_length = static_cast<std::uint32_t>(text.size());
    return login.handle(bhs, as_bytes(text));
  }
  LoginReply send(std::uint8_t flags, std::string_view text) { return send(request(flags), text); }
  // T=1 from `from` to `to`.
  LoginReply transit(LoginStage from, LoginStage to, std::string_view text) {
    return send(spec::kTransit | spec::stage_flags(from, to), text);
  }
  LoginReply stay(LoginStage stage, std::string_view text) {
    return send(spec::stage_flags(stage, kSecurity), text);
  }
  // A login in one request: the names, then `keys`.
  LoginReply whole(std::string_view names, std::string_view keys) {
    return transit(kOperational, kFullFeature, std::string(names) + std::string(keys));
  }
  static std::map<std::string, std::string, std::less<>> pairs(const LoginReply& reply) {
    std::map<std::string, std::string, std::less<>> result;
    const auto parsed = spec::parse_text(as_bytes(std::string_view(reply.text)));
    EXPECT_TRUE(parsed.has_value());
    for (const auto& [key, value] : *parsed) result.emplace(key, value);
    return result;
  }
  static void expect_refused(const LoginReply& reply, LoginStatus status) {
    EXPECT_EQ(reply.outcome, LoginOutcome::refused);
    EXPECT_EQ(static_cast<int>(reply.bhs.status()), static_cast<int>(status)) << reply.reason;
    EXPECT_EQ(reply.bhs.flags & spec::kTransit, 0);
    EXPECT_TRUE(reply.text.empty());
    EXPECT_FALSE(reply.reason.empty());
  }
  void require_password() {
    directory.target.auth = {.none_allowed = false, .methods = {std::make_shared<Password>()}};
  }

  NegotiationPolicy policy;
  OneTarget directory;
  LoginNegotiation login{policy, directory};
};

TEST_F(Login, OneRequestIsEnough) {
  const LoginReply reply = whole(kNames, "");
  EXPECT_EQ(reply.outcome, LoginOutcome::full_feature);
  EXPECT_EQ(reply.text, "TargetPortalGroupTag=3\0MaxRecvDataSegmentLength=262144\0"sv);
  EXPECT_EQ(login.identity().initiator_name, "iqn.2007-10.com.example:host");
  EXPECT_EQ(login.identity().target_name, "iqn.2026-11.io.lunar:disks");
  EXPECT_EQ(login.identity().cmd_sn, 100U);
  EXPECT_EQ(login.next_stat_sn(), 51U);
}

TEST_F(Login, ResponseHeaderIsExact) {
  const LoginReply reply = whole(kNames, "");
  const std::array<std::uint8_t, 48> expected = {
      0x23, 0x87, 0,    0,    0, 0, 0, 55,
      0x80, 1,    2,    3,    4, 5, 0, 0,  // T, CSG 1, NSG 3; ISID, TSIH
      0,    0,    0x12, 0x34, 0, 0, 0, 0,
      0,    0,    0,    50,   0, 0, 0, 100,  // ITT; StatSN, ExpCmdSN
      0,    0,    0,    227,  0, 0, 0, 0,
      0,    0,    0,    0,    0, 0, 0, 0};  // MaxCmdSN; status
  EXPECT_TRUE(std::ranges::equal(as_bytes(reply.bhs), std::as_bytes(std::span(expected))));
}

TEST_F(Login, GoesThroughBothStages) {
  LoginReply reply =
      transit(kSecurity, kOperational, std::string(kNames) + "AuthMethod=CHAP,None\0"s);
  EXPECT_EQ(reply.outcome, LoginOutcome::proceed);
  EXPECT_EQ(reply.bhs.flags, spec::kTransit | spec::stage_flags(kSecurity, kOperational));
  EXPECT_EQ(reply.text, "TargetPortalGroupTag=3\0AuthMethod=None\0"sv);
  reply = stay(kOperational, "MaxBurstLength=65536\0"sv);
  EXPECT_EQ(reply.outcome, LoginOutcome::proceed);
  EXPECT_EQ(reply.bhs.flags, spec::stage_flags(kOperational, kSecurity));
  EXPECT_EQ(pairs(reply)["MaxBurstLength"], "65536");
  EXPECT_EQ(pairs(reply)["MaxRecvDataSegmentLength"], "262144");
  reply = transit(kOperational, kFullFeature, "");
  EXPECT_EQ(reply.outcome, LoginOutcome::full_feature);
  EXPECT_TRUE(reply.text.empty());
  EXPECT_EQ(reply.bhs.stat_sn, 52U);
}

TEST_F(Login, MayGoFromSecurityToFullFeature) {
  EXPECT_EQ(transit(kSecurity, kFullFeature, kNames).outcome, LoginOutcome::full_feature);
  // Nothing was declared, so the default applies.
  EXPECT_EQ(login.parameters().target_max_recv_data_segment_length, 8192U);
}

TEST_F(Login, NegotiatesEachKeyByItsFunction) {
  const LoginReply reply = whole(
      kNames,
      "HeaderDigest=CRC32C,None\0DataDigest=None,CRC32C\0MaxConnections=4\0InitialR2T=No\0"
      "ImmediateData=Yes\0MaxRecvDataSegmentLength=0x10000\0MaxBurstLength=16776192\0"
      "FirstBurstLength=16776192\0DefaultTime2Wait=5\0DefaultTime2Retain=60\0MaxOutstandingR2T=64\0"
      "DataPDUInOrder=No\0DataSequenceInOrder=No\0ErrorRecoveryLevel=2\0TaskReporting=FastAbort,"
      "RFC3720\0"
      "iSCSIProtocolLevel=2\0"sv);
  auto answers = pairs(reply);
  EXPECT_EQ(reply.outcome, LoginOutcome::full_feature);
  EXPECT_EQ(answers["HeaderDigest"], "CRC32C");
  EXPECT_EQ(answers["DataDigest"], "None");
  EXPECT_EQ(answers["MaxConnections"], "1");
  EXPECT_EQ(answers["InitialR2T"], "No");
  EXPECT_EQ(answers["ImmediateData"], "Yes");
  EXPECT_EQ(answers["MaxRecvDataSegmentLength"], "262144");  // our own, not an answer
  EXPECT_EQ(answers["MaxBurstLength"], "1048576");
  EXPECT_EQ(answers["FirstBurstLength"], "262144");
  EXPECT_EQ(answers["DefaultTime2Wait"], "5");
  EXPECT_EQ(answers["DefaultTime2Retain"], "0");
  EXPECT_EQ(answers["MaxOutstandingR2T"], "8");
  EXPECT_EQ(answers["DataPDUInOrder"], "Yes");
  EXPECT_EQ(answers["DataSequenceInOrder"], "Yes");
  EXPECT_EQ(answers["ErrorRecoveryLevel"], "0");
  EXPECT_EQ(answers["TaskReporting"], "RFC3720");
  EXPECT_EQ(answers["iSCSIProtocolLevel"], "2");
  const Parameters expected{{.initial_r2t = false,
                             .max_burst_length = 1048576,
                             .first_burst_length = 262144,
                             .default_time2wait = 5,
                             .default_time2retain = 0,
                             .max_outstanding_r2t = 8,
                             .protocol_level = 2},
                            {.header_digest = Digest::crc32c,
                             .initiator_max_recv_data_segment_length = 65536,
                             .target_max_recv_data_segment_length = 262144}};
  EXPECT_EQ(login.parameters(), expected);
}

TEST_F(Login, InitiatorCanInsistOnR2TAndRefuseImmediateData) {
  auto answers = pairs(whole(kNames, "InitialR2T=Yes\0ImmediateData=No\0"sv));
  EXPECT_EQ(answers["InitialR2T"], "Yes");
  EXPECT_EQ(answers["ImmediateData"], "No");
}

TEST_F(Login, DefaultsHoldForWhatNobodyNamed) {
  whole(kNames, "");
  Parameters expected;
  expected.target_max_recv_data_segment_length = 262144;
  EXPECT_EQ(login.parameters(), expected);
}

TEST_F(Login, FirstBurstNeverPassesMaxBurst) {
  auto answers = pairs(whole(kNames, "MaxBurstLength=4096\0FirstBurstLength=65536\0"sv));
  EXPECT_EQ(answers["FirstBurstLength"], "4096");
  LoginNegotiation other(policy, directory);
  other.handle(request(0x87), as_bytes(std::string(kNames) + "MaxBurstLength=4096\0"s));
  EXPECT_EQ(other.parameters().first_burst_length, 4096U);
}

TEST_F(Login, UnacceptableValuesAreRejectedAndChangeNothing) {
  auto answers =
      pairs(whole(kNames,
                  "MaxBurstLength=511\0FirstBurstLength=x\0InitialR2T=yes\0HeaderDigest=SHA1\0"
                  "DataDigest=\0MaxOutstandingR2T=65536\0DefaultTime2Wait=3601\0"sv));
  for (const std::string_view key :
       {"MaxBurstLength", "FirstBurstLength", "InitialR2T", "HeaderDigest", "DataDigest",
        "MaxOutstandingR2T", "DefaultTime2Wait"}) {
    EXPECT_EQ(answers.find(key)->second, "Reject") << key;
  }
  EXPECT_TRUE(login.parameters().initial_r2t);
  EXPECT_EQ(login.parameters().max_burst_length, 262144U);
}

TEST_F(Login, RejectsDigestsThePolicyForbids) {
  policy.allow_digest_none = false;
  auto answers = pairs(whole(kNames, "HeaderDigest=None,CRC32C\0DataDigest=None\0"sv));
  EXPECT_EQ(answers["HeaderDigest"], "CRC32C");
  EXPECT_EQ(answers["DataDigest"], "Reject");
}

TEST_F(Login, UnknownKeysAreNotUnderstood) {
  auto answers = pairs(whole(kNames, "X-com.example.a=1\0Bogus=2\0X#NodeArchitecture=x86\0"sv));
  EXPECT_EQ(answers["X-com.example.a"], "NotUnderstood");
  EXPECT_EQ(answers["Bogus"], "NotUnderstood");
}

TEST_F(Login, ObsoleteMarkersAreAnswered) {
  auto answers =
      pairs(whole(kNames, "IFMarker=Yes\0OFMarker=No\0OFMarkInt=1~2\0IFMarkInt=Reject\0"sv));
  EXPECT_EQ(answers["IFMarker"], "No");
  EXPECT_EQ(answers["OFMarker"], "No");
  EXPECT_EQ(answers["OFMarkInt"], "Reject");
  EXPECT_EQ(answers["IFMarkInt"], "Reject");
}

TEST_F(Login, KeysOutsideTheirStageAreRejected) {
  auto answers =
      pairs(stay(kSecurity, std::string(kNames) + "MaxBurstLength=4096\0SendTargets=All\0"s));
  EXPECT_EQ(answers["MaxBurstLength"], "Reject");
  EXPECT_EQ(answers["SendTargets"], "Reject");
  EXPECT_EQ(pairs(transit(kSecurity, kOperational, "TargetAlias=x\0"sv))["TargetAlias"], "Reject");
  EXPECT_EQ(pairs(stay(kOperational, "AuthMethod=None\0"sv))["AuthMethod"], "Reject");
}

TEST_F(Login, DeclaresItsAliasAndTakesTheInitiators) {
  directory.target.alias = "Lab disks";
  auto answers = pairs(whole(kNames, "InitiatorAlias=build host\0"sv));
  EXPECT_EQ(answers["TargetAlias"], "Lab disks");
  EXPECT_FALSE(answers.contains("InitiatorAlias"));
  EXPECT_EQ(login.identity().initiator_alias, "build host");
}

TEST_F(Login, DiscoveryNeedsNoTargetAndFindsScsiKeysIrrelevant) {
  const LoginReply reply = whole(kDiscovery, "MaxBurstLength=4096\0DefaultTime2Wait=0\0"sv);
  EXPECT_EQ(reply.outcome, LoginOutcome::full_feature);
  auto answers = pairs(reply);
  EXPECT_EQ(answers["MaxBurstLength"], "Irrelevant");
  EXPECT_EQ(answers["DefaultTime2Wait"], "2");
  EXPECT_FALSE(answers.contains("TargetPortalGroupTag"));
  EXPECT_EQ(login.identity().session_type, SessionType::discovery);
}

TEST_F(Login, SessionTypeMayStandBehindOtherKeys) {
  auto answers =
      pairs(whole("", "MaxBurstLength=4096\0SessionType=Discovery\0InitiatorName=iqn.a\0"sv));
  EXPECT_EQ(answers["MaxBurstLength"], "Irrelevant");
}

TEST_F(Login, RejectsUnknownVersion) {
  spec::LoginRequest bhs = request(0x87);
  bhs.version_min = 1;
  bhs.version_max = 2;
  const LoginReply reply = send(bhs, kNames);
  expect_refused(reply, LoginStatus::unsupported_version);
  EXPECT_EQ(reply.bhs.version_active, 0);
}

TEST_F(Login, TakesItsVersionOutOfARange) {
  spec::LoginRequest bhs = request(0x87);
  bhs.version_max = 2;
  EXPECT_EQ(send(bhs, kNames).outcome, LoginOutcome::full_feature);
}

TEST_F(Login, RequiresInitiatorName) {
  expect_refused(whole("", "TargetName=iqn.2026-11.io.lunar:disks\0"sv),
                 LoginStatus::missing_parameter);
}

TEST_F(Login, RequiresTargetNameInANormalSession) {
  expect_refused(whole("", "InitiatorName=iqn.a\0SessionType=Normal\0"sv),
                 LoginStatus::missing_parameter);
}

TEST_F(Login, RefusesUnknownTarget) {
  expect_refused(whole("", "InitiatorName=iqn.a\0TargetName=iqn.b\0"sv), LoginStatus::not_found);
}

TEST_F(Login, FindsTargetInAnyCase) {
  EXPECT_EQ(whole("", "InitiatorName=iqn.a\0TargetName=IQN.2026-11.io.LUNAR:disks\0"sv).outcome,
            LoginOutcome::full_feature);
}

TEST_F(Login, RefusesUnknownSessionType) {
  expect_refused(whole(kNames, "SessionType=Party\0"sv), LoginStatus::session_type_not_supported);
}

TEST_F(Login, JoinsASessionWithoutItsLeadingKeys) {
  spec::LoginRequest bhs = request(0x87);
  bhs.tsih = 7;
  const LoginReply reply =
      send(bhs, std::string(kNames) + "MaxBurstLength=4096\0HeaderDigest=CRC32C\0"s);
  EXPECT_EQ(reply.outcome, LoginOutcome::full_feature);
  EXPECT_EQ(reply.bhs.tsih, 7);
  EXPECT_EQ(pairs(reply)["MaxBurstLength"], "Reject");
  EXPECT_EQ(pairs(reply)["HeaderDigest"], "CRC32C");
}

TEST_F(Login, RefusesKeyThatComesTwice) {
  expect_refused(whole(kNames, "MaxBurstLength=512\0MaxBurstLength=512\0"sv),
                 LoginStatus::initiator_error);
}

// As libiscsi does if it has credentials.
TEST_F(Login, TakesADeclarationThatIsRepeatedWordForWord) {
  transit(kSecurity, kOperational,
          std::string(kNames) + "SessionType=Normal\0InitiatorAlias=me\0AuthMethod=None\0"s);
  const LoginReply reply =
      transit(kOperational, kFullFeature,
              std::string(kNames) + "SessionType=Normal\0InitiatorAlias=me\0"s +
                  "MaxRecvDataSegmentLength=4096\0MaxRecvDataSegmentLength=4096\0"s);
  EXPECT_EQ(reply.outcome, LoginOutcome::full_feature) << reply.reason;
  EXPECT_EQ(reply.text, "MaxRecvDataSegmentLength=262144\0"sv) << "nothing is answered again";
  EXPECT_EQ(login.parameters().initiator_max_recv_data_segment_length, 4096U);
  EXPECT_EQ(login.identity().initiator_alias, "me");
}

TEST_F(Login, RefusesADeclarationThatSaysOtherwiseLater) {
  constexpr std::string_view kChanged[] = {"InitiatorName=iqn.2007-10.com.example:other\0"sv,
                                           "TargetName=iqn.2026-11.io.lunar:other\0"sv,
                                           "SessionType=Discovery\0"sv, "InitiatorAlias=you\0"sv,
                                           "MaxRecvDataSegmentLength=512\0"sv};
  for (const std::string_view changed : kChanged) {
    LoginNegotiation fresh(policy, directory);
    const auto say = [&](std::uint8_t flags, std::string_view text) {
      spec::LoginRequest bhs = request(flags);
      bhs.data_segment_length = static_cast<std::uint32_t>(text.size());
      return fresh.handle(bhs, as_bytes(text));
    };
    say(spec::stage_flags(kOperational, kSecurity),
        std::string(kNames) +
            "SessionType=Normal\0InitiatorAlias=me\0MaxRecvDataSegmentLength=4096\0"s);
    expect_refused(say(spec::kTransit | spec::stage_flags(kOperational, kFullFeature), changed),
                   LoginStatus::initiator_error);
  }
}

TEST_F(Login, RefusesKeyThatComesAgainInALaterRequest) {
  stay(kOperational, std::string(kNames) + "MaxBurstLength=512\0"s);
  expect_refused(stay(kOperational, "MaxBurstLength=512\0"sv), LoginStatus::initiator_error);
}

TEST_F(Login, RefusesMalformedText) {
  expect_refused(whole(kNames, "nonsense\0"sv), LoginStatus::initiator_error);
}

class LoginStages : public Login, public testing::WithParamInterface<int> {};

TEST_P(LoginStages, IllegalFirstFlagsAreRefused) {
  expect_refused(send(static_cast<std::uint8_t>(GetParam()), kNames), LoginStatus::initiator_error);
}

// CSG 2, CSG 3, NSG 2, NSG 0 and NSG = CSG with T, T with C.
INSTANTIATE_TEST_SUITE_P(Flags, LoginStages,
                         testing::Values(0x08, 0x0c, 0x8f, 0x82, 0x86, 0x80, 0x84, 0x85, 0xc7));

TEST_F(Login, RefusesStageThatWasNotAgreedOn) {
  stay(kSecurity, kNames);
  expect_refused(stay(kOperational, ""), LoginStatus::initiator_error);
}

TEST_F(Login, RefusesAnotherIdentityOnTheWay) {
  const auto change = [&](auto&& edit) {
    LoginNegotiation fresh(policy, directory);
    spec::LoginRequest bhs = request(0x04);
    fresh.handle(bhs, as_bytes(kNames));
    edit(bhs);
    expect_refused(fresh.handle(bhs, {}), LoginStatus::initiator_error);
  };
  change([](spec::LoginRequest& bhs) { bhs.isid.bytes[5] = 9; });
  change([](spec::LoginRequest& bhs) { bhs.tsih = 9; });
  change([](spec::LoginRequest& bhs) { bhs.cid = 9; });
  change([](spec::LoginRequest& bhs) { bhs.cmd_sn = 101; });
}

TEST_F(Login, RefusesRequestsAfterItsEnd) {
  whole(kNames, "");
  expect_refused(transit(kOperational, kFullFeature, ""), LoginStatus::initiator_error);
}

TEST_F(Login, EndsALoginThatDoesNotEnd) {
  stay(kOperational, kNames);
  for (std::uint32_t i = 1; i < kMaxLoginRequests; ++i) {
    ASSERT_EQ(stay(kOperational, "").outcome, LoginOutcome::proceed);
  }
  expect_refused(stay(kOperational, ""), LoginStatus::initiator_error);
}

TEST_F(Login, OwnerCanRefuse) {
  stay(kOperational, kNames);
  expect_refused(login.refuse(LoginStatus::out_of_resources, "no session left"),
                 LoginStatus::out_of_resources);
}

TEST_F(Login, TextMayBeCutAnywhereOverRequests) {
  const std::string text = std::string(kNames) + "MaxBurstLength=65536\0"s;
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    LoginNegotiation fresh(policy, directory);
    const std::string_view view = text;
    const LoginReply first =
        fresh.handle(request(spec::kContinue | 0x04), as_bytes(view.substr(0, cut)));
    ASSERT_EQ(first.outcome, LoginOutcome::proceed);
    ASSERT_EQ(first.bhs.flags, 0x04);
    ASSERT_TRUE(first.text.empty());
    ASSERT_EQ(fresh.handle(request(0x87), as_bytes(view.substr(cut))).outcome,
              LoginOutcome::full_feature);
    ASSERT_EQ(fresh.parameters().max_burst_length, 65536U);
  }
}

TEST_F(Login, RefusesEndlessText) {
  const std::string piece(kMaxLoginSegmentLength, 'A');
  LoginReply reply;
  for (std::size_t sent = 0; sent <= spec::kMaxTextLength; sent += piece.size()) {
    reply = send(spec::kContinue | 0x04, piece);
  }
  expect_refused(reply, LoginStatus::initiator_error);
}

TEST_F(Login, LongAnswerIsSplitAndTransitWaitsForItsEnd) {
  std::string text(kNames);
  for (int i = 0; i < 150; ++i)
    text += "X-" + std::string(55, 'a') + std::to_string(i) + "=1" + '\0';
  const std::string_view view = text;
  send(spec::kContinue | 0x04, view.substr(0, kMaxLoginSegmentLength));
  LoginReply reply = transit(kOperational, kFullFeature, view.substr(kMaxLoginSegmentLength));
  EXPECT_EQ(reply.outcome, LoginOutcome::proceed);
  EXPECT_EQ(reply.bhs.flags, spec::kContinue | 0x04);
  EXPECT_EQ(reply.text.size(), kMaxLoginSegmentLength);
  std::string answer = reply.text;
  reply = transit(kOperational, kFullFeature, "");
  EXPECT_EQ(reply.outcome, LoginOutcome::full_feature);
  answer += reply.text;
  EXPECT_EQ(spec::parse_text(as_bytes(std::string_view(answer))).value().size(), 152U);
}

TEST_F(Login, RefusesTextWhileTheAnswerIsUnfinished) {
  std::string text(kNames);
  for (int i = 0; i < 120; ++i)
    text += "X-" + std::string(55, 'a') + std::to_string(i) + "=" + '\0';
  ASSERT_LE(text.size(), kMaxLoginSegmentLength);
  ASSERT_NE(stay(kOperational, text).bhs.flags & spec::kContinue, 0);
  expect_refused(stay(kOperational, "InitialR2T=No\0"sv), LoginStatus::initiator_error);
}

TEST_F(Login, AuthenticationIsRequiredWhereThePolicySaysSo) {
  require_password();
  const auto fresh = [&](std::uint8_t flags, const std::string& keys) {
    LoginNegotiation negotiation(policy, directory);
    return negotiation.handle(request(flags), as_bytes(std::string(kNames) + keys));
  };
  expect_refused(fresh(0x87, ""), LoginStatus::authentication_failure);  // security left out
  expect_refused(fresh(0x81, ""), LoginStatus::authentication_failure);  // never mentioned
  expect_refused(fresh(0x81, "AuthMethod=None\0"s), LoginStatus::authentication_failure);
  expect_refused(fresh(0x00, "AuthMethod=CHAP,None\0"s), LoginStatus::authentication_failure);
  LoginNegotiation discovery(policy, directory);
  expect_refused(discovery.handle(request(0x87), as_bytes(kDiscovery)),
                 LoginStatus::authentication_failure);
}

TEST_F(Login, AuthenticationHoldsTheStageUntilItIsDone) {
  require_password();
  LoginReply reply =
      transit(kSecurity, kOperational, std::string(kNames) + "AuthMethod=None,PW\0"s);
  EXPECT_EQ(pairs(reply)["AuthMethod"], "PW");
  EXPECT_EQ(reply.bhs.flags & spec::kTransit, 0);
  reply = transit(kSecurity, kOperational, "PW_Hello=1\0"sv);
  EXPECT_EQ(reply.text, "PW_Ask=secret\0"sv);
  EXPECT_EQ(reply.bhs.flags & spec::kTransit, 0);
  reply = transit(kSecurity, kOperational, "PW_Tell=sesame\0"sv);
  EXPECT_NE(reply.bhs.flags & spec::kTransit, 0);
  EXPECT_EQ(transit(kOperational, kFullFeature, "").outcome, LoginOutcome::full_feature);
}

TEST_F(Login, WrongSecretIsRefused) {
  require_password();
  stay(kSecurity, std::string(kNames) + "AuthMethod=PW\0"s);
  expect_refused(stay(kSecurity, "PW_Tell=mellon\0"sv), LoginStatus::authentication_failure);
}

}  // namespace
}  // namespace lunar::iscsi

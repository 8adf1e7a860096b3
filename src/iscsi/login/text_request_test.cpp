#include "iscsi/login/text_request.h"

#include <gtest/gtest.h>

namespace lunar::iscsi {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

class Lister final : public TargetLister {
 public:
  [[nodiscard]] std::vector<TargetRecord> list_targets(std::string_view) const override {
    return records;
  }
  [[nodiscard]] std::optional<TargetRecord> find_record(std::string_view target_name,
                                                        std::string_view) const override {
    for (const TargetRecord& record : records) {
      if (record.name == target_name) return record;
    }
    return std::nullopt;
  }

  static TargetRecord record(std::string name) {
    return {.name = std::move(name),
            .portals = {{.address = spec::parse_portal_address("192.0.2.1:3260").value()},
                        {.address = spec::parse_portal_address("[2001:db8::1]:3261").value(),
                         .portal_group_tag = 2}}};
  }
  std::vector<TargetRecord> records = {record("iqn.a"), record("iqn.b")};
};

constexpr std::string_view kRecordA =
    "TargetName=iqn.a\0TargetAddress=192.0.2.1:3260,1\0TargetAddress=[2001:db8::1]:3261,2\0"sv;
constexpr std::string_view kRecordB =
    "TargetName=iqn.b\0TargetAddress=192.0.2.1:3260,1\0TargetAddress=[2001:db8::1]:3261,2\0"sv;

class Text : public ::testing::Test {
 protected:
  Text() {
    identity.initiator_name = "iqn.host";
    identity.target_name = "iqn.a";
  }
  TextReply send(std::string_view text, std::uint8_t flags = spec::kFinal,
                 std::uint32_t target_transfer_tag = spec::kReservedTag) {
    spec::TextRequest request;
    request.flags = flags;
    request.data_segment_length = static_cast<std::uint32_t>(text.size());
    request.initiator_task_tag = 5;
    request.target_transfer_tag = target_transfer_tag;
    return negotiation.handle(request, as_bytes(text));
  }
  void discover() {
    identity.session_type = SessionType::discovery;
    identity.target_name.clear();
  }
  static void expect_final(const TextReply& reply, std::string_view text) {
    EXPECT_FALSE(reply.reject.has_value()) << reply.reason;
    EXPECT_EQ(reply.bhs.flags, spec::kFinal);
    EXPECT_EQ(reply.bhs.target_transfer_tag, spec::kReservedTag);
    EXPECT_EQ(reply.bhs.initiator_task_tag, 5U);
    EXPECT_EQ(reply.bhs.data_segment_length, text.size());
    EXPECT_EQ(reply.text, text);
  }
  static void expect_rejected(const TextReply& reply) {
    ASSERT_TRUE(reply.reject.has_value());
    EXPECT_EQ(*reply.reject, spec::RejectReason::protocol_error);
    EXPECT_FALSE(reply.reason.empty());
  }

  NegotiationPolicy policy;
  Lister lister;
  LoginIdentity identity;
  ConnectionParameters parameters;
  TextNegotiation negotiation{policy, lister, identity, parameters};
};

TEST_F(Text, DiscoveryListsAllTargets) {
  discover();
  expect_final(send("SendTargets=All\0"sv), std::string(kRecordA) + std::string(kRecordB));
}

TEST_F(Text, DiscoveryListsOneTarget) {
  discover();
  expect_final(send("SendTargets=IQN.B\0"sv), kRecordB);
  expect_final(send("SendTargets=iqn.unknown\0"sv), "");
}

TEST_F(Text, DiscoveryHasNoTargetOfItsOwn) {
  discover();
  expect_final(send("SendTargets=\0"sv), "SendTargets=Reject\0"sv);
}

TEST_F(Text, NormalSessionLearnsOfItsOwnTargetOnly) {
  expect_final(send("SendTargets=\0"sv), kRecordA);
  expect_final(send("SendTargets=iqn.a\0"sv), kRecordA);
  expect_final(send("SendTargets=All\0"sv), kRecordA);
  expect_final(send("SendTargets=iqn.b\0"sv), "");
}

TEST_F(Text, DeclaresANewSegmentLength) {
  expect_final(send("MaxRecvDataSegmentLength=65536\0"sv), "");
  EXPECT_EQ(parameters.initiator_max_recv_data_segment_length, 65536U);
  expect_final(send("MaxRecvDataSegmentLength=1\0"sv), "MaxRecvDataSegmentLength=Reject\0"sv);
  EXPECT_EQ(parameters.initiator_max_recv_data_segment_length, 65536U);
}

TEST_F(Text, LoginKeysAreRejected) {
  expect_final(send("MaxBurstLength=512\0AuthMethod=None\0Foo=1\0"sv),
               "MaxBurstLength=Reject\0AuthMethod=Reject\0Foo=NotUnderstood\0"sv);
  EXPECT_EQ(parameters, ConnectionParameters{});
}

TEST_F(Text, ValuesTakeEffectAtTheEndOfTheSequence) {
  const TextReply first = send("MaxRecvDataSegmentLength=65536\0"sv, 0);
  EXPECT_EQ(first.bhs.flags, 0);
  ASSERT_NE(first.bhs.target_transfer_tag, spec::kReservedTag);
  EXPECT_EQ(parameters.initiator_max_recv_data_segment_length, 8192U);
  expect_final(send("", spec::kFinal, first.bhs.target_transfer_tag), "");
  EXPECT_EQ(parameters.initiator_max_recv_data_segment_length, 65536U);
}

TEST_F(Text, ANewSequenceDropsTheOldOne) {
  send("MaxRecvDataSegmentLength=65536\0"sv, 0);
  expect_final(send(""), "");
  EXPECT_EQ(parameters.initiator_max_recv_data_segment_length, 8192U);
}

TEST_F(Text, RequestMayBeCutOverPdus) {
  const TextReply first = send("SendTar", spec::kContinue);
  EXPECT_EQ(first.bhs.flags, 0);
  EXPECT_TRUE(first.text.empty());
  expect_final(send("gets=\0"sv, spec::kFinal, first.bhs.target_transfer_tag), kRecordA);
}

TEST_F(Text, LongAnswerIsCutAtTheInitiatorsSegmentLength) {
  discover();
  lister.records.clear();
  std::string expected;
  for (int i = 0; i < 50; ++i) {
    lister.records.push_back(Lister::record("iqn." + std::to_string(i)));
    expected += "TargetName=iqn." + std::to_string(i) + std::string(kRecordA.substr(16));
  }
  parameters.initiator_max_recv_data_segment_length = 512;
  TextReply reply = send("SendTargets=All\0"sv);
  std::string answer = reply.text;
  while ((reply.bhs.flags & spec::kFinal) == 0) {
    ASSERT_EQ(reply.bhs.flags, spec::kContinue);
    ASSERT_EQ(reply.text.size(), 512U);
    ASSERT_NE(reply.bhs.target_transfer_tag, spec::kReservedTag);
    reply = send("", spec::kFinal, reply.bhs.target_transfer_tag);
    ASSERT_FALSE(reply.reject.has_value()) << reply.reason;
    answer += reply.text;
  }
  EXPECT_EQ(answer, expected);
}

TEST_F(Text, WrongSequencesAreRejected) {
  expect_rejected(send("", spec::kFinal | spec::kContinue));
  expect_rejected(send("", spec::kFinal, 77));
  const TextReply first = send("", 0);
  expect_rejected(send("", spec::kFinal, first.bhs.target_transfer_tag + 1));
  // The refusal ended the sequence.
  expect_rejected(send("", spec::kFinal, first.bhs.target_transfer_tag));
}

TEST_F(Text, MalformedAndRepeatedKeysAreRejected) {
  expect_rejected(send("nonsense\0"sv));
  expect_rejected(send("SendTargets="sv));
  expect_rejected(send("SendTargets=\0SendTargets=\0"sv));
  const TextReply first = send("SendTargets=\0"sv, 0);
  expect_rejected(send("SendTargets=\0"sv, spec::kFinal, first.bhs.target_transfer_tag));
  expect_final(send("SendTargets=\0"sv), kRecordA);
}

TEST_F(Text, DeclarationMayBeRepeatedWordForWord) {
  expect_final(send("MaxRecvDataSegmentLength=65536\0MaxRecvDataSegmentLength=65536\0"sv), "");
  EXPECT_EQ(parameters.initiator_max_recv_data_segment_length, 65536U);
  expect_rejected(send("MaxRecvDataSegmentLength=4096\0MaxRecvDataSegmentLength=8192\0"sv));
  EXPECT_EQ(parameters.initiator_max_recv_data_segment_length, 65536U);
}

}  // namespace
}  // namespace lunar::iscsi

#include "iscsi/spec/pdu.h"

#include <gtest/gtest.h>

#include <array>

#include "iscsi/spec/ahs.h"
#include "iscsi/spec/serial.h"

namespace lunar::iscsi::spec {
namespace {

template <std::size_t N>
Bhs received(const std::array<std::uint8_t, N>& bytes) {
  static_assert(N == kBhsLength);
  return *load<Bhs>(std::as_bytes(std::span(bytes)));
}

TEST(Pdu, ReadsScsiCommandFromItsBytes) {
  const std::array<std::uint8_t, 48> bytes = {
      0x01, 0xc1, 0,    0,    0x00, 0x00, 0x02, 0x00,              // final, read, simple; 512 bytes
      0x00, 0x01, 0,    0,    0,    0,    0,    0,                 // LUN
      0x00, 0x00, 0x00, 0x07, 0x00, 0x00, 0x10, 0x00,              // ITT, expected length
      0x00, 0x00, 0x00, 0x2a, 0x00, 0x00, 0x00, 0x2b,              // CmdSN, ExpStatSN
      0x28, 0,    0,    0,    0,    0x10, 0,    0,    0x08, 0x00,  // READ(10)
      0,    0,    0,    0,    0,    0};
  const Bhs bhs = received(bytes);
  EXPECT_EQ(bhs.opcode(), Opcode::scsi_command);
  EXPECT_FALSE(bhs.immediate());
  EXPECT_TRUE(bhs.final());
  EXPECT_EQ(bhs.data_segment_length, 512U);
  const auto command = pdu_cast<ScsiCommand>(bhs);
  EXPECT_EQ(command.flags & (kRead | kWrite), kRead);
  EXPECT_EQ(command.flags & kTaskAttributeMask, static_cast<int>(TaskAttribute::simple));
  EXPECT_EQ(command.lun, 0x0001000000000000U);
  EXPECT_EQ(command.initiator_task_tag, 7U);
  EXPECT_EQ(command.expected_data_transfer_length, 4096U);
  EXPECT_EQ(command.cmd_sn, 42U);
  EXPECT_EQ(command.exp_stat_sn, 43U);
  EXPECT_EQ(command.cdb[0], 0x28);
}

TEST(Pdu, ImmediateBitIsNotPartOfTheOpcode) {
  std::array<std::uint8_t, 48> bytes{};
  bytes[0] = 0x43;
  EXPECT_EQ(received(bytes).opcode(), Opcode::login_request);
  EXPECT_TRUE(received(bytes).immediate());
}

TEST(Pdu, WritesDataInAsItsBytes) {
  DataIn pdu;
  pdu.flags = kFinal | kStatus | kResidualUnderflow;
  pdu.data_segment_length = 0x010203;
  pdu.initiator_task_tag = 0x11223344;
  pdu.stat_sn = 5;
  pdu.exp_cmd_sn = 6;
  pdu.max_cmd_sn = 7;
  pdu.data_sn = 8;
  pdu.buffer_offset = 0x1000;
  pdu.residual_count = 0x200;
  const std::array<std::uint8_t, 48> expected = {
      0x25, 0x83, 0,    0,    0,    0x01, 0x02, 0x03, 0, 0, 0,    0, 0, 0, 0,    0,
      0x11, 0x22, 0x33, 0x44, 0xff, 0xff, 0xff, 0xff, 0, 0, 0,    5, 0, 0, 0,    6,
      0,    0,    0,    7,    0,    0,    0,    8,    0, 0, 0x10, 0, 0, 0, 0x02, 0};
  EXPECT_TRUE(std::ranges::equal(as_bytes(pdu), std::as_bytes(std::span(expected))));
}

TEST(Pdu, LoginFlagsHoldBothStages) {
  const std::uint8_t flags = kTransit | stage_flags(LoginStage::login_operational_negotiation,
                                                    LoginStage::full_feature_phase);
  EXPECT_EQ(flags, 0x87);
  EXPECT_EQ(current_stage(flags), LoginStage::login_operational_negotiation);
  EXPECT_EQ(next_stage(flags), LoginStage::full_feature_phase);
}

TEST(Pdu, LoginStatusIsClassAndDetail) {
  LoginResponse response;
  response.set_status(LoginStatus::session_does_not_exist);
  EXPECT_EQ(response.status_class, 0x02);
  EXPECT_EQ(response.status_detail, 0x0a);
  EXPECT_EQ(response.status(), LoginStatus::session_does_not_exist);
}

TEST(Pdu, SegmentsArePaddedToFourBytes) {
  EXPECT_EQ(padded_length(0), 0U);
  EXPECT_EQ(padded_length(1), 4U);
  EXPECT_EQ(padded_length(4), 4U);
  EXPECT_EQ(padded_length(5), 8U);
}

TEST(SerialNumber, OrderWrapsAround) {
  EXPECT_TRUE(sn_less(0xffffffff, 0));
  EXPECT_FALSE(sn_less(0, 0xffffffff));
  EXPECT_FALSE(sn_less(5, 5));
  EXPECT_TRUE(sn_less_equal(5, 5));
  EXPECT_TRUE(sn_greater(1, 0xfffffff0));
}

TEST(SerialNumber, HalfTheCircleAwayIsUnordered) {
  EXPECT_FALSE(sn_less(0, 0x80000000));
  EXPECT_FALSE(sn_less(0x80000000, 0));
}

TEST(SerialNumber, WindowMayWrapAndMayBeEmpty) {
  EXPECT_TRUE(sn_in_window(1, 0xfffffffe, 3));
  EXPECT_FALSE(sn_in_window(4, 0xfffffffe, 3));
  EXPECT_FALSE(sn_in_window(10, 10, 9));
}

TEST(Ahs, ReadsExtendedCdbAndBidirectionalLength) {
  const std::array<std::uint8_t, 16> bytes = {0, 5, 2, 0, 0,    0,    0x10, 0,   // 4096 bytes back
                                              0, 4, 1, 0, 0xaa, 0xbb, 0xcc, 0};  // one of padding
  const auto contents = parse_ahs(std::as_bytes(std::span(bytes)));
  ASSERT_TRUE(contents.has_value());
  EXPECT_EQ(contents->bidirectional_read_expected_data_transfer_length, 4096U);
  ASSERT_EQ(contents->extended_cdb.size(), 3U);
  EXPECT_EQ(contents->extended_cdb[2], std::byte{0xcc});
}

TEST(Ahs, RefusesWhatDoesNotFit) {
  const auto parse = [](std::initializer_list<std::uint8_t> bytes) {
    return parse_ahs(std::as_bytes(std::span(bytes.begin(), bytes.size()))).has_value();
  };
  EXPECT_TRUE(parse({}));
  EXPECT_FALSE(parse({0, 5}));                                            // no header
  EXPECT_FALSE(parse({0, 9, 1, 0, 0, 0, 0, 0}));                          // over the end
  EXPECT_FALSE(parse({0, 0, 1, 0}));                                      // no reserved byte
  EXPECT_FALSE(parse({0, 5, 9, 0, 0, 0, 0, 0}));                          // unknown type
  EXPECT_FALSE(parse({0, 4, 2, 0, 0, 0, 0, 0}));                          // wrong length of type 2
  EXPECT_FALSE(parse({0, 5, 2, 0, 0, 0, 0, 1, 0, 5, 2, 0, 0, 0, 0, 1}));  // twice
}

}  // namespace
}  // namespace lunar::iscsi::spec

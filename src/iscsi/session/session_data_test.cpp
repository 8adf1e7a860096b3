// Commands and their data over a simulated network: real Service, Connection and Session.
#include <gtest/gtest.h>

#include <algorithm>

#include "iscsi/testing/initiator.h"

namespace lunar::iscsi {
namespace {

using namespace testing;

constexpr std::uint8_t kCheckCondition = 2;

TEST(SessionData, LoginWriteAndRead) {
  Bench bench;
  Initiator initiator(bench, {});
  ASSERT_TRUE(initiator.is_logged_in());
  const Data data = pattern(8192);
  EXPECT_TRUE(initiator.write(7, data));
  EXPECT_EQ(initiator.read(7, 16), data);
  EXPECT_TRUE(std::equal(data.begin(), data.end(), bench.device().medium.begin() + 7 * 512));
  initiator.close();
  EXPECT_TRUE(bench.is_clean());
}

// Every way that data-out can go, on a medium that takes it in place and on one that does not.
struct Way {
  const char* initial_r2t;
  const char* immediate_data;
  const char* first_burst;
  const char* max_burst;
  const char* max_r2t;
};
class DataOutWays : public ::testing::TestWithParam<std::tuple<Way, bool>> {};

TEST_P(DataOutWays, WritesArriveWhole) {
  const auto& [way, direct] = GetParam();
  Bench bench({.direct = direct});
  Initiator initiator(bench, {.keys = {{"InitialR2T", way.initial_r2t},
                                       {"ImmediateData", way.immediate_data},
                                       {"FirstBurstLength", way.first_burst},
                                       {"MaxBurstLength", way.max_burst},
                                       {"MaxOutstandingR2T", way.max_r2t}}});
  ASSERT_TRUE(initiator.is_logged_in());
  unsigned seed = 0;
  for (const std::size_t blocks : {1U, 3U, 8U, 16U, 17U, 100U, 128U, 129U, 1000U, 2049U}) {
    const Data data = pattern(blocks * 512, ++seed);
    const auto lba = static_cast<std::uint32_t>(blocks * 3);
    const auto tag = initiator.start_write(lba, data);
    ASSERT_TRUE(initiator.finish(tag));
    const Exchange& exchange = initiator.exchanges[tag];
    EXPECT_TRUE(exchange.is_good()) << blocks;
    EXPECT_EQ(exchange.residual, 0U);
    EXPECT_TRUE(initiator.read(lba, blocks) == data) << blocks;
    // R2Ts in order, without gaps, within MaxBurstLength, numbered from 0 (RFC 7143 §11.8).
    std::uint32_t next = exchange.r2ts.empty() ? 0 : exchange.r2ts.front().buffer_offset.value();
    for (std::size_t i = 0; i < exchange.r2ts.size(); ++i) {
      const spec::R2T& r2t = exchange.r2ts[i];
      EXPECT_EQ(r2t.r2t_sn, i);
      EXPECT_EQ(r2t.buffer_offset, next);
      EXPECT_LE(r2t.desired_data_transfer_length, initiator.number("MaxBurstLength"));
      EXPECT_NE(r2t.target_transfer_tag, spec::kReservedTag);
      next += r2t.desired_data_transfer_length.value();
    }
    EXPECT_TRUE(exchange.r2ts.empty() || next == data.size());
  }
  initiator.close();
  EXPECT_TRUE(bench.is_clean());
}

constexpr Way kWays[] = {
    {"No", "Yes", "65536", "262144", "1"}, {"Yes", "Yes", "65536", "262144", "1"},
    {"No", "No", "65536", "262144", "1"},  {"Yes", "No", "65536", "65536", "1"},
    {"No", "Yes", "4096", "16384", "8"},   {"Yes", "No", "512", "512", "8"},
    {"No", "No", "262144", "262144", "3"},
};
INSTANTIATE_TEST_SUITE_P(All, DataOutWays,
                         ::testing::Combine(::testing::ValuesIn(kWays), ::testing::Bool()));

TEST(SessionData, OutstandingR2tsAreLimited) {
  for (const std::uint32_t limit : {1U, 3U, 8U}) {
    Bench bench;
    Initiator initiator(bench, {.keys = {{"InitialR2T", "Yes"},
                                         {"ImmediateData", "No"},
                                         {"MaxBurstLength", "4096"},
                                         {"FirstBurstLength", "4096"},
                                         {"MaxOutstandingR2T", std::to_string(limit)}}});
    initiator.answer_r2ts = false;
    const auto tag = initiator.start_write(0, pattern(65536));
    initiator.handle_for(engine::kMillisecond);
    Exchange& exchange = initiator.exchanges[tag];
    EXPECT_EQ(exchange.r2ts.size(), limit);
    // Each sequence that ends lets one more go out.
    initiator.answer(tag, exchange.r2ts.front());
    initiator.handle_for(engine::kMillisecond);
    EXPECT_EQ(exchange.r2ts.size(), limit + 1);
    for (std::size_t i = 1; i < exchange.r2ts.size(); ++i) {
      initiator.answer(tag, spec::R2T(exchange.r2ts[i]));
      initiator.handle_for(engine::kMillisecond);
    }
    EXPECT_TRUE(exchange.is_good());
    EXPECT_EQ(exchange.r2ts.size(), 16U);
    EXPECT_EQ(exchange.response->exp_data_sn, 16U);
  }
}

TEST(SessionData, DataInIsSplitByBothLimits) {
  Bench bench;
  Initiator initiator(
      bench, {.keys = {{"MaxRecvDataSegmentLength", "4096"}, {"MaxBurstLength", "10240"}}});
  const Data data = pattern(30 * 1024);
  std::copy(data.begin(), data.end(), bench.device().medium.begin());
  const auto tag = initiator.start_read(0, 60);
  ASSERT_TRUE(initiator.finish(tag));
  const Exchange& exchange = initiator.exchanges[tag];
  EXPECT_EQ(exchange.in, data);
  EXPECT_EQ(exchange.data_in_lengths,
            (std::vector<std::uint32_t>{4096, 4096, 2048, 4096, 4096, 2048, 4096, 4096, 2048}));
  for (std::size_t i = 0; i < exchange.data_ins.size(); ++i) {
    const spec::DataIn& pdu = exchange.data_ins[i];
    EXPECT_EQ(pdu.data_sn, i);
    EXPECT_EQ((pdu.flags & spec::kFinal) != 0, i % 3 == 2) << "F ends a sequence of MaxBurstLength";
    EXPECT_EQ((pdu.flags & spec::kStatus) != 0, i == 8) << "S only in the last";
  }
  EXPECT_FALSE(exchange.response) << "the status came with the data";
}

// ---- Residuals (RFC 7143 §11.4.5)

TEST(SessionData, ReadTellsResiduals) {
  Bench bench;
  Initiator initiator(bench, {});
  const auto cdb = Initiator::cdb10(0x28, 0, 2);
  const Exchange& under = initiator.run(cdb, spec::kRead, 4096);
  EXPECT_TRUE(under.is_good());
  EXPECT_EQ(under.in.size(), 1024U);
  EXPECT_EQ(under.response_flags & 0x1e, spec::kResidualUnderflow);
  EXPECT_EQ(under.residual, 3072U);
  const Exchange& over = initiator.run(cdb, spec::kRead, 512);
  EXPECT_TRUE(over.is_good());
  EXPECT_EQ(over.in.size(), 512U);
  EXPECT_EQ(over.response_flags & 0x1e, spec::kResidualOverflow);
  EXPECT_EQ(over.residual, 512U);
  const Exchange& none = initiator.run(cdb, spec::kRead, 0);
  EXPECT_EQ(none.response_flags & 0x1e, spec::kResidualOverflow);
  EXPECT_EQ(none.residual, 1024U);
}

TEST(SessionData, WriteTellsResiduals) {
  Bench bench;
  Initiator initiator(bench, {});
  const Data data = pattern(1024);
  const auto cdb = Initiator::cdb10(0x2a, 8, 2);
  const Exchange& under = initiator.run(cdb, spec::kWrite, 4096, pattern(4096));
  EXPECT_TRUE(under.is_good());
  EXPECT_EQ(under.response_flags & 0x1e, spec::kResidualUnderflow);
  EXPECT_EQ(under.residual, 3072U);
  const Exchange& over = initiator.run(cdb, spec::kWrite, 512, Data(512, std::byte{9}));
  EXPECT_EQ(over.response_flags & 0x1e, spec::kResidualOverflow);
  EXPECT_EQ(over.residual, 512U);
  EXPECT_EQ(bench.device().medium[8 * 512], std::byte{9}) << "the block that came is written";
}

TEST(SessionData, AWriteThatSaysReadWritesNothingAndSaysSo) {
  Bench bench;
  Initiator initiator(bench, {});
  const Exchange& wrong = initiator.run(Initiator::cdb10(0x2a, 8, 2), spec::kRead, 1024);
  ASSERT_TRUE(wrong.done);
  EXPECT_EQ(wrong.response_flags & 0x1e, spec::kResidualOverflow);
  EXPECT_EQ(wrong.residual, 1024U);
  const Exchange& other =
      initiator.run(Initiator::cdb10(0x28, 8, 2), spec::kWrite, 1024, pattern(1024));
  ASSERT_TRUE(other.done);
  EXPECT_TRUE(other.in.empty());
  EXPECT_EQ(other.response_flags & 0x1e, spec::kResidualOverflow);
  EXPECT_EQ(other.residual, 1024U);
}

// ---- Data that breaks the rules

TEST(SessionData, ImmediateDataThatWasNotAgreedFailsTheCommand) {
  Bench bench;
  Initiator initiator(bench, {.keys = {{"ImmediateData", "No"}, {"InitialR2T", "Yes"}}});
  const auto tag = initiator.start_write(0, pattern(1024), {.in_command = 1024});
  ASSERT_TRUE(initiator.finish(tag));
  EXPECT_EQ(initiator.exchanges[tag].status, kCheckCondition);
  EXPECT_EQ(initiator.exchanges[tag].additional_sense(), 0x0c0cU);
  EXPECT_EQ(bench.device().medium[0], std::byte{0});
}

TEST(SessionData, UnsolicitedDataThatWasNotAgreedFailsTheCommand) {
  Bench bench;
  Initiator initiator(bench, {.keys = {{"InitialR2T", "Yes"}}});
  const auto tag = initiator.start_write(0, pattern(32768), {.in_command = 512, .final = false});
  initiator.send_data(tag, spec::kReservedTag, 512, 32768);
  ASSERT_TRUE(initiator.finish(tag));
  EXPECT_EQ(initiator.exchanges[tag].status, kCheckCondition);
  EXPECT_EQ(initiator.exchanges[tag].additional_sense(), 0x0c0cU);
  EXPECT_TRUE(initiator.write(0, pattern(512))) << "the session goes on";
}

TEST(SessionData, MoreThanFirstBurstLengthFailsTheCommand) {
  Bench bench;
  Initiator initiator(bench, {.keys = {{"FirstBurstLength", "4096"}}});
  const auto tag = initiator.start_write(0, pattern(16384), {.in_command = 4096, .final = false});
  initiator.data_out(tag, spec::kReservedTag, 0, 4096, 512, true);
  ASSERT_TRUE(initiator.finish(tag));
  EXPECT_EQ(initiator.exchanges[tag].status, kCheckCondition);
  EXPECT_EQ(initiator.exchanges[tag].sense_key(), 0xb);
}

TEST(SessionData, AFailedTransferAsksForNoMoreData) {
  Bench bench;
  Initiator initiator(bench, {.keys = {{"ImmediateData", "No"},
                                       {"InitialR2T", "Yes"},
                                       {"MaxBurstLength", "4096"},
                                       {"FirstBurstLength", "4096"},
                                       {"MaxOutstandingR2T", "2"}}});
  initiator.answer_r2ts = false;
  const auto tag = initiator.start_write(0, pattern(32768));
  initiator.handle_for(engine::kMillisecond);
  const std::vector<spec::R2T> r2ts = initiator.exchanges[tag].r2ts;
  ASSERT_EQ(r2ts.size(), 2U);
  initiator.data_out(tag, r2ts[0].target_transfer_tag, 3, 0, 4096, true);
  initiator.answer(tag, r2ts[1]);
  initiator.handle_for(engine::kMillisecond);
  EXPECT_EQ(initiator.exchanges[tag].r2ts.size(), 2U);
  EXPECT_EQ(initiator.exchanges[tag].status, kCheckCondition);
  EXPECT_TRUE(initiator.exchanges[tag].done);
}

TEST(SessionData, WrongDataSnNeverEndsInGood) {
  Bench bench;
  Initiator initiator(bench, {.keys = {{"ImmediateData", "No"}, {"InitialR2T", "Yes"}}});
  initiator.answer_r2ts = false;
  const auto tag = initiator.start_write(0, pattern(16384));
  initiator.handle_for(engine::kMillisecond);
  ASSERT_EQ(initiator.exchanges[tag].r2ts.size(), 1U);
  const std::uint32_t ttt = initiator.exchanges[tag].r2ts[0].target_transfer_tag;
  initiator.data_out(tag, ttt, 0, 0, 8192, false);
  initiator.data_out(tag, ttt, 5, 8192, 8192, true);
  ASSERT_TRUE(initiator.finish(tag));
  EXPECT_EQ(initiator.exchanges[tag].status, kCheckCondition);
  EXPECT_EQ(initiator.exchanges[tag].sense_key(), 0xb);
}

TEST(SessionData, ASequenceThatEndsEarlyFailsTheCommand) {
  Bench bench;
  Initiator initiator(bench, {.keys = {{"ImmediateData", "No"}, {"InitialR2T", "Yes"}}});
  initiator.answer_r2ts = false;
  const auto tag = initiator.start_write(0, pattern(16384));
  initiator.handle_for(engine::kMillisecond);
  initiator.data_out(tag, initiator.exchanges[tag].r2ts.at(0).target_transfer_tag, 0, 0, 4096,
                     true);
  ASSERT_TRUE(initiator.finish(tag));
  EXPECT_EQ(initiator.exchanges[tag].status, kCheckCondition);
}

TEST(SessionData, DataOutOfNoTaskIsDropped) {
  Bench bench;
  Initiator initiator(bench, {});
  initiator.data_out(0x7777, spec::kReservedTag, 0, 0, 8192, true);
  EXPECT_TRUE(initiator.write(0, pattern(4096)));
  EXPECT_TRUE(initiator.others.empty());
}

TEST(SessionData, DataOutForAnUnknownTransferTagIsRejected) {
  Bench bench;
  Initiator initiator(bench, {.keys = {{"ImmediateData", "No"}, {"InitialR2T", "Yes"}}});
  initiator.answer_r2ts = false;
  const auto tag = initiator.start_write(0, pattern(4096));
  initiator.handle_for(engine::kMillisecond);
  initiator.data_out(tag, 0x1234, 0, 0, 4096, true);
  initiator.handle_for(engine::kMillisecond);
  ASSERT_EQ(initiator.others.size(), 1U);
  EXPECT_EQ(initiator.others[0].opcode(), spec::Opcode::reject);
  initiator.answer(tag, spec::R2T(initiator.exchanges[tag].r2ts.at(0)));
  ASSERT_TRUE(initiator.finish(tag));
  EXPECT_TRUE(initiator.exchanges[tag].is_good());
}

// The CDB is refused while data that nobody wants is still coming.
TEST(SessionData, RefusedCommandsSwallowTheirData) {
  Bench bench;
  Initiator initiator(bench, {});
  const auto beyond = Initiator::cdb10(0x2a, 0x7fffffff, 256);
  const Exchange& refused = initiator.run(beyond, spec::kWrite, 131072, pattern(131072));
  EXPECT_EQ(refused.status, kCheckCondition);
  EXPECT_EQ(refused.additional_sense(), 0x2100U);
  EXPECT_TRUE(refused.r2ts.empty());
  const Exchange& no_unit = initiator.run({0x2a, 0, 0, 0, 0, 0, 0, 0, 8, 0}, spec::kWrite, 4096,
                                          pattern(4096), {.lun = 9});
  EXPECT_EQ(no_unit.additional_sense(), 0x2500U);
  EXPECT_TRUE(initiator.write(0, pattern(4096)));
}

TEST(SessionData, AnExtendedCdbComesInAnAdditionalHeader) {
  Bench bench;
  Initiator initiator(bench, {});
  // READ (32) is not in the table: what counts is that the segment is read over.
  Data ahs(20);
  ahs[0] = std::byte{0};
  ahs[1] = std::byte{17};  // AHSLength: AHSSpecific and 16 bytes of CDB
  ahs[2] = std::byte{1};   // extended CDB
  std::vector<std::uint8_t> cdb(16);
  cdb[0] = 0x7f;
  cdb[7] = 24;
  const Exchange& exchange = initiator.run(cdb, spec::kRead, 512, {}, {.ahs = ahs});
  EXPECT_EQ(exchange.status, kCheckCondition);
  EXPECT_EQ(exchange.sense_key(), 5);
  EXPECT_TRUE(initiator.others.empty());
  // A READ (10) whose header claims a longer CDB: the rest does not matter.
  EXPECT_TRUE(
      initiator.run(Initiator::cdb10(0x28, 0, 1), spec::kRead, 512, {}, {.ahs = ahs}).is_good());
  // Lengths that run over the end.
  ahs[0] = std::byte{0xff};
  initiator.run(cdb, spec::kRead, 512, {}, {.immediate = true, .ahs = ahs});
}

}  // namespace
}  // namespace lunar::iscsi

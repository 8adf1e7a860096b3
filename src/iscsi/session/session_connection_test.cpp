// A session of two connections, without sockets: what they share, and what each has for itself.
// Login gives a session one connection only; these make the other themselves.
#include "iscsi/session/session_connection.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "block/disk.h"
#include "engine/sim/world.h"
#include "iscsi/testing/initiator.h"
#include "iscsi/testing/memory_device.h"
#include "scsi/core/logical_unit.h"

namespace lunar::iscsi {
namespace {

using namespace testing;

// One disk as LUN 0 of a target on one shard.
class Disks {
 public:
  Disks() : disk_(device, world.shards()), unit_(disk_) {
    log::set_level(log::Level::off);
    [[maybe_unused]] const auto added = target_.add(Lun(0), unit_);
    world.run([this] { return open(); });
    server_ = std::make_unique<scsi::DeviceServer>(target_, world.shard());
  }
  ~Disks() {
    device.release();
    server_.reset();
    world.run([this] { return unit_.stop(world.shard()); });
  }
  [[nodiscard]] std::shared_ptr<Session> session() {
    const LoginIdentity identity{.initiator_name = "iqn.2026-11.test:one",
                                 .initiator_alias = {},
                                 .session_type = SessionType::normal,
                                 .target_name = kTargetName,
                                 .portal_group_tag = 1,
                                 .isid = {},
                                 .tsih = 0,
                                 .cid = 0,
                                 .cmd_sn = 1000};
    return std::make_shared<Session>(
        Session::Environment{
            .device_server = server_.get(), .relative_target_port_id = 1, .command_window = 32},
        identity, SessionParameters{.protocol_level = 2});
  }
  void run() { world.run_for(engine::kMillisecond); }

  engine::sim::World world;
  MemoryDevice device{"memory", 1024, true};
  SessionPools pools;

 private:
  engine::Task<void> open() {
    [[maybe_unused]] const Result<void> opened = co_await unit_.open(world.shard());
    assert(opened);
  }

  block::Disk disk_;
  scsi::LogicalUnit unit_;
  scsi::Target target_{kTargetName};
  std::unique_ptr<scsi::DeviceServer> server_;
};

// A connection, with what a socket and an initiator would do.
class Line final : private SessionConnection::Host,
                   private PduReceiver::Handler,
                   private TargetLister {
 public:
  Line(Disks& disks, const std::shared_ptr<Session>& session, std::uint16_t cid,
       std::uint32_t stat_sn, const ConnectionParameters& parameters = {})
      : disks_(disks),
        connection_({.shard = disks.world.shard(),
                     .pools = disks.pools,
                     .host = *this,
                     .policy = policy_,
                     .lister = *this},
                    *this) {
    connection_.join(session, cid, parameters, stat_sn);
  }
  ~Line() override {
    if (!stopped_) stop();
  }

  template <WireStruct T>
  void send(T pdu, Bytes data = {}) {
    pdu.data_segment_length = static_cast<std::uint32_t>(data.size());
    Data bytes(sizeof pdu + spec::padded_length(data.size()));
    std::memcpy(bytes.data(), &pdu, sizeof pdu);
    if (!data.empty()) std::memcpy(bytes.data() + sizeof pdu, data.data(), data.size());
    for (Bytes rest = bytes; !rest.empty();) {
      const iovec into = connection_.receiver().receive_into().front();
      const std::size_t count = std::min(into.iov_len, rest.size());
      std::memcpy(into.iov_base, rest.data(), count);
      connection_.receiver().received(count);
      rest = rest.subspan(count);
    }
  }
  std::uint32_t command(std::uint32_t cmd_sn, const std::vector<std::uint8_t>& cdb,
                        std::uint8_t flags, std::uint32_t expected, Bytes data = {}) {
    spec::ScsiCommand pdu;
    pdu.flags = static_cast<std::uint8_t>(flags | spec::kFinal | 1);
    pdu.initiator_task_tag = cmd_sn;
    pdu.expected_data_transfer_length = expected;
    pdu.cmd_sn = cmd_sn;
    std::ranges::copy(cdb, pdu.cdb.begin());
    send(pdu, data);
    return cmd_sn;
  }
  std::uint32_t read(std::uint32_t cmd_sn, std::uint32_t lba, std::size_t blocks) {
    return command(cmd_sn, Initiator::cdb10(0x28, lba, blocks), spec::kRead,
                   static_cast<std::uint32_t>(blocks * 512));
  }
  std::uint32_t test_unit_ready(std::uint32_t cmd_sn) {
    return command(cmd_sn, {0, 0, 0, 0, 0, 0}, 0, 0);
  }
  void function(std::uint32_t cmd_sn, spec::TmfFunction function) {
    spec::TaskManagementRequest pdu;
    pdu.opcode_byte |= spec::kImmediate;
    pdu.flags = static_cast<std::uint8_t>(spec::kFinal | static_cast<std::uint8_t>(function));
    pdu.initiator_task_tag = 0x7000;
    pdu.cmd_sn = cmd_sn;
    send(pdu);
  }
  void log_out(std::uint32_t cmd_sn, spec::LogoutReason reason, std::uint16_t cid) {
    spec::LogoutRequest pdu;
    pdu.opcode_byte |= spec::kImmediate;
    pdu.flags = static_cast<std::uint8_t>(spec::kFinal | static_cast<std::uint8_t>(reason));
    pdu.initiator_task_tag = 0x7001;
    pdu.cid = cid;
    pdu.cmd_sn = cmd_sn;
    send(pdu);
  }

  // All that the connection has said since this was asked last.
  std::vector<Pdu> take() {
    disks_.run();
    Data bytes;
    for (;;) {
      connection_.make_data_in_for_send();
      if (connection_.queue().empty()) break;
      std::array<iovec, 16> room;
      std::size_t count = 0;
      for (const iovec& piece : connection_.queue().gather(room)) {
        const auto* from = static_cast<const std::byte*>(piece.iov_base);
        bytes.insert(bytes.end(), from, from + piece.iov_len);
        count += piece.iov_len;
      }
      connection_.queue().sent(count, [this](Task& task) { connection_.on_task_sent(task); });
    }
    std::vector<Pdu> pdus;
    for (std::size_t at = 0; at < bytes.size();) {
      const auto bhs = load<spec::Bhs>(Bytes(bytes).subspan(at));
      const std::size_t length = bhs->data_segment_length.value();
      at += sizeof *bhs;
      const auto data = Bytes(bytes).subspan(at, length);
      pdus.push_back({*bhs, Data(data.begin(), data.end())});
      at += spec::padded_length(length);
    }
    return pdus;
  }
  // The one PDU that it has said.
  Pdu take_one() {
    std::vector<Pdu> pdus = take();
    EXPECT_EQ(pdus.size(), 1U);
    return pdus.empty() ? Pdu{} : std::move(pdus.front());
  }
  // As its socket would end.
  void stop() {
    stopped_ = true;
    connection_.receiver().stop();
    disks_.world.run([this] { return connection_.stop(); });
  }

  bool closes_after_output = false;
  std::string closed_for;

 private:
  void output_ready() override {}
  void close_after_output() override { closes_after_output = true; }
  void close_now(std::string_view why) override { closed_for = why; }
  void input_unblocked() override {}
  void target_cold_reset() override {}
  Placement on_header(InboundPdu&, bool) override { return {}; }
  void on_pdu(InboundPdu&) override {}
  void on_format_error(std::string_view) override {}
  [[nodiscard]] std::vector<TargetRecord> list_targets(std::string_view) const override {
    return {};
  }
  [[nodiscard]] std::optional<TargetRecord> find_record(std::string_view,
                                                        std::string_view) const override {
    return std::nullopt;
  }

  Disks& disks_;
  NegotiationPolicy policy_;
  SessionConnection connection_;
  bool stopped_ = false;
};

// Two connections of one session, which has had its unit attention.
class TwoConnections : public ::testing::Test {
 protected:
  TwoConnections() {
    a.test_unit_ready(1000);
    EXPECT_EQ(a.take_one().as<spec::ScsiResponse>().status, 2);  // POWER ON
    session.reset();                                             // they alone own it
  }

  Disks disks;
  std::shared_ptr<Session> session = disks.session();
  Line a{disks, session, 0, 100, {.initiator_max_recv_data_segment_length = 512}};
  Line b{disks, session, 1, 500};
};

TEST_F(TwoConnections, CountCommandsTogetherAndStatusesApart) {
  b.test_unit_ready(1001);
  const auto by_b = b.take_one().as<spec::ScsiResponse>();
  EXPECT_EQ(by_b.status, 0) << "the unit attention was the nexus', and has been told";
  EXPECT_EQ(by_b.stat_sn, 500U);
  EXPECT_EQ(by_b.exp_cmd_sn, 1002U);
  EXPECT_EQ(by_b.max_cmd_sn, 1002U + 31);
  EXPECT_TRUE(a.take().empty());
  a.test_unit_ready(1002);
  const auto by_a = a.take_one().as<spec::ScsiResponse>();
  EXPECT_EQ(by_a.stat_sn, 101U);
  EXPECT_EQ(by_a.exp_cmd_sn, 1003U);
  EXPECT_TRUE(b.take().empty());
}

TEST_F(TwoConnections, ShareTheCommandWindow) {
  disks.device.hold = true;
  for (std::uint32_t i = 0; i < 16; ++i) {
    a.read(1001 + 2 * i, 0, 1);
    b.read(1002 + 2 * i, 0, 1);
  }
  a.read(1033, 0, 1);
  disks.run();
  EXPECT_EQ(disks.device.held.size(), 32U) << "the last is outside the window, and ignored";
  disks.device.release();
  EXPECT_EQ(a.take().size(), 16U);
  EXPECT_EQ(b.take().size(), 16U);
}

TEST_F(TwoConnections, HaveParametersOfTheirOwn) {
  a.read(1001, 0, 4);
  EXPECT_EQ(a.take().size(), 4U) << "MaxRecvDataSegmentLength=512";
  b.read(1002, 0, 4);
  EXPECT_EQ(b.take_one().data.size(), 2048U);
}

TEST_F(TwoConnections, ACommandWaitsForAnEarlierOneOfTheOther) {
  b.read(1002, 0, 1);
  EXPECT_TRUE(b.take().empty());
  a.read(1001, 0, 1);
  EXPECT_EQ(a.take_one().bhs.initiator_task_tag, 1001U);
  EXPECT_EQ(b.take_one().bhs.initiator_task_tag, 1002U);
}

TEST_F(TwoConnections, ATagIsTheSessions) {
  disks.device.hold = true;
  a.read(1001, 0, 1);
  spec::ScsiCommand same;
  same.flags = spec::kFinal | 1;
  same.initiator_task_tag = 1001;
  same.cmd_sn = 1002;
  b.send(same);
  const auto reject = b.take_one().as<spec::Reject>();
  EXPECT_EQ(reject.reason, static_cast<std::uint8_t>(spec::RejectReason::task_in_progress));
  disks.device.release();
  EXPECT_EQ(a.take_one().bhs.initiator_task_tag, 1001U);
}

TEST_F(TwoConnections, DataComeWhereTheCommandCame) {
  const Data data = pattern(512);
  a.command(1001, Initiator::cdb10(0x2a, 0, 1), spec::kWrite, 512);
  const auto r2t = a.take_one().as<spec::R2T>();
  spec::DataOut out;
  out.flags = spec::kFinal;
  out.initiator_task_tag = 1001;
  out.target_transfer_tag = r2t.target_transfer_tag;
  b.send(out, Data(512));
  EXPECT_TRUE(b.take().empty());
  EXPECT_TRUE(a.take().empty());
  a.send(out, data);
  EXPECT_EQ(a.take_one().as<spec::ScsiResponse>().status, 0);
  EXPECT_TRUE(std::ranges::equal(data, std::span(disks.device.medium).first(512)));
}

TEST_F(TwoConnections, AFunctionEndsTheTasksOfBoth) {
  disks.device.hold = true;
  a.read(1001, 0, 1);
  b.read(1002, 0, 1);
  b.function(1003, spec::TmfFunction::abort_task_set);
  const Pdu response = b.take_one();
  EXPECT_EQ(response.opcode(), spec::Opcode::task_management_response);
  EXPECT_EQ(response.as<spec::TaskManagementResponse>().response, 0);
  EXPECT_TRUE(a.take().empty());
  EXPECT_TRUE(disks.device.held.empty());
  EXPECT_EQ(disks.pools.tasks.in_use(), 0U);
}

// The nexus is one, and with it the borrower of the medium's memory.
TEST_F(TwoConnections, KeepWhatTheyWereLent) {
  a.read(1001, 0, 8);  // begun, and not sent yet
  disks.run();
  std::vector<std::uint8_t> atomic(16);
  atomic[0] = 0x9c;
  atomic[13] = 8;
  b.command(1002, atomic, spec::kWrite, 4096, Data(4096, std::byte{0x22}));
  EXPECT_EQ(b.take_one().as<spec::ScsiResponse>().status, 0);
  EXPECT_EQ(disks.device.medium[4095], std::byte{0x22});
  for (const Pdu& pdu : a.take()) EXPECT_EQ(pdu.data, Data(512));
}

TEST_F(TwoConnections, OneLogsOutAndTheOtherGoesOn) {
  disks.device.hold = true;
  a.read(1001, 0, 1);
  b.read(1002, 0, 1);
  a.read(1004, 0, 1);  // waits for 1003
  a.log_out(1003, spec::LogoutReason::close_connection, 0);
  const Pdu response = a.take_one();
  EXPECT_EQ(response.opcode(), spec::Opcode::logout_response);
  EXPECT_EQ(response.as<spec::LogoutResponse>().response, 0);
  EXPECT_TRUE(a.closes_after_output);
  EXPECT_EQ(disks.device.held.size(), 1U) << "only its own command has ended";
  a.stop();
  disks.device.release();
  EXPECT_EQ(b.take_one().bhs.initiator_task_tag, 1002U);
  b.test_unit_ready(1003);
  const auto last = b.take_one().as<spec::ScsiResponse>();
  EXPECT_EQ(last.status, 0) << "the nexus is there still";
  EXPECT_EQ(last.stat_sn, 501U);
  EXPECT_EQ(last.exp_cmd_sn, 1005U) << "what was held for the one that left counts as received";
}

TEST_F(TwoConnections, WhatTheOtherLeftBehindHoldsNobodyUp) {
  a.read(1002, 0, 1);
  b.read(1003, 0, 1);
  b.read(1001, 0, 1);
  EXPECT_EQ(b.take().size(), 2U);
  EXPECT_EQ(a.take().size(), 1U);
  a.read(1005, 0, 1);
  a.stop();  // as its socket breaks
  b.read(1004, 0, 1);
  b.read(1006, 0, 1);
  EXPECT_EQ(b.take().size(), 2U);
}

TEST_F(TwoConnections, OneLogsTheOtherOut) {
  disks.device.hold = true;
  a.read(1001, 0, 1);
  b.log_out(1002, spec::LogoutReason::close_connection, 0);
  EXPECT_TRUE(b.take().empty()) << "not before it has ended";
  EXPECT_FALSE(a.closed_for.empty());
  b.log_out(1002, spec::LogoutReason::close_connection, 0);
  EXPECT_EQ(b.take_one().as<spec::LogoutResponse>().response,
            static_cast<std::uint8_t>(spec::LogoutResponseCode::cleanup_failed));
  a.stop();
  EXPECT_EQ(b.take_one().as<spec::LogoutResponse>().response, 0);
  EXPECT_FALSE(b.closes_after_output);
  disks.device.release();
  b.test_unit_ready(1002);
  EXPECT_EQ(b.take_one().as<spec::ScsiResponse>().status, 0);
  b.log_out(1003, spec::LogoutReason::close_connection, 0);
  EXPECT_EQ(b.take_one().as<spec::LogoutResponse>().response,
            static_cast<std::uint8_t>(spec::LogoutResponseCode::cid_not_found));
}

TEST_F(TwoConnections, ASessionLogsOutWithBoth) {
  disks.device.hold = true;
  a.read(1001, 0, 1);
  b.read(1002, 0, 1);
  b.log_out(1003, spec::LogoutReason::close_session, 0);
  EXPECT_TRUE(b.take().empty());
  EXPECT_FALSE(a.closed_for.empty());
  a.stop();
  EXPECT_EQ(b.take_one().as<spec::LogoutResponse>().response, 0);
  EXPECT_TRUE(b.closes_after_output);
  EXPECT_EQ(disks.pools.tasks.in_use(), 0U);
}

// Each waits for the other's end: neither may wait for ever.
TEST_F(TwoConnections, BothLogTheOtherOut) {
  a.log_out(1001, spec::LogoutReason::close_session, 0);
  b.log_out(1001, spec::LogoutReason::close_session, 0);
  a.stop();
  b.stop();
  EXPECT_EQ(disks.pools.tasks.in_use(), 0U);
}

}  // namespace
}  // namespace lunar::iscsi

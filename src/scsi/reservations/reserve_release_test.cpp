// RESERVE and RELEASE (6) and (10), and how they live with persistent reservations.
#include <gtest/gtest.h>

#include "scsi/testing/persistent_reserve.h"

namespace lunar::scsi {
namespace {

using namespace testing;
using spec::Opcode;
using spec::Status;
namespace action = spec::service_action;
using Cdb = std::vector<std::uint8_t>;

const Cdb kReserve6 = {0x16, 0, 0, 0, 0, 0};
const Cdb kRelease6 = {0x17, 0, 0, 0, 0, 0};
const Cdb kReserve10 = {0x56, 0, 0, 0, 0, 0, 0, 0, 0, 0};
const Cdb kRelease10 = {0x57, 0, 0, 0, 0, 0, 0, 0, 0, 0};
const Cdb kModeSense = {0x1a, 0, 0x3f, 0, 255, 0};
const Cdb kTestUnitReady = {0, 0, 0, 0, 0, 0};

bool conflicts(const Outcome& outcome) { return outcome.status == Status::reservation_conflict; }

class Reserve : public ::testing::Test {
 protected:
  Reserve() {
    a_.clear_attention();
    b_->clear_attention();
  }
  engine::Task<void> lose(Initiator& initiator) {
    co_await initiator.server().lose(initiator.nexus());
  }
  engine::Task<void> reset(Initiator& initiator) {
    auto resetting = initiator.server().logical_unit_reset(initiator.nexus(), lun_field(0));
    (void)co_await resetting;
  }

  Bench bench_{2048, {}, 2};
  Initiator& a_ = bench_.initiator();
  std::unique_ptr<Initiator> b_ = std::make_unique<Initiator>(bench_, 1, "iqn.2026-11.test:two");
};

TEST_F(Reserve, AConflictComesBeforeUnitAttentionsThatAreNoResets) {
  using enum spec::AdditionalSense;
  ASSERT_TRUE(a_.run(kReserve6).is_good());
  UnitAttentions& attentions = b_->nexus().find(Lun(0))->attentions;
  attentions.raise(mode_parameters_changed);
  EXPECT_TRUE(conflicts(b_->run(kTestUnitReady)));
  attentions.raise(i_t_nexus_loss_occurred);
  EXPECT_TRUE(b_->run(kTestUnitReady).is_attention(i_t_nexus_loss_occurred));
  EXPECT_TRUE(conflicts(b_->run(kTestUnitReady)));
  ASSERT_TRUE(a_.run(kRelease6).is_good());
  EXPECT_TRUE(b_->run(kTestUnitReady).is_attention(mode_parameters_changed)) << "still pending";
  EXPECT_TRUE(b_->run(kTestUnitReady).is_good());
}

TEST_F(Reserve, KeepsOthersOutOfAllButAFewCommands) {
  ASSERT_TRUE(a_.run(kReserve6).is_good());
  EXPECT_TRUE(a_.run(kReserve10).is_good()) << "again";
  EXPECT_TRUE(a_.run(block_cdb(Opcode::read_10, 0, 1)).is_good());
  EXPECT_TRUE(a_.run(kModeSense).is_good());
  EXPECT_TRUE(conflicts(b_->run(kReserve6)));
  EXPECT_TRUE(conflicts(b_->run(kTestUnitReady)));
  EXPECT_TRUE(conflicts(b_->run(block_cdb(Opcode::read_10, 0, 1))));
  EXPECT_TRUE(conflicts(b_->run(block_cdb(Opcode::write_10, 0, 1), filled(512, 1))));
  EXPECT_TRUE(conflicts(b_->run(kModeSense)));
  EXPECT_TRUE(b_->run({0x12, 0, 0, 0, 96, 0}).is_good()) << "INQUIRY";
  EXPECT_TRUE(b_->run({0x03, 0, 0, 0, 18, 0}).is_good()) << "REQUEST SENSE";
  EXPECT_TRUE(b_->run(kRelease6).is_good()) << "of another's: nothing";
  EXPECT_TRUE(conflicts(b_->run(kTestUnitReady)));
  ASSERT_TRUE(a_.run(kRelease10).is_good());
  EXPECT_TRUE(b_->run(kTestUnitReady).is_good()) << "and without unit attention";
}

TEST_F(Reserve, ThirdPartiesAndReservedFieldsAreRefused) {
  EXPECT_TRUE(a_.run({0x16, 0x10, 0, 0, 0, 0}).is_invalid_field(1));
  EXPECT_TRUE(a_.run({0x56, 0x10, 0, 7, 0, 0, 0, 0, 0, 0}).is_invalid_field(1));
  EXPECT_TRUE(a_.run({0x57, 0, 0, 0, 0, 0, 0, 0, 8, 0}).is_invalid_field(8));
}

TEST_F(Reserve, EndsWithTheNexus) {
  ASSERT_TRUE(b_->run(kReserve6).is_good());
  EXPECT_TRUE(conflicts(a_.run(kTestUnitReady)));
  bench_.world().run([&] { return lose(*b_); }, 1);
  EXPECT_TRUE(a_.run(kTestUnitReady).is_good());
}

TEST_F(Reserve, IsNotOfALaterSessionOfTheSameNames) {
  ASSERT_TRUE(b_->run(kReserve6).is_good());
  bench_.world().run([&] { return lose(*b_); }, 1);
  ASSERT_TRUE(a_.run(kReserve6).is_good());
  b_.reset();
  b_ = std::make_unique<Initiator>(bench_, 1, "iqn.2026-11.test:two");
  b_->clear_attention();
  EXPECT_TRUE(conflicts(b_->run(kTestUnitReady)));
}

TEST_F(Reserve, EndsWithALogicalUnitReset) {
  ASSERT_TRUE(b_->run(kReserve6).is_good());
  bench_.world().run([&] { return reset(a_); }, 0);
  a_.clear_attention();
  EXPECT_TRUE(a_.run(kTestUnitReady).is_good());
}

TEST_F(Reserve, ExcludesPersistentReservationsWhoeverAsks) {
  ASSERT_TRUE(a_.run(kReserve6).is_good());
  for (Initiator* initiator : {&a_, b_.get()}) {
    EXPECT_TRUE(conflicts(pr_in(*initiator, action::read_keys)));
    EXPECT_TRUE(conflicts(pr_out(*initiator, action::register_key, {.new_key = 1})));
  }
}

// SPC-5 §5.14.3
TEST_F(Reserve, OfThoseThatHaveAPersistentReservationDoesNothing) {
  ASSERT_TRUE(pr_out(a_, action::register_key, {.new_key = 1}).is_good());
  EXPECT_TRUE(conflicts(a_.run(kReserve6))) << "only registered";
  EXPECT_TRUE(conflicts(b_->run(kRelease6)));
  ASSERT_TRUE(pr_out(a_, action::reserve, {.key = 1, .type = 1}).is_good());
  EXPECT_TRUE(a_.run(kReserve6).is_good()) << "the holder";
  EXPECT_TRUE(a_.run(kRelease6).is_good());
  EXPECT_EQ(reservation_of(a_), (std::pair<std::uint64_t, int>{1, 1})) << "is still there";
  ASSERT_TRUE(pr_out(*b_, action::register_key, {.new_key = 2}).is_good());
  EXPECT_TRUE(conflicts(b_->run(kReserve6)));
  ASSERT_TRUE(pr_out(a_, action::preempt, {.key = 1, .new_key = 1, .type = 5}).is_good());
  b_->clear_attention();
  EXPECT_TRUE(b_->run(kReserve10).is_good()) << "a registrant";
  EXPECT_TRUE(b_->run(kRelease10).is_good());
}

}  // namespace
}  // namespace lunar::scsi

#include <gtest/gtest.h>

#include <algorithm>

#include "scsi/target/command_table.h"
#include "scsi/testing/protected_disk.h"

namespace lunar::scsi {
namespace {

using namespace testing;
using spec::AdditionalSense;

std::vector<std::uint8_t> rsoc(std::uint8_t options, std::uint8_t opcode = 0,
                               std::uint8_t action = 0) {
  return {0xa3, 0x0c, options, opcode, 0, action, 0, 0, 0x40, 0, 0, 0};
}

TEST(SupportedOpcodes, ListsEveryRowOfTheTable) {
  Bench bench(2048, {.removable = true});
  bench.initiator().clear_attention();
  const Outcome outcome = bench.initiator().run(rsoc(0));
  ASSERT_TRUE(outcome.is_good());
  const auto offered = [](const CommandDescription& row) { return !row.is(kNeedsType2); };
  const auto count = static_cast<std::size_t>(std::ranges::count_if(all_commands(), offered));
  EXPECT_EQ(outcome.data.size(), 4 + count * 8);
  EXPECT_EQ(bench.initiator().run(rsoc(0x80)).data.size(), 4 + count * 20);
}

TEST(SupportedOpcodes, TellWhatProtectionInformationAdds) {
  const auto flags_of_read_10 = [](Bench& bench) {
    return bench.initiator().run(rsoc(1, 0x28)).data[5];
  };
  const auto has_read_32 = [](Bench& bench) {
    return bench.initiator().run(rsoc(2, 0x7f, 9)).data[1] % 8 == 3;
  };
  ProtectedBench type_1(1);
  EXPECT_EQ(flags_of_read_10(type_1), 0xf8);
  EXPECT_FALSE(has_read_32(type_1));
  ProtectedBench type_2(2);
  EXPECT_EQ(flags_of_read_10(type_2), 0x18);
  EXPECT_TRUE(has_read_32(type_2));
  // FORMAT UNIT with FMTPINFO, if there is room for the information.
  EXPECT_EQ(type_2.initiator().run(rsoc(1, 0x04)).data[5], 0xff);
  Bench plain;
  plain.initiator().clear_attention();
  EXPECT_EQ(plain.initiator().run(rsoc(1, 0x04)).data[5], 0x3f);
  EXPECT_FALSE(has_read_32(plain));
}

TEST(SupportedOpcodes, TellsTheUsageMapThatIsChecked) {
  Bench bench;
  bench.initiator().clear_attention();
  const Outcome read_10 = bench.initiator().run(rsoc(1, 0x28));
  EXPECT_EQ(read_10.data, (std::vector<std::uint8_t>{0, 0x23, 0, 10, 0x28, 0x18, 0xff, 0xff, 0xff,
                                                     0xff, 0x3f, 0xff, 0xff, 0}));
  const Outcome capacity = bench.initiator().run(rsoc(2, 0x9e, 0x10));
  ASSERT_EQ(capacity.data.size(), 20U);
  EXPECT_EQ(capacity.data[5], 0x10) << "the service action itself";
}

TEST(SupportedOpcodes, ReportingOptionsMustFitTheOperationCode) {
  Bench bench;
  bench.initiator().clear_attention();
  EXPECT_TRUE(bench.initiator().run(rsoc(1, 0x9e, 0x10)).is_invalid_field(3));
  EXPECT_TRUE(bench.initiator().run(rsoc(2, 0x28)).is_invalid_field(3));
  EXPECT_TRUE(bench.initiator().run(rsoc(4)).is_invalid_field(2));
  EXPECT_EQ(bench.initiator().run(rsoc(3, 0x9e, 0x10)).data[1] & 7, 3);
  EXPECT_EQ(bench.initiator().run(rsoc(3, 0x9e, 0x1f)).data[1], 1);
  EXPECT_EQ(bench.initiator().run(rsoc(1, 0xc1)).data[1], 1);
}

TEST(SupportedOpcodes, AddsTimeouts) {
  Bench bench;
  bench.initiator().clear_attention();
  const Outcome outcome = bench.initiator().run(rsoc(0x81, 0x28));
  ASSERT_EQ(outcome.data.size(), 4U + 10 + 12);
  EXPECT_EQ(outcome.data[1], 0xa3);
  EXPECT_EQ(outcome.data[15], 0x0a);
}

TEST(SupportedOpcodes, LeavesOutWhatTheUnitDoesNotOffer) {
  Bench bench(64, {}, 1, 512, block::Capabilities{});
  bench.initiator().clear_attention();
  EXPECT_EQ(bench.initiator().run(rsoc(1, 0x42)).data[1], 1);
  EXPECT_TRUE(bench.initiator()
                  .run({0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0})
                  .is_illegal(AdditionalSense::invalid_command_operation_code));
}

TEST(SupportedTaskManagement, TellsTheFunctionsThatExist) {
  Bench bench;
  bench.initiator().clear_attention();
  const std::vector<std::uint8_t> basic = {0xa3, 0x0d, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0};
  EXPECT_EQ(bench.initiator().run(basic).data, (std::vector<std::uint8_t>{0xde, 0x07, 0, 0}));
  const Outcome extended = bench.initiator().run({0xa3, 0x0d, 0x80, 0, 0, 0, 0, 0, 0, 255, 0, 0});
  ASSERT_EQ(extended.data.size(), 16U);
  EXPECT_EQ(extended.data[3], 12);
  EXPECT_EQ(bench.initiator().run({0xa3, 0x0d, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0}).data,
            (std::vector<std::uint8_t>{0xde, 0x07, 0}))
      << "SPC-4 §4.2.5.6: any length cuts";
}

// For every command, a bit outside its usage map is refused with a pointer to that bit.
void expect_unread_bits_refused(Bench& bench) {
  bench.initiator().clear_attention();
  const LogicalUnitShard& unit = bench.unit().on(0);
  const bool type_2 = unit.state().protection == spec::ProtectionType::type_2;
  for (const CommandDescription& plain : all_commands()) {
    const CommandDescription& row = *row_for(&plain, unit);
    if (row.is(kNeedsType2) && !type_2) continue;
    if (row.is(kNeedsAtomicWrites) && bench.unit().atomic_limits().max_blocks == 0) continue;
    for (std::size_t byte = 1; byte < row.cdb_length; ++byte) {
      for (unsigned bit = 0; bit < 8; ++bit) {
        if ((row.usage[byte] & (1U << bit)) != 0) continue;
        // A protection field in a command that must not have one is another error.
        if (type_2 && byte == 1 && bit >= 5 && (row.heeds & kProtectionRoom) != 0) continue;
        std::vector<std::uint8_t> cdb(row.cdb_length);
        cdb[0] = static_cast<std::uint8_t>(row.opcode);
        if (row.opcode == spec::Opcode::variable_length_cdb) {
          cdb[7] = static_cast<std::uint8_t>(row.cdb_length - 8);
          cdb[9] = static_cast<std::uint8_t>(row.service_action);
        } else if (row.is(kWithServiceAction)) {
          cdb[1] = static_cast<std::uint8_t>(row.service_action);
        }
        cdb[byte] = static_cast<std::uint8_t>(cdb[byte] | (1U << bit));
        const Outcome outcome = bench.initiator().run(cdb);
        ASSERT_TRUE(outcome.is_invalid_field(static_cast<std::uint16_t>(byte)))
            << to_text(row.opcode) << " byte " << byte << " bit " << bit;
        // RDPROTECT and the like are one field; the pointer names its left-most bit (SPC-5
        // §4.4.2.4.2).
        const bool protect = byte == 1 && bit >= 5 && (row.usage[byte] & 0xe0) == 0 &&
                             row.opcode != spec::Opcode::variable_length_cdb;
        EXPECT_EQ(std::get<spec::FieldPointer>(outcome.sense.specific).bit, protect ? 7 : bit);
      }
    }
  }
}

TEST(CommandTable, RefusesEveryBitThatNoCommandReads) {
  Bench bench(2048, {.removable = true});
  expect_unread_bits_refused(bench);
}

TEST(CommandTable, RefusesThemAlsoWithProtectionInformation) {
  for (std::uint8_t type = 1; type <= 3; ++type) {
    ProtectedBench bench(type, 2048, {.removable = true});
    expect_unread_bits_refused(bench);
  }
}

TEST(CommandTable, RefusesUnknownCodesAndServiceActions) {
  Bench bench;
  bench.initiator().clear_attention();
  for (unsigned opcode = 0; opcode < 256; ++opcode) {
    if (!commands_of(static_cast<spec::Opcode>(opcode)).empty()) continue;
    std::vector<std::uint8_t> cdb(16);
    cdb[0] = static_cast<std::uint8_t>(opcode);
    EXPECT_TRUE(
        bench.initiator().run(cdb).is_illegal(AdditionalSense::invalid_command_operation_code));
  }
  std::vector<std::uint8_t> cdb(16);
  cdb[0] = 0x9e;
  cdb[1] = 0x1f;
  EXPECT_TRUE(bench.initiator().run(cdb).is_invalid_field(1));
}

}  // namespace
}  // namespace lunar::scsi

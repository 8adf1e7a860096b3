#include "scsi/spec/cdb.h"

#include <gtest/gtest.h>

#include "scsi/spec/cdb_structs.h"
#include "scsi/spec/test_bytes.h"

namespace lunar::scsi::spec {
namespace {

// Keeps the bytes of a view alive.
struct Parsed {
  explicit Parsed(std::string_view text) : bytes(hex(text)), cdb(Cdb::parse(bytes)) {}
  std::vector<std::byte> bytes;
  std::optional<Cdb> cdb;
  const Cdb& operator*() const { return *cdb; }
};

BlockCommand decoded(std::string_view text) { return decode_block_command(*Parsed(text)); }

TEST(Cdb, TakesItsOwnLengthOfPaddedBytes) {
  const std::string padding(32, '0');
  const std::pair<std::string, std::size_t> cases[] = {{"08", 6},  {"28", 10}, {"42", 10},
                                                       {"a8", 12}, {"88", 16}, {"9e", 16},
                                                       {"60", 16}, {"c1", 16}, {"e1", 16}};
  for (const auto& [opcode, length] : cases) {
    const Parsed parsed(opcode + padding.substr(0, 30));
    ASSERT_TRUE(parsed.cdb) << opcode;
    EXPECT_EQ((*parsed).size(), length) << opcode;
  }
}

TEST(Cdb, RejectsFewerBytesThanTheGroupCodeTells) {
  EXPECT_FALSE(Parsed("").cdb);
  EXPECT_FALSE(Parsed("00 00 00 00 00").cdb);
  EXPECT_FALSE(Parsed("28 00 00 00 00 00 00 00 08").cdb);
  EXPECT_FALSE(Parsed("a0 00 00 00 00 00 00 00 00 10 00").cdb);
  EXPECT_FALSE(Parsed("88 00 00 00 00 00 00 00 00 00 00 00 00 08 00").cdb);
}

TEST(Cdb, VariableLengthTellsItsLengthAndServiceAction) {
  const std::string head = "7f 04 00 00 00 00 00 18 00 09";
  const Parsed whole(head + std::string(44, '0'));
  ASSERT_TRUE(whole.cdb);
  EXPECT_EQ((*whole).size(), 32U);
  EXPECT_EQ((*whole).service_action(), service_action::read_32);
  EXPECT_TRUE((*whole).naca());
  EXPECT_FALSE(Parsed(head + std::string(42, '0')).cdb);      // a byte short
  EXPECT_FALSE(Parsed("7f 00 00 00 00 00 00 00 00 09").cdb);  // no room for the service action
  EXPECT_FALSE(Parsed("7f 00 00 00 00 00").cdb);
}

TEST(Cdb, ReadsTheServiceActionOnlyWhereThereIsOne) {
  EXPECT_EQ((*Parsed("9e f0 00000000 00000000 00000020 00 00")).service_action(),
            service_action::read_capacity_16);
  EXPECT_EQ((*Parsed("28 10 00000000 00 0008 00")).service_action(), 0);
}

TEST(Cdb, ReadsNacaFromTheControlByte) {
  EXPECT_TRUE((*Parsed("00 00 00 00 00 04")).naca());
  EXPECT_FALSE((*Parsed("00 04 00 00 00 00")).naca());
}

TEST(Cdb, TextNamesTheCommandAndItsBytes) {
  EXPECT_EQ(to_text(*Parsed("28 08 00 00 00 01 00 00 08 00")),
            "READ (10) [28 08 00 00 00 01 00 00 08 00]");
}

TEST(BlockCommand, Read6LengthZeroIs256Blocks) {
  EXPECT_EQ(decoded("08 00 00 10 00 00"), (BlockCommand{Lba(16), BlockCount(256), {}, 0}));
  EXPECT_EQ(decoded("0a 00 00 10 01 00"), (BlockCommand{Lba(16), BlockCount(1), {}, 0}));
  EXPECT_EQ(decoded("08 00 00 10 ff 00").blocks, BlockCount(255));
}

TEST(BlockCommand, Read6AddressHas21Bits) {
  EXPECT_EQ(decoded("08 ff ff ff 01 00").lba, Lba(0x1fffff));
  EXPECT_EQ(decoded("08 e0 00 00 01 00").lba, Lba(0));
}

TEST(BlockCommand, TenBytes) {
  const auto read = decoded("28 f8 12 34 56 78 df 9a bc 00");
  EXPECT_EQ(read.lba, Lba(0x12345678));
  EXPECT_EQ(read.blocks, BlockCount(0x9abc));
  EXPECT_EQ(read.flags.protect(), 7);
  EXPECT_TRUE(read.flags.dpo());
  EXPECT_TRUE(read.flags.fua());
  EXPECT_FALSE(read.flags.rarc());
  EXPECT_EQ(read.group_number, 0x1f);
  EXPECT_EQ(decoded("28 00 00000000 00 0000 00").blocks, BlockCount(0));
}

TEST(BlockCommand, TwelveBytes) {
  EXPECT_EQ(decoded("aa 08 01 02 03 04 05 06 07 08 09 00"),
            (BlockCommand{Lba(0x01020304), BlockCount(0x05060708), BlockFlags{0x08}, 9}));
}

TEST(BlockCommand, SixteenBytes) {
  EXPECT_EQ(decoded("8a 10 0102030405060708 090a0b0c 0d 00"),
            (BlockCommand{Lba(0x0102030405060708), BlockCount(0x090a0b0c), BlockFlags{0x10}, 13}));
}

TEST(BlockCommand, ThirtyTwoBytes) {
  EXPECT_EQ(decoded("7f 00 00000000 05 18 000b 08 00 0102030405060708 00000000 0000 0000 00000010"),
            (BlockCommand{Lba(0x0102030405060708), BlockCount(16), BlockFlags{0x08}, 5}));
}

TEST(BlockCommand, FlagsOfVerifyWriteSameAndSynchronizeCache) {
  EXPECT_EQ(decoded("2f 02 00000000 00 0001 00").flags.byte_check(), kByteCheckCompare);
  EXPECT_EQ(decoded("8f 06 0000000000000000 00000001 00 00").flags.byte_check(),
            kByteCheckCompareOne);
  const auto same = decoded("93 19 0000000000000000 00000000 00 00").flags;
  EXPECT_TRUE(same.anchor());
  EXPECT_TRUE(same.unmap());
  EXPECT_TRUE(same.ndob());
  EXPECT_TRUE(decoded("35 02 00000000 00 0000 00").flags.immed());
}

TEST(BlockCommand, EncodesWhatItDecodes) {
  const BlockCommand command{Lba(0x1234), BlockCount(200), BlockFlags{0x18}, 3};
  for (const Opcode opcode : {Opcode::read_10, Opcode::write_12, Opcode::write_same_16}) {
    const auto bytes = encode_block_command(opcode, command);
    ASSERT_TRUE(bytes);
    const auto cdb = Cdb::parse(bytes->bytes());
    ASSERT_TRUE(cdb);
    EXPECT_EQ(cdb->opcode(), opcode);
    EXPECT_EQ(decode_block_command(*cdb), command);
  }
}

TEST(BlockCommand, Encodes256BlocksOfSixBytesAsZero) {
  const auto bytes = encode_block_command(Opcode::read_6, {Lba(0x1fffff), BlockCount(256), {}, 0});
  ASSERT_TRUE(bytes);
  EXPECT_EQ(to_hex(bytes->bytes()), "08 1f ff ff 00 00");
}

TEST(BlockCommand, DoesNotEncodeWhatDoesNotFit) {
  const BlockCommand one{Lba(0), BlockCount(1), {}, 0};
  auto with = [&](Lba lba, BlockCount blocks, std::uint8_t flags, std::uint8_t group) {
    return BlockCommand{lba, blocks, BlockFlags{flags}, group};
  };
  EXPECT_TRUE(encode_block_command(Opcode::read_6, one));
  EXPECT_FALSE(encode_block_command(Opcode::read_6, with(Lba(0x200000), BlockCount(1), 0, 0)));
  EXPECT_FALSE(encode_block_command(Opcode::read_6, with(Lba(0), BlockCount(0), 0, 0)));
  EXPECT_FALSE(encode_block_command(Opcode::read_6, with(Lba(0), BlockCount(257), 0, 0)));
  EXPECT_FALSE(encode_block_command(Opcode::read_6, with(Lba(0), BlockCount(1), 8, 0)));
  EXPECT_FALSE(encode_block_command(Opcode::read_10, with(Lba(1ULL << 32), BlockCount(1), 0, 0)));
  EXPECT_FALSE(encode_block_command(Opcode::read_10, with(Lba(0), BlockCount(0x10000), 0, 0)));
  EXPECT_FALSE(encode_block_command(Opcode::read_16, with(Lba(0), BlockCount(1ULL << 32), 0, 0)));
  EXPECT_FALSE(encode_block_command(Opcode::read_16, with(Lba(0), BlockCount(1), 0, 64)));
  EXPECT_FALSE(encode_block_command(Opcode::variable_length_cdb, one));
}

TEST(CompareAndWrite, CountIsOneByte) {
  const Parsed parsed("89 08 0000000000000102 000000 10 03 00");
  EXPECT_EQ(decode_compare_and_write(*parsed),
            (BlockCommand{Lba(0x102), BlockCount(16), BlockFlags{8}, 3}));
}

TEST(CdbStructs, Inquiry) {
  const auto cdb = (*Parsed("12 01 83 01 00 00")).as<InquiryCdb>();
  EXPECT_TRUE(cdb.evpd());
  EXPECT_EQ(cdb.page_code, 0x83);
  EXPECT_EQ(cdb.allocation_length, 256);
}

TEST(CdbStructs, ModeSense) {
  const auto six = (*Parsed("1a 08 4a 01 c0 00")).as<ModeSense6Cdb>();
  EXPECT_TRUE(six.dbd());
  EXPECT_EQ(six.page_control(), 1);
  EXPECT_EQ(six.page_code(), 0x0a);
  EXPECT_EQ(six.subpage_code, 1);
  EXPECT_EQ(six.allocation_length, 0xc0);
  const auto ten = (*Parsed("5a 10 bf ff 00 00 00 10 00 00")).as<ModeSense10Cdb>();
  EXPECT_TRUE(ten.llbaa());
  EXPECT_FALSE(ten.dbd());
  EXPECT_EQ(ten.page_control(), 2);
  EXPECT_EQ(ten.page_code(), 0x3f);
  EXPECT_EQ(ten.subpage_code, 0xff);
  EXPECT_EQ(ten.allocation_length, 0x1000);
}

TEST(CdbStructs, ModeSelect) {
  const auto six = (*Parsed("15 11 00 00 18 00")).as<ModeSelect6Cdb>();
  EXPECT_EQ(six.flags, ModeSelect6Cdb::kPf | ModeSelect6Cdb::kSp);
  EXPECT_EQ(six.parameter_list_length, 0x18);
  EXPECT_EQ((*Parsed("55 10 00 00 00 00 00 01 02 00")).as<ModeSelect10Cdb>().parameter_list_length,
            0x102);
}

TEST(CdbStructs, RequestSenseAndStartStopUnit) {
  const auto sense = (*Parsed("03 01 00 00 fc 00")).as<RequestSenseCdb>();
  EXPECT_TRUE(sense.desc());
  EXPECT_EQ(sense.allocation_length, 252);
  const auto unit = (*Parsed("1b 01 00 0f 35 00")).as<StartStopUnitCdb>();
  EXPECT_TRUE(unit.immed());
  EXPECT_EQ(unit.power_condition_modifier, 0x0f);
  EXPECT_EQ(unit.power_condition(), 3);
  EXPECT_TRUE(unit.no_flush());
  EXPECT_FALSE(unit.loej());
  EXPECT_TRUE(unit.start());
}

TEST(CdbStructs, Capacity) {
  const auto ten = (*Parsed("25 00 00000007 0000 01 00")).as<ReadCapacity10Cdb>();
  EXPECT_EQ(ten.obsolete_logical_block_address, 7U);
  EXPECT_EQ(ten.obsolete_pmi, 1);
  const auto sixteen =
      (*Parsed("9e 10 0000000000000009 00000020 01 00")).as<ServiceActionIn16Cdb>();
  EXPECT_EQ(sixteen.logical_block_address, 9U);
  EXPECT_EQ(sixteen.allocation_length, 32U);
  EXPECT_EQ(sixteen.flags, 1);
}

TEST(CdbStructs, UnmapReportLunsAndOperationCodes) {
  const auto unmap = (*Parsed("42 01 00 00 00 00 05 00 18 00")).as<UnmapCdb>();
  EXPECT_TRUE(unmap.anchor());
  EXPECT_EQ(unmap.group_number, 5);
  EXPECT_EQ(unmap.parameter_list_length, 24);
  const auto luns = (*Parsed("a0 00 02 000000 00001000 00 00")).as<ReportLunsCdb>();
  EXPECT_EQ(luns.select_report, 2);
  EXPECT_EQ(luns.allocation_length, 4096U);
  const auto codes =
      (*Parsed("a3 0c 82 9e 0010 00002000 00 00")).as<ReportSupportedOperationCodesCdb>();
  EXPECT_TRUE(codes.rctd());
  EXPECT_EQ(codes.reporting_options(), 2);
  EXPECT_EQ(codes.requested_operation_code, 0x9e);
  EXPECT_EQ(codes.requested_service_action, 0x10);
  EXPECT_EQ(codes.allocation_length, 0x2000U);
}

TEST(CdbStructs, WriteAtomic) {
  const auto cdb = (*Parsed("9c 08 0000000000000100 0010 0020 01 00")).as<WriteAtomic16Cdb>();
  EXPECT_EQ(cdb.logical_block_address, 0x100U);
  EXPECT_EQ(cdb.atomic_boundary_blocks, 16);
  EXPECT_EQ(cdb.transfer_length_blocks, 32);
}

TEST(Opcodes, TextNamesTheCommand) {
  EXPECT_EQ(to_text(Opcode::compare_and_write), "COMPARE AND WRITE");
  EXPECT_EQ(to_text(static_cast<Opcode>(0xc1)), "OPERATION CODE C1h");
  EXPECT_EQ(to_text(Opcode::service_action_in_16, service_action::read_capacity_16),
            "READ CAPACITY (16)");
  EXPECT_EQ(to_text(Opcode::maintenance_in, 0x1f), "MAINTENANCE IN, SERVICE ACTION 1Fh");
  EXPECT_EQ(to_text(Opcode::read_10, 0x10), "READ (10)");
}

TEST(Opcodes, EveryListedServiceActionBelongsToAnOpcodeThatHasThem) {
#define LUNAR_CHECK(opcode, name, code, text) \
  EXPECT_TRUE(has_service_action(Opcode::opcode)) << text;
  LUNAR_SERVICE_ACTION_LIST(LUNAR_CHECK)
#undef LUNAR_CHECK
}

}  // namespace
}  // namespace lunar::scsi::spec

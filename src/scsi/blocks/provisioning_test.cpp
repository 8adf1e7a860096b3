#include <gtest/gtest.h>

#include "scsi/spec/unmap.h"
#include "scsi/testing/bench.h"

namespace lunar::scsi {
namespace {

using namespace testing;
using spec::AdditionalSense;
using spec::Opcode;
using spec::SenseKey;

std::vector<std::byte> unmap_list(const std::vector<spec::UnmapExtent>& extents) {
  std::vector<std::byte> bytes(8 + extents.size() * 16);
  ByteWriter out(bytes);
  spec::UnmapParameterListHeader header;
  header.unmap_data_length = static_cast<std::uint16_t>(bytes.size() - 2);
  header.unmap_block_descriptor_data_length = static_cast<std::uint16_t>(bytes.size() - 8);
  out.write(header);
  for (const spec::UnmapExtent& extent : extents) {
    spec::UnmapBlockDescriptor descriptor;
    descriptor.unmap_logical_block_address = extent.lba.value;
    descriptor.number_of_logical_blocks = static_cast<std::uint32_t>(extent.blocks.value);
    out.write(descriptor);
  }
  return bytes;
}

std::vector<std::uint8_t> unmap_cdb(std::size_t length, std::uint8_t flags = 0) {
  return {0x42,
          flags,
          0,
          0,
          0,
          0,
          0,
          static_cast<std::uint8_t>(length >> 8),
          static_cast<std::uint8_t>(length),
          0};
}

class Provisioning : public ::testing::Test {
 protected:
  Provisioning() {
    bench.initiator().clear_attention();
    std::fill(bench.device().medium.begin(), bench.device().medium.end(), std::byte{0xee});
  }
  Outcome unmap(const std::vector<spec::UnmapExtent>& extents) {
    auto list = unmap_list(extents);
    const auto cdb = unmap_cdb(list.size());
    return bench.initiator().run(cdb, std::move(list));
  }
  [[nodiscard]] int at(std::size_t block) const {
    return std::to_integer<int>(bench_medium()[block * 512]);
  }
  [[nodiscard]] const std::vector<std::byte>& bench_medium() const {
    return const_cast<Bench&>(bench).device().medium;
  }

  Bench bench{1024};
};

// Partial blocks fail the whole command. Fewer whole blocks than named are processed.
TEST_F(Provisioning, PartsOfABlockAreRefusedByEveryCommandThatTakesBlocks) {
  const auto wrong = AdditionalSense::invalid_field_in_command_information_unit;
  for (const Opcode opcode :
       {Opcode::write_6, Opcode::write_10, Opcode::write_12, Opcode::write_16,
        Opcode::write_and_verify_10, Opcode::write_and_verify_12, Opcode::write_and_verify_16,
        Opcode::orwrite_16, Opcode::write_same_10, Opcode::write_same_16}) {
    for (const std::size_t bytes : {1U, 200U, 511U, 513U, 1023U}) {
      EXPECT_TRUE(
          bench.initiator().run(block_cdb(opcode, 4, 2), filled(bytes, 0x55)).is_illegal(wrong))
          << int{static_cast<std::uint8_t>(opcode)} << " " << bytes;
    }
  }
  for (const auto byte_check : {std::uint8_t{0x02}, std::uint8_t{0x06}}) {
    EXPECT_TRUE(bench.initiator()
                    .run(block_cdb(Opcode::verify_10, 4, 2, byte_check), filled(200, 0xee))
                    .is_illegal(wrong));
  }
  EXPECT_EQ(at(4), 0xee);
  EXPECT_EQ(at(5), 0xee);
  EXPECT_TRUE(
      bench.initiator().run(block_cdb(Opcode::write_10, 4, 2), filled(512, 0x55)).is_good());
  EXPECT_EQ(at(4), 0x55);
  EXPECT_EQ(at(5), 0xee);
}

TEST_F(Provisioning, UnmapTakesManyDescriptors) {
  EXPECT_TRUE(unmap({{Lba(1), BlockCount(2)}, {Lba(9), BlockCount(0)}, {Lba(20), BlockCount(1)}})
                  .is_good());
  EXPECT_EQ(at(0), 0xee);
  EXPECT_EQ(at(1), 0);
  EXPECT_EQ(at(2), 0);
  EXPECT_EQ(at(9), 0xee);
  EXPECT_EQ(at(20), 0);
  EXPECT_TRUE(unmap(std::vector<spec::UnmapExtent>(kMaxUnmapDescriptors, {Lba(5), BlockCount(0)}))
                  .is_good());
}

TEST_F(Provisioning, UnmapOfNothingIsGood) {
  EXPECT_TRUE(unmap({}).is_good());
  EXPECT_TRUE(unmap({{Lba(1024), BlockCount(0)}}).is_good()) << "at the capacity";
  EXPECT_TRUE(bench.initiator().run(unmap_cdb(0)).is_good());
  EXPECT_TRUE(bench.device().calls.empty());
}

TEST_F(Provisioning, UnmapBeyondTheEndChangesNothing) {
  EXPECT_TRUE(unmap({{Lba(0), BlockCount(1)}, {Lba(1024), BlockCount(1)}})
                  .is_illegal(AdditionalSense::lba_out_of_range));
  EXPECT_TRUE(
      unmap({{Lba(UINT64_MAX), BlockCount(2)}}).is_illegal(AdditionalSense::lba_out_of_range));
  EXPECT_EQ(at(0), 0xee);
}

TEST_F(Provisioning, UnmapRefusesABadList) {
  EXPECT_TRUE(bench.initiator()
                  .run(unmap_cdb(7), filled(7, 0))
                  .is_illegal(AdditionalSense::parameter_list_length_error));
  auto list = unmap_list({{Lba(0), BlockCount(1)}});
  list.resize(20);
  EXPECT_TRUE(bench.initiator()
                  .run(unmap_cdb(20), std::move(list))
                  .is_illegal(AdditionalSense::parameter_list_length_error));
  auto cut = unmap_list({{Lba(0), BlockCount(1)}});
  const auto cdb = unmap_cdb(cut.size());
  cut.resize(8);
  EXPECT_TRUE(bench.initiator()
                  .run(cdb, std::move(cut))
                  .is_illegal(AdditionalSense::parameter_list_length_error))
      << "the initiator sent less than the CDB tells";
  EXPECT_TRUE(bench.initiator().run(unmap_cdb(24, 1), filled(24, 0)).is_invalid_field(1))
      << "ANCHOR";
}

TEST_F(Provisioning, WriteSameRepeatsTheBlock) {
  for (const Opcode opcode : {Opcode::write_same_10, Opcode::write_same_16}) {
    EXPECT_TRUE(bench.initiator().run(block_cdb(opcode, 10, 300), filled(512, 0x55)).is_good());
    EXPECT_EQ(at(9), 0xee);
    EXPECT_EQ(at(10), 0x55);
    EXPECT_EQ(at(309), 0x55);
    EXPECT_EQ(at(310), 0xee);
  }
}

TEST_F(Provisioning, WriteSameOfZeroBlocksGoesToTheEnd) {
  EXPECT_TRUE(bench.initiator()
                  .run(block_cdb(Opcode::write_same_10, 1000, 0), filled(512, 0x55))
                  .is_good());
  EXPECT_EQ(at(999), 0xee);
  EXPECT_EQ(at(1023), 0x55);
  EXPECT_TRUE(bench.initiator()
                  .run(block_cdb(Opcode::write_same_10, 1024, 0), filled(512, 0x55))
                  .is_good());
  EXPECT_TRUE(bench.initiator()
                  .run(block_cdb(Opcode::write_same_16, 1025, 0), filled(512, 0x55))
                  .is_illegal(AdditionalSense::lba_out_of_range));
}

TEST_F(Provisioning, WriteSameUnmapsWhenAskedWhateverTheData) {
  EXPECT_TRUE(bench.initiator()
                  .run(block_cdb(Opcode::write_same_16, 4, 4, 0x08), filled(512, 0))
                  .is_good());
  ASSERT_EQ(bench.device().calls.size(), 1U);
  EXPECT_EQ(bench.device().calls[0].op, block::Op::write_zeroes);
  EXPECT_EQ(bench.device().calls[0].flags, block::kMayUnmap);
  EXPECT_EQ(at(4), 0);
  bench.device().calls.clear();
  EXPECT_TRUE(bench.initiator()
                  .run(block_cdb(Opcode::write_same_16, 4, 4, 0x08), filled(512, 1))
                  .is_good());
  EXPECT_EQ(bench.device().calls[0].op, block::Op::write_zeroes);
  EXPECT_EQ(at(4), 0) << "as LBPRZ says";
}

TEST_F(Provisioning, WriteSameWithoutDataOutWritesZeroes) {
  EXPECT_TRUE(bench.initiator().run(block_cdb(Opcode::write_same_16, 4, 4, 0x01)).is_good());
  EXPECT_EQ(at(4), 0);
  EXPECT_TRUE(
      bench.initiator().run(block_cdb(Opcode::write_same_10, 4, 4, 0x01)).is_invalid_field(1));
}

TEST_F(Provisioning, WriteSameWantsExactlyOneBlock) {
  const auto wrong = AdditionalSense::invalid_field_in_command_information_unit;
  EXPECT_TRUE(bench.initiator()
                  .run(block_cdb(Opcode::write_same_10, 0, 1, 8), filled(256, 0))
                  .is_illegal(wrong));
  EXPECT_TRUE(bench.initiator()
                  .run(block_cdb(Opcode::write_same_10, 0, 1, 8), filled(1024, 0))
                  .is_illegal(wrong));
  EXPECT_TRUE(bench.initiator().run(block_cdb(Opcode::write_same_10, 0, 1), {}).is_illegal(wrong));
  EXPECT_TRUE(bench.initiator().run(block_cdb(Opcode::write_same_10, 0, 1, 8), {}).is_good())
      << "UNMAP without data means zeroes";
}

TEST_F(Provisioning, WriteSameRefusesAnchorAndProtection) {
  EXPECT_TRUE(bench.initiator()
                  .run(block_cdb(Opcode::write_same_16, 0, 1, 0x10), filled(512, 0))
                  .is_invalid_field(1));
  EXPECT_TRUE(bench.initiator()
                  .run(block_cdb(Opcode::write_same_16, 0, 1, 0x20), filled(512, 0))
                  .is_invalid_field(1));
}

// ---- VERIFY

TEST_F(Provisioning, VerifyReadsTheMedium) {
  for (const Opcode opcode : {Opcode::verify_10, Opcode::verify_12, Opcode::verify_16}) {
    EXPECT_TRUE(bench.initiator().run(block_cdb(opcode, 0, 16)).is_good());
    EXPECT_EQ(bench.device().calls.back().op, block::Op::read);
    EXPECT_TRUE(bench.initiator().run(block_cdb(opcode, 0, 0)).is_good());
    EXPECT_TRUE(bench.initiator()
                    .run(block_cdb(opcode, 1023, 2))
                    .is_illegal(AdditionalSense::lba_out_of_range));
  }
  bench.device().answers[block::Op::read] = block::Status::read_error;
  EXPECT_TRUE(bench.initiator()
                  .run(block_cdb(Opcode::verify_10, 0, 16))
                  .is(SenseKey::medium_error, AdditionalSense::unrecovered_read_error));
}

TEST_F(Provisioning, VerifyComparesByteByByte) {
  auto data = filled(4 * 512, 0xee);
  EXPECT_TRUE(bench.initiator().run(block_cdb(Opcode::verify_10, 8, 4, 0x02), data).is_good());
  data[2 * 512 + 7] = std::byte{0};
  const Outcome outcome = bench.initiator().run(block_cdb(Opcode::verify_10, 8, 4, 0x02), data);
  EXPECT_TRUE(
      outcome.is(SenseKey::miscompare, AdditionalSense::miscompare_during_verify_operation));
  EXPECT_EQ(outcome.sense.information, 10U);
}

TEST_F(Provisioning, VerifyComparesOneBlockWithAll) {
  EXPECT_TRUE(bench.initiator()
                  .run(block_cdb(Opcode::verify_16, 0, 1024, 0x06), filled(512, 0xee))
                  .is_good());
  bench.device().medium[700 * 512 + 3] = std::byte{1};
  const Outcome outcome =
      bench.initiator().run(block_cdb(Opcode::verify_16, 0, 1024, 0x06), filled(512, 0xee));
  EXPECT_TRUE(
      outcome.is(SenseKey::miscompare, AdditionalSense::miscompare_during_verify_operation));
  EXPECT_EQ(outcome.sense.information, 700U);
}

// A VERIFY that held its data while it waited for pool memory could wait for ever.
TEST_F(Provisioning, VerifyNeedsNoMoreOfThePool) {
  engine::Shard::bind(&bench.world().shard());
  engine::BufferPool& pool = bench.world().shard().buffers();
  std::vector<engine::Buffer> taken;
  for (std::size_t bytes = engine::kMaxBufferBytes; bytes >= engine::kMinBufferBytes; bytes /= 2) {
    while (engine::Buffer buffer = pool.try_allocate(bytes)) taken.push_back(std::move(buffer));
  }
  for (const unsigned byte_check : {0U, 1U, 3U}) {
    const auto flags = static_cast<std::uint8_t>(byte_check << 1);
    const std::size_t blocks = byte_check == 0 ? 0 : byte_check == 1 ? 1024 : 1;
    EXPECT_TRUE(bench.initiator()
                    .run(block_cdb(Opcode::verify_16, 0, 1024, flags), filled(blocks * 512, 0xee))
                    .is_good());
  }
}

TEST_F(Provisioning, WriteAndVerifyWritesThenReadsOrCompares) {
  for (const Opcode opcode :
       {Opcode::write_and_verify_10, Opcode::write_and_verify_12, Opcode::write_and_verify_16}) {
    for (const std::uint8_t flags : std::initializer_list<std::uint8_t>{0x00, 0x02, 0x12}) {
      const auto value = static_cast<std::uint8_t>(flags + 1);
      bench.device().calls.clear();
      EXPECT_TRUE(
          bench.initiator().run(block_cdb(opcode, 7, 2, flags), filled(1024, value)).is_good());
      EXPECT_EQ(at(6), 0xee);
      EXPECT_EQ(at(7), value);
      EXPECT_EQ(at(8), value);
      EXPECT_EQ(at(9), 0xee);
      ASSERT_EQ(bench.device().calls.size(), 2U);
      EXPECT_EQ(bench.device().calls[0].op, block::Op::write);
      EXPECT_EQ(bench.device().calls[1].op, block::Op::read);
    }
    EXPECT_TRUE(bench.initiator().run(block_cdb(opcode, 0, 0)).is_good());
    EXPECT_TRUE(bench.initiator()
                    .run(block_cdb(opcode, 1024, 1), filled(512, 0))
                    .is_illegal(AdditionalSense::lba_out_of_range));
    for (const std::uint8_t refused : std::initializer_list<std::uint8_t>{0x04, 0x06, 0x08, 0x20}) {
      EXPECT_TRUE(bench.initiator()
                      .run(block_cdb(opcode, 0, 1, refused), filled(512, 0))
                      .is_invalid_field(1))
          << "BYTCHK 10b, 11b, a reserved bit, WRPROTECT";
    }
  }
  bench.device().answers[block::Op::read] = block::Status::read_error;
  EXPECT_TRUE(bench.initiator()
                  .run(block_cdb(Opcode::write_and_verify_10, 0, 1), filled(512, 0))
                  .is(SenseKey::medium_error, AdditionalSense::unrecovered_read_error));
}

TEST_F(Provisioning, VerifyRefusesTheReservedByteCheck) {
  EXPECT_TRUE(bench.initiator().run(block_cdb(Opcode::verify_10, 0, 1, 0x04)).is_invalid_field(1));
  EXPECT_TRUE(bench.initiator().run(block_cdb(Opcode::verify_10, 0, 1, 0x20)).is_invalid_field(1));
}

}  // namespace
}  // namespace lunar::scsi

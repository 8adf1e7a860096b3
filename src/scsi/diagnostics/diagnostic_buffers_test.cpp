#include <gtest/gtest.h>

#include "scsi/testing/bench.h"

namespace lunar::scsi {
namespace {

using namespace testing;
using spec::AdditionalSense;
using Data = std::vector<std::uint8_t>;

Data write_buffer(std::uint8_t mode, std::uint8_t length, std::uint8_t offset = 0) {
  return {0x3b, mode, 0, 0, 0, offset, 0, 0, length, 0};
}
Data read_buffer(std::uint8_t mode, std::uint8_t offset = 0) {
  return {0x3c, mode, 0, 0, 0, offset, 0, 0xff, 0xff, 0};
}

TEST(Buffers, AreOfEachNexusAndLogicalUnit) {
  Bench bench;
  Initiator& initiator = bench.initiator();
  ASSERT_TRUE(bench.add(Lun(1), bench.unit()));
  initiator.clear_attention(0);
  initiator.clear_attention(0);
  initiator.clear_attention(1);
  ASSERT_TRUE(initiator.run(write_buffer(0x0a, 3), filled(3, 7)).is_good());
  EXPECT_EQ(initiator.run(read_buffer(0x0a)).data, (Data{7, 7, 7}));
  EXPECT_TRUE(
      initiator.run(read_buffer(0x0a), {}, 1).is_illegal(AdditionalSense::command_sequence_error));
  ASSERT_TRUE(initiator.run(write_buffer(0x02, 2, 1), filled(2, 9)).is_good());
  const Outcome data = initiator.run(read_buffer(0x02));
  ASSERT_EQ(data.data.size(), kDataBufferBytes);
  EXPECT_EQ(Data(data.data.begin(), data.data.begin() + 4), (Data{0, 9, 9, 0}));
}

TEST(Buffers, DataThatAreCutShortChangeNothing) {
  Bench bench;
  Initiator& initiator = bench.initiator();
  initiator.clear_attention();
  EXPECT_TRUE(initiator.run(write_buffer(0x0a, 3), filled(2, 7))
                  .is_illegal(AdditionalSense::parameter_list_length_error));
  EXPECT_TRUE(initiator.run(read_buffer(0x0a)).is_illegal(AdditionalSense::command_sequence_error));
}

TEST(Buffers, MicrocodeIsNotLoaded) {
  Bench bench;
  Initiator& initiator = bench.initiator();
  initiator.clear_attention();
  for (std::uint8_t mode = 0; mode < 0x20; ++mode) {
    const bool reads = mode == 0x02 || mode == 0x03 || mode == 0x0a || mode == 0x0b;
    const bool writes = mode == 0x02 || mode == 0x0a;
    EXPECT_EQ(initiator.run(write_buffer(mode, 1), filled(1, 1)).is_invalid_field(1), !writes);
    EXPECT_EQ(initiator.run(read_buffer(mode)).is_invalid_field(1), !reads) << int{mode};
  }
}

}  // namespace
}  // namespace lunar::scsi

#include "iscsi/session/pdu_receiver.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "base/crc32c.h"
#include "engine/sim/world.h"

namespace lunar::iscsi {
namespace {

// Records what it is given; says where data goes.
class Recorder final : public PduReceiver::Handler {
 public:
  Placement on_header(InboundPdu&, bool whole) override {
    if (stall) return Placement::stall();
    if (whole || target.empty()) return {};
    return Placement::at(target.data());
  }
  void on_pdu(InboundPdu& pdu) override {
    opcodes.push_back(pdu.bhs.opcode_byte);
    data.emplace_back(as_text(pdu.data));
    digests_ok.push_back(pdu.digest_ok);
  }
  void on_format_error(std::string_view what) override { error = what; }

  bool stall = false;
  std::vector<std::byte> target;
  std::vector<std::uint8_t> opcodes;
  std::vector<std::string> data;
  std::vector<bool> digests_ok;
  std::string error;
};

std::string pdu(std::uint8_t opcode, std::string_view data, bool header_digest = false,
                bool data_digest = false) {
  spec::Bhs bhs;
  bhs.opcode_byte = opcode;
  bhs.data_segment_length = static_cast<std::uint32_t>(data.size());
  std::string bytes(as_text(as_bytes(bhs)));
  const auto add_digest = [&bytes](std::size_t from) {
    const le32 digest = crc32c(as_bytes(std::string_view(bytes).substr(from)));
    bytes.append(as_text(as_bytes(digest)));
  };
  if (header_digest) add_digest(0);
  const std::size_t start = bytes.size();
  bytes.append(data);
  while (bytes.size() % 4 != 0) bytes.push_back('\0');
  if (data_digest && !data.empty()) add_digest(start);
  return bytes;
}

class PduReceiverTest : public testing::Test {
 protected:
  // As a socket would, at most `piece` bytes at a time.
  void feed(std::string_view bytes, std::size_t piece = SIZE_MAX) {
    while (!bytes.empty()) {
      std::size_t moved = 0;
      for (const iovec& into : receiver.receive_into()) {
        const std::size_t count = std::min({into.iov_len, bytes.size(), piece - moved});
        std::memcpy(into.iov_base, bytes.data(), count);
        bytes.remove_prefix(count);
        moved += count;
      }
      ASSERT_NE(moved, 0U);
      receiver.received(moved);
    }
  }
  [[nodiscard]] std::size_t used() const { return pool().region_bytes() - pool().free_bytes(); }
  [[nodiscard]] engine::BufferPool& pool() const { return world.shard().buffers(); }

  mutable engine::sim::World world;
  Recorder recorder;
  PduReceiver receiver{recorder, world.shard().buffers()};
};

TEST_F(PduReceiverTest, FindsPdusWhereverTheStreamIsCut) {
  const std::string stream = pdu(1, "abc") + pdu(2, "") + pdu(3, std::string(1000, 'x'));
  for (const std::size_t piece : {1U, 3U, 47U, 48U, 49U, 4096U}) {
    recorder.opcodes.clear();
    recorder.data.clear();
    feed(stream, piece);
    EXPECT_EQ(recorder.opcodes, (std::vector<std::uint8_t>{1, 2, 3})) << piece;
  }
}

TEST_F(PduReceiverTest, HandsDataOverWithoutItsPadding) {
  feed(pdu(1, "abcde") + pdu(2, "z"));
  EXPECT_EQ(recorder.data, (std::vector<std::string>{"abcde", "z"}));
}

TEST_F(PduReceiverTest, FillsTheHandlersPlaceDirectly) {
  recorder.target.resize(100'000);
  receiver.set_max_data_segment_length(100'000);
  const std::string data(100'000, 'd');
  feed(pdu(1, data), 30'000);
  EXPECT_EQ(as_text(recorder.target), data);
}

// How the room for the next bytes is divided.
std::vector<std::size_t> lengths(std::span<const iovec> pieces) {
  std::vector<std::size_t> all;
  for (const iovec& piece : pieces) all.push_back(piece.iov_len);
  return all;
}

TEST_F(PduReceiverTest, TakesOnlyTheNextHeaderBehindALargeSegment) {
  constexpr std::size_t kBytes = 200'000;
  using Lengths = std::vector<std::size_t>;
  recorder.target.resize(kBytes);
  receiver.set_max_data_segment_length(kBytes);
  const std::string large = pdu(1, std::string(kBytes, 'd'));
  feed(std::string_view(large).substr(0, 1048));
  EXPECT_EQ(lengths(receiver.receive_into()), (Lengths{kBytes - 1000, 48}));
  feed(std::string_view(large).substr(1048));
  EXPECT_EQ(lengths(receiver.receive_into()), Lengths{48}) << "another large one may follow";
  feed(pdu(2, ""));
  EXPECT_EQ(lengths(receiver.receive_into()), Lengths{kReceiveBufferBytes});
}

TEST_F(PduReceiverTest, ReceivesLargeSegmentsWithDigestsWhereverTheStreamIsCut) {
  constexpr std::size_t kBytes = 100'001;  // with padding
  recorder.target.resize(kBytes);
  receiver.set_max_data_segment_length(kBytes);
  receiver.set_digests(true, true);
  const std::string large = pdu(1, std::string(kBytes, 'd'), true, true);
  std::string stream = large;
  stream.append(large).append(pdu(2, "abc", true, true)).append(large);
  for (const std::size_t piece : {1'000U, 49'999U, 100'048U, 100'060U, 200'000U}) {
    recorder.opcodes.clear();
    recorder.digests_ok.clear();
    feed(stream, piece);
    EXPECT_EQ(recorder.opcodes, (std::vector<std::uint8_t>{1, 1, 2, 1})) << piece;
    EXPECT_EQ(recorder.digests_ok, std::vector<bool>(4, true)) << piece;
  }
}

TEST_F(PduReceiverTest, ChecksBothDigests) {
  receiver.set_digests(true, true);
  feed(pdu(1, "abc", true, true), 7);
  EXPECT_EQ(recorder.digests_ok, std::vector<bool>{true});
  std::string damaged = pdu(2, "abc", true, true);
  damaged[53] = static_cast<char>(damaged[53] ^ 1);
  feed(damaged);
  EXPECT_EQ(recorder.digests_ok, (std::vector<bool>{true, false}));
  EXPECT_EQ(recorder.error, "") << "a data digest is the handler's to judge";
  std::string bad_header = pdu(3, "", true, true);
  bad_header[1] = static_cast<char>(bad_header[1] ^ 1);
  feed(bad_header);
  EXPECT_NE(recorder.error, "");
  EXPECT_EQ(recorder.opcodes.size(), 2U);
}

TEST_F(PduReceiverTest, RefusesASegmentLongerThanDeclared) {
  receiver.set_max_data_segment_length(10);
  feed(pdu(1, std::string(10, 'x')));
  EXPECT_EQ(recorder.error, "");
  feed(pdu(1, std::string(11, 'x')).substr(0, 48));
  EXPECT_NE(recorder.error, "");
}

TEST_F(PduReceiverTest, StallsUntilItsHandlerHasAPlace) {
  recorder.stall = true;
  feed(pdu(1, "abc"));
  EXPECT_TRUE(receiver.is_stalled());
  EXPECT_TRUE(receiver.receive_into().empty());
  recorder.stall = false;
  receiver.resume();
  EXPECT_EQ(recorder.data, std::vector<std::string>{"abc"});
}

TEST_F(PduReceiverTest, ForgetsTheRestOfASegmentWhosePlaceIsGone) {
  recorder.target.resize(1000);
  receiver.set_digests(false, true);
  const std::string first = pdu(1, std::string(1000, 'd'), false, true);
  feed(std::string_view(first).substr(0, 48 + 400));
  receiver.discard_segment();
  feed(std::string_view(first).substr(48 + 400), 100);
  EXPECT_EQ(as_text(recorder.target), std::string(400, 'd') + std::string(600, '\0'));
  feed(pdu(2, "next", false, true));
  EXPECT_EQ(recorder.data, (std::vector<std::string>{"", "next"}));
}

TEST_F(PduReceiverTest, DoesNotAskAgainForASegmentThatWasGivenUpWhileStalled) {
  recorder.stall = true;
  feed(pdu(1, "abc") + pdu(2, "d"));
  receiver.discard_segment();
  recorder.stall = false;
  receiver.resume();
  EXPECT_EQ(recorder.data, (std::vector<std::string>{"", "d"}));
}

TEST_F(PduReceiverTest, KeepsNoBufferWhileIdleAndAPageInAHeader) {
  feed(pdu(1, "abc"));
  receiver.release_idle_buffer();
  EXPECT_EQ(used(), 0U);
  const std::string next = pdu(2, "def");
  feed(std::string_view(next).substr(0, 20));
  receiver.release_idle_buffer();
  EXPECT_EQ(used(), engine::kMinBufferBytes);
  feed(std::string_view(next).substr(20));
  EXPECT_EQ(recorder.data, (std::vector<std::string>{"abc", "def"}));
  receiver.release_idle_buffer();
  EXPECT_EQ(used(), 0U);
}

}  // namespace
}  // namespace lunar::iscsi

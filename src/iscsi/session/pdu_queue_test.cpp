#include "iscsi/session/pdu_queue.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/crc32c.h"
#include "iscsi/session/task.h"

namespace lunar::iscsi {
namespace {

using namespace std::string_view_literals;

class PduQueueTest : public testing::Test {
 protected:
  void push(std::string_view data, std::uint8_t opcode = 0x20, Task* last_of = nullptr) {
    spec::NopIn pdu;
    pdu.opcode_byte = opcode;
    OutboundPdu& out = queue.make();
    copy_data(out, as_bytes(data));
    out.last_of = last_of;
    queue.push(out, pdu);
  }
  // All that is unsent, as it would travel.
  std::string bytes(std::size_t pieces = 64) {
    std::vector<iovec> room(pieces);
    std::string all;
    for (const iovec& piece : queue.gather(room))
      all.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
    return all;
  }
  void sent(std::size_t count) {
    queue.sent(count, [this](Task& task) { ended.push_back(&task); });
  }

  OutboundPduPool pool;
  PduQueue queue{pool};
  std::vector<Task*> ended;
};

TEST_F(PduQueueTest, LengthAndPaddingAreFilledIn) {
  push("abcde"sv);
  const std::string all = bytes();
  ASSERT_EQ(all.size(), 48U + 8);
  EXPECT_EQ(all.substr(0, 8), "\x20\x80\0\0\0\0\0\x05"sv);
  EXPECT_EQ(all.substr(48), "abcde\0\0\0"sv);
  push("");
  EXPECT_EQ(bytes().size(), 48U + 8 + 48);
}

TEST_F(PduQueueTest, DigestsFollowTheirSegments) {
  queue.set_digests(true, true);
  push("abcde"sv);
  const std::string all = bytes();
  ASSERT_EQ(all.size(), 48U + 4 + 8 + 4);
  const auto digest = [&](std::size_t at) {
    return load<le32>(as_bytes(std::string_view(all).substr(at)))->value();
  };
  EXPECT_EQ(digest(48), crc32c(as_bytes(std::string_view(all).substr(0, 48))));
  EXPECT_EQ(digest(60), crc32c(as_bytes("abcde\0\0\0"sv)));
  // No data, no data digest (RFC 7143 §11.1).
  sent(all.size());
  push("");
  EXPECT_EQ(bytes().size(), 48U + 4);
}

TEST_F(PduQueueTest, GoesOnWhereASendStopped) {
  queue.set_digests(true, true);
  for (const std::string_view data : {"first"sv, ""sv, "the third, with padding"sv, "x"sv})
    push(data);
  const std::string whole = bytes();
  for (std::size_t step = 1; step < 60; step += 7) {
    std::string again;
    queue.clear();
    for (const std::string_view data : {"first"sv, ""sv, "the third, with padding"sv, "x"sv})
      push(data);
    while (!queue.empty()) {
      const std::string rest = bytes(3);
      const std::size_t count = std::min(step, rest.size());
      again.append(rest, 0, count);
      sent(count);
    }
    EXPECT_EQ(again, whole) << step;
    EXPECT_EQ(queue.count(), 0U);
  }
}

TEST_F(PduQueueTest, ATaskEndsWithTheLastByteOfItsPdu) {
  Task one;
  Task two;
  push("abcd", 0x20, &one);
  push("efgh", 0x20, &two);
  sent(51);
  EXPECT_TRUE(ended.empty());
  sent(1 + 52);
  EXPECT_EQ(ended, (std::vector<Task*>{&one, &two}));
  EXPECT_TRUE(queue.empty());
}

TEST_F(PduQueueTest, ClearTellsOfTasksToo) {
  Task task;
  push("abcd", 0x20, nullptr);
  push("abcd", 0x20, &task);
  std::vector<Task*> dropped;
  queue.clear([&](Task& each) { dropped.push_back(&each); });
  EXPECT_EQ(dropped, std::vector<Task*>{&task});
  EXPECT_EQ(queue.count(), 0U);
  EXPECT_TRUE(bytes().empty());
}

TEST_F(PduQueueTest, CountsTheBytesThatItOwns) {
  const std::string longer(1000, 'x');
  push("short");
  EXPECT_EQ(queue.owned_bytes(), 0U) << "it has room for these";
  push(longer);
  push(longer);
  EXPECT_EQ(queue.owned_bytes(), 2000U);
  sent(48 + 8 + 48 + 1000);
  EXPECT_EQ(queue.owned_bytes(), 1000U);
  queue.clear();
  EXPECT_EQ(queue.owned_bytes(), 0U);
}

TEST_F(PduQueueTest, DataIsNotCopied) {
  const std::string data(4096, 'd');
  OutboundPdu& out = queue.make();
  out.data = as_bytes(std::string_view(data));
  queue.push(out, spec::DataIn());
  std::vector<iovec> room(8);
  const auto pieces = queue.gather(room);
  ASSERT_EQ(pieces.size(), 2U);
  EXPECT_EQ(pieces[1].iov_base, data.data());
}

class PduQueueKeep : public PduQueueTest {
 protected:
  // A PDU with the medium's memory as its data.
  void lend(std::size_t from, std::size_t count) {
    OutboundPdu& out = queue.make();
    out.data = as_bytes(std::string_view(medium).substr(from, count));
    queue.push(out, spec::DataIn());
  }
  [[nodiscard]] bool keep(std::size_t from, std::size_t count, std::size_t limit = 4096) {
    return queue.keep(as_bytes(std::string_view(medium).substr(from, count)), limit);
  }
  std::string medium = std::string(4096, 'o');
};

TEST_F(PduQueueKeep, LentMemoryMayChangeOnceItIsKept) {
  lend(0, 100);
  lend(100, 100);
  lend(200, 100);
  sent(48 + 50);  // the first one in part
  const std::string before = bytes();
  ASSERT_TRUE(keep(99, 102));
  medium.assign(medium.size(), 'n');
  EXPECT_EQ(bytes(), before);
  EXPECT_EQ(queue.kept_bytes(), 300U);
  EXPECT_EQ(queue.owned_bytes(), 0U);
  ASSERT_TRUE(keep(0, 4096)) << "again";
  EXPECT_EQ(queue.kept_bytes(), 300U);
  sent(50);
  EXPECT_EQ(queue.kept_bytes(), 200U);
  queue.clear();
  EXPECT_EQ(queue.kept_bytes(), 0U);
  push("abcd"sv);
  EXPECT_EQ(queue.owned_bytes(), 0U) << "the PDU has been used again";
}

TEST_F(PduQueueKeep, WhatTouchesTheMemoryOnlyAtItsEdgesStaysLent) {
  lend(0, 100);
  lend(200, 100);
  ASSERT_TRUE(keep(100, 100));
  EXPECT_EQ(queue.kept_bytes(), 0U);
}

TEST_F(PduQueueKeep, ThereIsALimit) {
  lend(0, 100);
  lend(0, 100);
  EXPECT_FALSE(keep(0, 10, 199));
  queue.clear();
  EXPECT_EQ(queue.kept_bytes(), 0U);
  lend(0, 100);
  lend(0, 100);
  EXPECT_TRUE(keep(0, 10, 200));
}

}  // namespace
}  // namespace lunar::iscsi

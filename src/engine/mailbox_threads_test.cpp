#include "engine/mailbox.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

namespace lunar::engine {
namespace {

TEST(Mailbox, KeepsOrder) {
  Mailbox mailbox;
  Runnable a, b;
  EXPECT_TRUE(mailbox.empty());
  EXPECT_EQ(mailbox.pop(), nullptr);
  EXPECT_TRUE(mailbox.push(a));
  EXPECT_TRUE(mailbox.push(b));
  EXPECT_FALSE(mailbox.empty());
  EXPECT_EQ(mailbox.pop(), &a);
  EXPECT_EQ(mailbox.pop(), &b);
  EXPECT_EQ(mailbox.pop(), nullptr);
}

TEST(Mailbox, RefusesWhenFullUntilTheConsumerHasTaken) {
  Mailbox mailbox;
  std::vector<Runnable> messages(kMailboxSlots + 1);
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < kMailboxSlots; ++i) ASSERT_TRUE(mailbox.push(messages[i]));
    EXPECT_FALSE(mailbox.push(messages[kMailboxSlots]));
    EXPECT_EQ(mailbox.pop(), messages.data());
    EXPECT_TRUE(mailbox.push(messages[kMailboxSlots]));
    for (std::size_t i = 1; i <= kMailboxSlots; ++i) ASSERT_EQ(mailbox.pop(), &messages[i]);
    EXPECT_TRUE(mailbox.empty());
  }
}

TEST(Mailbox, CarriesWhatWasWrittenBeforeToTheOtherThread) {
  struct Message : Runnable {
    std::size_t value = 0;
  };
  constexpr std::size_t kCount = 100'000;
  const auto messages = std::make_unique<Message[]>(kCount);
  Mailbox mailbox;
  std::size_t wrong = 0;
  std::thread consumer([&] {
    for (std::size_t next = 0; next < kCount;) {
      if (Runnable* got = mailbox.pop()) {
        wrong += static_cast<Message*>(got)->value == next++ ? 0U : 1U;
      } else {
        std::this_thread::yield();
      }
    }
  });
  for (std::size_t i = 0; i < kCount; ++i) {
    messages[i].value = i;
    while (!mailbox.push(messages[i])) std::this_thread::yield();
  }
  consumer.join();
  EXPECT_EQ(wrong, 0U);
}

}  // namespace
}  // namespace lunar::engine

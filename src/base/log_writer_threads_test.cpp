#include "base/log_writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <optional>

namespace lunar::log {
namespace {

using std::chrono::milliseconds;
constexpr std::chrono::minutes kLong{1};

class WriterTest : public testing::Test {
 protected:
  WriterTest() {
    EXPECT_EQ(pipe2(pipe_.data(), O_CLOEXEC), 0);
    writer_.emplace(pipe_[1]);
  }
  ~WriterTest() override {
    close_reader();
    writer_.reset();
    close(pipe_[1]);
  }
  void close_reader() {
    if (pipe_[0] >= 0) close(std::exchange(pipe_[0], -1));
  }
  // Reads until `words` have arrived.
  std::string read_until(std::string_view words) {
    std::string text;
    std::array<char, 4096> piece;
    while (text.find(words) == std::string::npos) {
      const ssize_t count = read(pipe_[0], piece.data(), piece.size());
      if (count <= 0) break;
      text.append(piece.data(), static_cast<std::size_t>(count));
    }
    return text;
  }
  void post(std::size_t lines) {
    for (std::size_t i = 0; i < lines; ++i) writer_->post(Level::info, fmt::format("line {}.", i));
  }

  std::array<int, 2> pipe_{-1, -1};
  std::optional<Writer> writer_;
};

TEST_F(WriterTest, LinesComeInTheirOrder) {
  ASSERT_TRUE(writer_->start());
  ASSERT_TRUE(writer_->start());
  post(100);
  const std::string text = read_until("line 99.\n");
  std::size_t at = 0;
  for (int i = 0; i < 100; ++i) {
    at = text.find(fmt::format(" info line {}.\n", i), at);
    ASSERT_NE(at, std::string::npos) << i;
  }
}

// post() and flush() return even if nobody reads. When reading resumes, every line is either there
// or counted in the line behind the last one before its gap. (The number of gaps depends on when
// the writer's thread ran.)
TEST_F(WriterTest, NobodyWaitsForTheReader) {
  constexpr std::string_view kNote = " lines were left out here";
  ASSERT_TRUE(writer_->start());
  constexpr std::size_t kLines = 10 * kMaxQueuedLines;
  post(kLines);
  EXPECT_FALSE(writer_->flush(milliseconds(1)));
  std::size_t came = 0;
  std::size_t left_out = 0;
  while (came + left_out < kLines) {
    std::string line;
    for (char c = 0; read(pipe_[0], &c, 1) == 1 && c != '\n';) line += c;
    if (const std::size_t end = line.find(kNote); end != std::string::npos) {
      EXPECT_NE(line.find("warning"), std::string::npos) << line;
      left_out += std::stoul(line.substr(line.rfind(' ', end - 1) + 1));
    } else {
      ASSERT_NE(line.find(fmt::format("line {}.", came + left_out)), std::string::npos) << line;
      ++came;
    }
  }
  EXPECT_EQ(came + left_out, kLines);
  EXPECT_GE(left_out, kLines - 3 * kMaxQueuedLines);
}

TEST_F(WriterTest, LongLinesAreCutAndBoundedTogether) {
  ASSERT_TRUE(writer_->start());
  for (std::size_t i = 0; i < 8 * kMaxQueuedBytes / kMaxLineBytes; ++i)
    writer_->post(Level::info, std::string(2 * kMaxLineBytes, 'x'));
  const std::string text = read_until(" lines were left out here");
  EXPECT_LT(text.size(), 4 * kMaxQueuedBytes);
  EXPECT_NE(text.find(" info " + std::string(kMaxLineBytes, 'x') + "\n"), std::string::npos);
}

// No SIGPIPE, and no busy loop that tries to report the loss.
TEST_F(WriterTest, AReaderThatIsGoneIsNoFault) {
  ASSERT_TRUE(writer_->start());
  close_reader();
  post(10);
  EXPECT_TRUE(writer_->flush(kLong));
}

TEST_F(WriterTest, ADescriptorThatDoesNotBlockLosesNothing) {
  ASSERT_EQ(fcntl(pipe_[1], F_SETFL, O_NONBLOCK), 0);
  ASSERT_TRUE(writer_->start());
  for (std::size_t i = 0; i < 64; ++i)
    writer_->post(Level::info, std::string(kMaxLineBytes, 'x'));  // more than a pipe holds
  writer_->post(Level::info, "end");
  EXPECT_EQ(read_until(" info end\n").find("left out"), std::string::npos);
}

TEST_F(WriterTest, WithoutAThreadLinesGoOutAtOnceOrNotAtAll) {
  post(1);
  EXPECT_NE(read_until("line 0.").find("line 0."), std::string::npos);
  post(kMaxQueuedLines);  // more than a pipe holds
  EXPECT_TRUE(writer_->flush(milliseconds(0))) << "there is no queue";
}

}  // namespace
}  // namespace lunar::log

#include "bench/options.h"

#include <gtest/gtest.h>

#include <limits>

namespace lunar::bench {
namespace {

TEST(Url, NamesHostPortTargetAndLun) {
  const auto url = parse_url("iscsi://192.0.2.1:3261/iqn.2026-11.io.lunar:a/17");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->host, "192.0.2.1");
  EXPECT_EQ(url->port, "3261");
  EXPECT_EQ(url->target, "iqn.2026-11.io.lunar:a");
  EXPECT_EQ(url->lun, Lun(17));
}

TEST(Url, KnowsTheRegisteredPortAndBrackets) {
  const auto url = parse_url("iscsi://[2001:db8::1]/iqn.2026-11.io.lunar:a/0");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->host, "2001:db8::1");
  EXPECT_EQ(url->port, "3260");
}

TEST(Url, RefusesWhatIsNone) {
  for (const char* text : {"", "http://h/t/0", "iscsi://", "iscsi://h", "iscsi://h/", "iscsi://h/t",
                           "iscsi://h/t/", "iscsi://h/t/x", "iscsi://h/t/-1", "iscsi://h/t/16384",
                           "iscsi://:1/t/0", "iscsi://h:/t/0", "iscsi://[::1/t/0"}) {
    const auto url = parse_url(text);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().message.find('\n'), std::string::npos);
  }
}

// Whether check() takes the defaults with one change.
template <class Change>
bool takes(Change change) {
  Options options;
  change(options);
  return check(options).has_value();
}

TEST(Options, BoundsAreChecked) {
  EXPECT_TRUE(takes([](Options&) {}));
  EXPECT_FALSE(takes([](Options& o) { o.block_bytes = 1000; }));
  EXPECT_FALSE(takes([](Options& o) { o.block_bytes = 0; }));
  EXPECT_FALSE(takes([](Options& o) { o.block_bytes = 16 * kMiB; }));
  EXPECT_FALSE(takes([](Options& o) { o.queue_depth = 0; }));
  EXPECT_FALSE(takes([](Options& o) { o.connections = 0; }));
  EXPECT_FALSE(takes([](Options& o) { o.time_s = 0; }));
  EXPECT_FALSE(takes([](Options& o) { o.time_s = std::numeric_limits<double>::infinity(); }));
  EXPECT_FALSE(takes([](Options& o) { o.warmup_s = std::numeric_limits<double>::quiet_NaN(); }));
  EXPECT_FALSE(takes([](Options& o) {
    o.work = Work::mix;
    o.verify = true;
  }));
}

TEST(Options, WordsAreParsed) {
  EXPECT_EQ(parse_work("mix"), Work::mix);
  EXPECT_FALSE(parse_work("both"));
  EXPECT_TRUE(parse_digests("header,data")->data);
  EXPECT_FALSE(parse_digests("crc"));
  EXPECT_EQ(parse_floor_form("uring"), FloorForm::uring);
  EXPECT_EQ(parse_floor_form("sleep"), FloorForm::sleeping);
  EXPECT_FALSE(parse_floor_form("kernel"));
}

}  // namespace
}  // namespace lunar::bench

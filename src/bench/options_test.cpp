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
  EXPECT_FALSE(takes([](Options& o) { o.read_percent = 101; }));
  EXPECT_FALSE(takes([](Options& o) { o.range_bytes = o.block_bytes - 512; }));
}

TEST(Options, VerifyIsToldToOverwrite) {
  const auto verifies = [](Work work) {
    return takes([work](Options& o) {
      o.verify = true;
      o.work = work;
    });
  };
  EXPECT_FALSE(verifies(Work::read));
  EXPECT_TRUE(verifies(Work::write));
  EXPECT_TRUE(verifies(Work::mix));
}

TEST(Options, NamesAreThoseOfIscsi) {
  const auto is_name = [](std::string name) {
    return takes([&](Options& o) { o.initiator_name = std::move(name); });
  };
  const std::string start = "iqn.2026-11.example:";
  EXPECT_TRUE(is_name(start + std::string(kMaxNameBytes - start.size(), 'x')));
  EXPECT_FALSE(is_name(start + std::string(kMaxNameBytes + 1 - start.size(), 'x')));
  EXPECT_TRUE(is_name("eui.02004567A425678D"));
  EXPECT_TRUE(is_name("naa.52004567BA64678D"));
  for (const char* name : {"", "me", "iqn.2026-11.example:a b", "iqn.2026-11.example:a\n"}) {
    EXPECT_FALSE(is_name(name)) << name;
  }
}

TEST(Options, TimesHaveUnits) {
  EXPECT_EQ(parse_seconds("5"), 5.0);
  EXPECT_EQ(parse_seconds("5s"), 5.0);
  EXPECT_EQ(parse_seconds("0.5s"), 0.5);
  EXPECT_EQ(parse_seconds("500ms"), 0.5);
  EXPECT_EQ(parse_seconds("250us"), 250e-6);
  EXPECT_EQ(parse_seconds("2m"), 120.0);
  EXPECT_EQ(parse_seconds("1h"), 3600.0);
  EXPECT_EQ(parse_seconds("0"), 0.0);
  for (const char* text : {"", "s", "5 s", "5sec", "-1", "nan", "inf", "1e300", "5s5"}) {
    const auto seconds = parse_seconds(text);
    ASSERT_FALSE(seconds) << text;
    EXPECT_EQ(seconds.error().code, ErrorCode::invalid_argument);
  }
}

TEST(Options, WordsAreParsed) {
  EXPECT_EQ(parse_work("mix"), Work::mix);
  EXPECT_FALSE(parse_work("both"));
  EXPECT_TRUE(parse_digests("header,data")->data);
  EXPECT_FALSE(parse_digests("crc"));
  for (const char* text : {"none", "header", "data", "header,data"}) {
    EXPECT_EQ(to_text(*parse_digests(text)), text);
  }
  EXPECT_EQ(parse_floor_form("uring"), FloorForm::uring);
  EXPECT_EQ(parse_floor_form("sleep"), FloorForm::sleeping);
  EXPECT_FALSE(parse_floor_form("kernel"));
}

}  // namespace
}  // namespace lunar::bench

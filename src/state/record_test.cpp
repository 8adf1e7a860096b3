#include "state/record.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

namespace lunar::state {
namespace {

Record example() {
  Record record;
  record.version = 3;
  record.add("disk")
      .set_number("size", UINT64_MAX)
      .set("name", "a b%\n=")
      .set_hex("id", "\x01\xff");
  record.add("nothing");
  return record;
}

TEST(Record, TextIsTheOneOnRecord) {
  EXPECT_EQ(to_text(example()),
            "lunar record 1 3 65 c484c1bc\n"
            "disk size=18446744073709551615 name=a%20b%25%0a= id=01ff\nnothing\n");
}

TEST(Record, IsReadBack) {
  const auto back = parse_record(to_text(example()));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(*back, example());
  const Entry* disk = back->find("disk");
  ASSERT_NE(disk, nullptr);
  EXPECT_EQ(disk->number("size"), UINT64_MAX);
  EXPECT_EQ(*disk->find("name"), "a b%\n=");
  EXPECT_EQ(disk->hex("id"), "\x01\xff");
  EXPECT_EQ(back->find("other"), nullptr);
}

TEST(Record, AFieldThatIsNoSuchValueHasNone) {
  Record record;
  const Entry& entry = record.add("e").set("odd", "abc").set_number("two", 2).set("none", "zz");
  EXPECT_EQ(entry.number("odd"), std::nullopt);
  EXPECT_EQ(entry.number("missing"), std::nullopt);
  EXPECT_EQ(entry.number("two", 1), std::nullopt);
  EXPECT_EQ(entry.number("two", 2), 2U);
  EXPECT_EQ(entry.flag("two"), std::nullopt);
  EXPECT_EQ(entry.hex("odd"), std::nullopt);
  EXPECT_EQ(entry.hex("none"), std::nullopt);
}

// Any changed, lost or added byte is detected as damage.
TEST(Record, DamageIsNoticed) {
  const std::string whole = to_text(example());
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    EXPECT_FALSE(parse_record(changed)) << at;
    EXPECT_FALSE(parse_record(whole.substr(0, at))) << at;
  }
  EXPECT_FALSE(parse_record(whole + "x"));
}

TEST(Record, WhatALaterLunarWroteIsToldApartFromDamage) {
  std::string text = to_text(example());
  text[text.find('1')] = '2';
  EXPECT_EQ(parse_record(text).error().code, ErrorCode::unsupported);
  EXPECT_TRUE(example().check_version(3));
  EXPECT_EQ(example().check_version(2).error().code, ErrorCode::unsupported);
}

RC_GTEST_PROP(RecordProperties, AnyBytesAreReadBack, (std::string one, std::string two)) {
  Record record;
  record.add("e").set("one", one).set_hex("two", two);
  const auto back = parse_record(to_text(record));
  RC_ASSERT(back.has_value());
  RC_ASSERT(*back == record);
  RC_ASSERT(back->entries[0].hex("two") == two);
}

}  // namespace
}  // namespace lunar::state

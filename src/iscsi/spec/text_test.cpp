#include "iscsi/spec/text.h"

#include <gtest/gtest.h>

#include "iscsi/spec/names.h"

namespace lunar::iscsi::spec {
namespace {

using namespace std::string_view_literals;

Result<std::vector<KeyValue>> parse(std::string_view text) { return parse_text(as_bytes(text)); }

TEST(Text, ReadsPairsInOrder) {
  const auto pairs = parse("InitiatorName=iqn.a\0HeaderDigest=CRC32C,None\0SendTargets=\0"sv);
  ASSERT_TRUE(pairs.has_value());
  const std::vector<KeyValue> expected = {
      {"InitiatorName", "iqn.a"}, {"HeaderDigest", "CRC32C,None"}, {"SendTargets", ""}};
  EXPECT_EQ(*pairs, expected);
}

TEST(Text, ValueMayHoldEqualsSigns) { EXPECT_EQ(parse("A=b=c\0"sv)->front().value, "b=c"); }

TEST(Text, SkipsPaddingThatWasCountedAsText) { EXPECT_EQ(parse("A=b\0\0\0"sv)->size(), 1U); }

TEST(Text, MalformedPairsAreTold) {
  for (const std::string_view text :
       {"A=b"sv, "A\0"sv, "=b\0"sv, "a=b\0"sv, "A b=c\0"sv, "A\x80=c\0"sv}) {
    ASSERT_FALSE(parse(text).has_value()) << text;
    EXPECT_EQ(parse(text).error().code, ErrorCode::malformed) << text;
  }
}

TEST(Text, TakesPublicExtensionAndProtocolLevelKeys) {
  EXPECT_TRUE(parse("X#NodeArchitecture=x86\0X-com.example.foo=1\0iSCSIProtocolLevel=1\0"sv));
}

TEST(Text, BoundsAreKept) {
  const auto code = [](const std::string& text) {
    const auto pairs = parse(text);
    return pairs ? std::optional<ErrorCode>() : pairs.error().code;
  };
  EXPECT_EQ(code(std::string(63, 'K') + "=v" + '\0'), std::nullopt);
  EXPECT_EQ(code(std::string(64, 'K') + "=v" + '\0'), ErrorCode::no_resource);
  EXPECT_EQ(code("K=" + std::string(kMaxValueLength, 'v') + '\0'), std::nullopt);
  EXPECT_EQ(code("K=" + std::string(kMaxValueLength + 1, 'v') + '\0'), ErrorCode::no_resource);
  EXPECT_EQ(code(std::string(kMaxTextLength + 1, '\0')), ErrorCode::no_resource);
  std::string many;
  for (std::size_t i = 0; i < kMaxTextPairs; ++i) append_pair(many, "K", "v");
  EXPECT_EQ(code(many), std::nullopt);
  append_pair(many, "K", "v");
  EXPECT_EQ(code(many), ErrorCode::no_resource);
}

TEST(Text, WritesWhatItReads) {
  std::string text;
  append_pair(text, "MaxBurstLength", "512");
  EXPECT_EQ(text, "MaxBurstLength=512\0"sv);
}

TEST(Text, NumbersAreDecimalOrHexadecimal) {
  EXPECT_EQ(parse_number("8192").value(), 8192U);
  EXPECT_EQ(parse_number("0x1fF").value(), 0x1ffU);
  EXPECT_EQ(parse_number("18446744073709551615").value(), ~std::uint64_t{0});
  for (const std::string_view bad : {"", "0x", "-1", "+1", "1 ", "1a", "18446744073709551616"}) {
    EXPECT_FALSE(parse_number(bad).has_value()) << bad;
  }
}

TEST(Text, ListsHaveNoEmptyItems) {
  EXPECT_EQ(parse_list("CRC32C,None").value(), (std::vector{"CRC32C"sv, "None"sv}));
  for (const std::string_view bad : {"", ",", "None,", ",None", "a,,b"}) {
    EXPECT_FALSE(parse_list(bad).has_value()) << bad;
  }
}

TEST(Name, KnowsTheThreeTypes) {
  for (const std::string_view good :
       {"iqn.2026-11.io.lunar:disks", "iqn.2007-10.com.github:sahlberg:libiscsi:iscsi-test",
        "iqn.2001-04.com.example", "eui.02004567A425678D", "naa.52004567BA64678D",
        "naa.62004567BA64678D0123456789ABCDEF"}) {
    EXPECT_TRUE(parse_name(good).has_value()) << good;
  }
  for (const std::string_view bad :
       {"", "iqn", "iqn.", "disk", "iqn.2026-13.io.lunar", "iqn.2026-11.", "iqn.26-11.io.lunar",
        "iqn.2026-11.io.lunar:a b", "iqn.2026-11.io.lunar:a_b", "eui.02004567A425678", "naa.5200",
        "eui.02004567A425678X"}) {
    EXPECT_FALSE(parse_name(bad).has_value()) << bad;
  }
  EXPECT_TRUE(parse_name("iqn.2026-11.io:" + std::string(208, 'a')).has_value());
  EXPECT_FALSE(parse_name("iqn.2026-11.io:" + std::string(209, 'a')).has_value());
}

TEST(Names, AnAliasIsOneTextValue) {
  EXPECT_EQ(parse_alias("for the build machines").value(), "for the build machines");
  EXPECT_EQ(parse_alias(std::string(kMaxAliasLength, 'a')).value().size(), kMaxAliasLength);
  EXPECT_FALSE(parse_alias(std::string(kMaxAliasLength + 1, 'a')));
  EXPECT_FALSE(parse_alias(std::string("a\0MaxConnections=9", 18)));
  EXPECT_FALSE(parse_alias("a\x01"));
}

TEST(Name, NormalFormIsLowerCase) {
  EXPECT_EQ(parse_name("IQN.2026-11.IO.Lunar:Disks").value(), "iqn.2026-11.io.lunar:disks");
  EXPECT_EQ(normalize_peer_name("iqn.1991-05.com.Microsoft:HOST_1").value(),
            "iqn.1991-05.com.microsoft:host_1");
}

TEST(Name, PeerNameMayBeAnyTextWithoutSpaces) {
  EXPECT_EQ(normalize_peer_name("iqn.2026-11.io:\xc3\xa9").value(), "iqn.2026-11.io:\xc3\xa9");
  for (const std::string_view bad : {""sv, "a b"sv, "a\n"sv, "a\0b"sv, "\xff"sv, "\xc3"sv,
                                     "\xe0\x80\x80"sv, "\xed\xa0\x80"sv, "\xf5\x80\x80\x80"sv}) {
    EXPECT_FALSE(normalize_peer_name(bad).has_value()) << bad;
  }
  EXPECT_FALSE(normalize_peer_name(std::string(224, 'a')).has_value());
}

TEST(PortalAddress, IsTextBothWays) {
  for (const std::string_view text : {"127.0.0.1:3260", "[::1]:3261", "[2001:db8::1]:65535"}) {
    EXPECT_EQ(parse_portal_address(text).value().to_string(), text);
  }
  EXPECT_EQ(parse_portal_address("192.0.2.1").value().port, 3260);
  EXPECT_EQ(parse_portal_address("[::]").value().to_string(), "[::]:3260");
  EXPECT_TRUE(parse_portal_address("0.0.0.0:1").value().is_wildcard());
  EXPECT_FALSE(parse_portal_address("0.0.0.1:1").value().is_wildcard());
}

TEST(PortalAddress, RefusesOtherText) {
  for (const std::string_view bad : {"", ":3260", "localhost:3260", "1.2.3:1", "1.2.3.4:", "[::1",
                                     "1.2.3.4:65536", "1.2.3.4:1x", "::1", "[::1]3260", "[]:1"}) {
    EXPECT_FALSE(parse_portal_address(bad).has_value()) << bad;
  }
}

}  // namespace
}  // namespace lunar::iscsi::spec

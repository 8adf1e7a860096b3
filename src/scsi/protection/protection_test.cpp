#include "scsi/protection/protection.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace lunar::scsi {
namespace {

using spec::AdditionalSense;
using spec::ProtectionInformation;
using spec::ProtectionType;

constexpr auto kGuard = AdditionalSense::logical_block_guard_check_failed;
constexpr auto kApplication = AdditionalSense::logical_block_application_tag_check_failed;
constexpr auto kReference = AdditionalSense::logical_block_reference_tag_check_failed;

std::vector<std::byte> ones() { return std::vector<std::byte>(512, std::byte{0xff}); }

// SBC-4, tables of RDPROTECT and WRPROTECT.
TEST(ProtectionChecks, FollowTheTable) {
  struct Row {
    bool guard, application, reference;
  };
  constexpr std::array<Row, 6> kTable = {{{true, true, true},
                                          {true, true, true},
                                          {false, true, true},
                                          {false, false, false},
                                          {true, false, false},
                                          {true, true, true}}};
  for (std::uint8_t protect = 0; protect < kTable.size(); ++protect) {
    const ProtectionChecks checks = checks_of(protect);
    EXPECT_EQ(checks.guard, kTable[protect].guard) << int{protect};
    EXPECT_EQ(checks.application_tag, kTable[protect].application) << int{protect};
    EXPECT_EQ(checks.reference_tag, kTable[protect].reference) << int{protect};
  }
}

TEST(ProtectionRules, MakeWhatTheStandardWants) {
  ProtectionRules rules;
  const auto made = [&](ProtectionType type, bool owned) {
    rules.type = type;
    rules.application_tag_owned = owned;
    const ProtectionInformation information = rules.generate(ones(), Lba(0x1'2345'6789));
    EXPECT_EQ(information.guard, 0xe6a1);  // of 512 times FFh
    return std::pair(std::uint32_t{information.application_tag},
                     std::uint32_t{information.reference_tag});
  };
  EXPECT_EQ(made(ProtectionType::type_1, false), std::pair(0x0000U, 0x23456789U));
  EXPECT_EQ(made(ProtectionType::type_1, true), std::pair(0xffffU, 0x23456789U));
  EXPECT_EQ(made(ProtectionType::type_2, false), std::pair(0xffffU, 0xffffffffU));
  EXPECT_EQ(made(ProtectionType::type_3, false), std::pair(0x0000U, 0xffffffffU));
  EXPECT_EQ(made(ProtectionType::type_3, true), std::pair(0xffffU, 0xffffffffU));
}

TEST(ProtectionRules, CheckEachFieldThatIsAskedFor) {
  ProtectionRules rules;
  rules.type = ProtectionType::type_2;
  rules.application_tag_owned = true;
  rules.reference_tag = 0xffff'ffff;
  rules.application_tag = 0x1200;
  rules.application_tag_mask = 0xff00;
  ProtectionInformation right;
  right.guard = std::uint16_t{0};
  right.application_tag = std::uint16_t{0x1234};
  right.reference_tag = std::uint32_t{1};  // of the third block: tags count up
  const std::vector<std::byte> zeroes(512);
  for (std::uint8_t protect = 0; protect <= spec::kMaxProtectField; ++protect) {
    rules.checks = checks_of(protect);
    EXPECT_EQ(rules.check(zeroes, right, 2), std::nullopt);
    const auto expected = [](bool asked, AdditionalSense sense) {
      return asked ? std::optional(sense) : std::nullopt;
    };
    ProtectionInformation wrong = right;
    wrong.guard = std::uint16_t{1};
    EXPECT_EQ(rules.check(zeroes, wrong, 2), expected(rules.checks.guard, kGuard));
    wrong = right;
    wrong.application_tag = std::uint16_t{0x1334};
    EXPECT_EQ(rules.check(zeroes, wrong, 2), expected(rules.checks.application_tag, kApplication));
    EXPECT_EQ(rules.check(zeroes, right, 1), expected(rules.checks.reference_tag, kReference));
  }
}

TEST(ProtectionRules, LetTheMediumTurnChecksOff) {
  ProtectionRules rules;
  rules.checks = checks_of(1);
  ProtectionInformation nothing;
  nothing.guard = std::uint16_t{0x5555};
  nothing.application_tag = spec::kNoApplicationTag;
  nothing.reference_tag = std::uint32_t{7};
  const std::vector<std::byte> zeroes(512);
  for (const auto type : {ProtectionType::type_1, ProtectionType::type_2}) {
    rules.type = type;
    EXPECT_EQ(rules.check_medium(zeroes, nothing, 0), std::nullopt);
    EXPECT_EQ(rules.check(zeroes, nothing, 0), kGuard);  // what is written is checked
  }
  rules.type = ProtectionType::type_3;
  EXPECT_EQ(rules.check_medium(zeroes, nothing, 0), kGuard);
  nothing.reference_tag = spec::kNoReferenceTag;
  EXPECT_EQ(rules.check_medium(zeroes, nothing, 0), std::nullopt);
}

// SBC-4, VRPROTECT, byte-by-byte comparison.
TEST(CompareProtection, FollowsTheTable) {
  ProtectionInformation given;
  for (std::uint8_t protect = 1; protect <= spec::kMaxProtectField; ++protect) {
    for (const auto type :
         {ProtectionType::type_1, ProtectionType::type_2, ProtectionType::type_3}) {
      for (const bool owned : {false, true}) {
        ProtectionRules rules;
        rules.type = type;
        rules.application_tag_owned = owned;
        const auto expected = [](bool compared, AdditionalSense sense) {
          return compared ? std::optional(sense) : std::nullopt;
        };
        ProtectionInformation other = given;
        other.guard = std::uint16_t{1};
        EXPECT_EQ(compare_protection(rules, protect, given, other), expected(protect != 2, kGuard));
        other = given;
        other.application_tag = std::uint16_t{1};
        EXPECT_EQ(compare_protection(rules, protect, given, other), expected(owned, kApplication));
        other = given;
        other.reference_tag = std::uint32_t{1};
        const bool compared = type != ProtectionType::type_3 || !owned || protect == 5;
        EXPECT_EQ(compare_protection(rules, protect, given, other), expected(compared, kReference));
        EXPECT_EQ(compare_protection(rules, protect, given, given), std::nullopt);
      }
    }
  }
}

TEST(Repeated, CountsReferenceTagsButThoseOfType3) {
  ProtectionInformation first;
  first.reference_tag = std::uint32_t{0xffff'ffff};
  EXPECT_EQ(repeated(ProtectionType::type_1, first, 2).reference_tag, 1U);
  EXPECT_EQ(repeated(ProtectionType::type_2, first, 2).reference_tag, 1U);
  EXPECT_EQ(repeated(ProtectionType::type_3, first, 2).reference_tag, 0xffff'ffffU);
}

}  // namespace
}  // namespace lunar::scsi

#include <gtest/gtest.h>

#include "app/device_kinds.h"
#include "control/config.h"
#include "lunar/block/request.h"

namespace lunar::control {
namespace {

constexpr std::string_view kPortal = "[[portal]]\nlisten='127.0.0.1:1'\n";
constexpr std::string_view kTarget = "[[target]]\nname='iqn.2026-11.io.lunar:t'\n";

Result<std::vector<std::string>> checked(std::string_view toml) {
  auto config = parse_config(toml, "c.toml", app::device_kinds());
  EXPECT_TRUE(config) << config.error().message;
  if (!config) return std::vector<std::string>();
  return check_config(*config);
}

void expect_wrong(const std::string& toml, std::string_view begin, std::string_view part) {
  const auto result = checked(toml);
  ASSERT_FALSE(result) << toml;
  EXPECT_EQ(result.error().code, ErrorCode::invalid_argument);
  EXPECT_TRUE(result.error().message.starts_with(begin)) << result.error().message;
  EXPECT_NE(result.error().message.find(part), std::string::npos) << result.error().message;
}

std::string ram(std::string_view name, std::string_view more = "") {
  return "[[device]]\nname='" + std::string(name) + "'\ntype='ram'\nsize=512\n" + std::string(more);
}
std::string passthru(std::string_view name, std::string_view base) {
  return "[[device]]\nname='" + std::string(name) + "'\ntype='passthru'\nbase='" +
         std::string(base) + "'\n";
}
std::string lun(std::string_view device, std::string_view more = "") {
  return "[[target.lun]]\ndevice='" + std::string(device) + "'\n" + std::string(more);
}

TEST(CheckConfig, TakesWhatFitsTogether) {
  const auto result =
      checked(ram("a") + passthru("l", "a") + ram("b") +
              "[[portal]]\nlisten='127.0.0.1:1'\n[[portal]]\nlisten='[::]:1'\n"
              "[[portal]]\nlisten='127.0.0.1:2'\ntag=2\n" +
              "[[portal]]\nlisten='127.0.0.1:0'\n[[portal]]\nlisten='127.0.0.1:0'\n" +
              std::string(kTarget) + lun("l") + lun("b", "readonly=true\n") +
              "[[target.port_group]]\ntag=2\n");
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_TRUE(result->empty());
}

TEST(CheckConfig, CountsTheLayersOfAStack) {
  std::string toml = ram("0");
  for (std::size_t i = 1; i <= block::kMaxDeviceLayers; ++i)
    toml += passthru(std::to_string(i), std::to_string(i - 1));
  EXPECT_TRUE(checked(toml));
  toml += passthru("more", std::to_string(block::kMaxDeviceLayers));
  const auto parsed = parse_config(toml, "c.toml", app::device_kinds());
  ASSERT_FALSE(parsed);
  EXPECT_EQ(
      parsed.error().message,
      "c.toml:28: device.base: this makes a stack of 6 layers; at most 5 can stand on a device");
}

TEST(CheckConfig, GivesADeviceOneWriter) {
  expect_wrong(ram("a") + passthru("l", "a") + passthru("m", "a"), "c.toml:9: ",
               "device 'a' has one writer, which is passthru 'l': passthru 'm' cannot have it");
  expect_wrong(ram("a") + passthru("l", "a") + std::string(kTarget) + lun("a"),
               "c.toml:11: ", "which is passthru 'l'");
  expect_wrong("[[device]]\nname='f'\ntype='file'\npath='p'\nreadonly=true\n" + passthru("l", "f"),
               "c.toml:6: ", "device 'f' is read-only");
}

TEST(CheckConfig, MakesADeviceOneLogicalUnit) {
  expect_wrong(ram("a") + std::string(kTarget) + lun("a") + lun("a", "readonly=true\n"),
               "c.toml:9: ", "which LUN 0 (c.toml:7) shows with other options");
}

TEST(CheckConfig, TellsDisksOfOneIdentity) {
  const std::string uuid = "uuid='00112233-4455-6677-8899-aabbccddeeff'\n";
  expect_wrong(ram("a", uuid) + ram("b", uuid) + std::string(kTarget) + lun("a") + lun("b"),
               "c.toml:6: ", "device 'b' has the uuid of device 'a' (c.toml:1)");
  EXPECT_TRUE(checked(ram("a", uuid) + ram("b", uuid) + std::string(kTarget) + lun("a")))
      << "as long as only one is shown";
  expect_wrong(
      ram("a") + passthru("l", "a") + std::string(kTarget) + lun("l") + lun("a", "readonly=true\n"),
      "c.toml:11: ", "devices 'a' and 'l' are one medium");
}

TEST(CheckConfig, WantsAPortalForEachPortGroup) {
  expect_wrong(std::string(kPortal) + std::string(kTarget) + "[[target.port_group]]\ntag=3\n",
               "c.toml:5: ", "target.port_group.tag: no portal has the tag 3 (there are 1)");
}

TEST(CheckConfig, RemarksOnDevicesThatNothingUses) {
  const auto remarks =
      checked(ram("a") + ram("b") + passthru("l", "b") + std::string(kTarget) + lun("a"));
  ASSERT_TRUE(remarks) << remarks.error().message;
  ASSERT_EQ(remarks->size(), 1U);
  EXPECT_EQ(remarks->front(), "c.toml:9: device 'l' is no LUN, and nothing stands on it");
}

}  // namespace
}  // namespace lunar::control

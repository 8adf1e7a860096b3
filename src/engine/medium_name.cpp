#include "engine/medium_name.h"

#include <fmt/format.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <string_view>

#include "lunar/uuid.h"

namespace lunar::engine {
namespace {

constexpr std::size_t kMachineIdDigits = 32;
constexpr std::size_t kTokenBytes = 6;

std::string trimmed(std::string text) {
  const auto is_visible = [](unsigned char c) { return c > ' ' && c != 0x7f; };
  const auto first = std::ranges::find_if(text, is_visible);
  text.erase(text.begin(), first);
  while (!text.empty() && !is_visible(static_cast<unsigned char>(text.back()))) text.pop_back();
  return text;
}

// The first line of a file. Empty: there is no such file.
std::string line_of(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return trimmed(std::move(line));
}

// A property of a device in udev's database ("E:KEY=VALUE").
std::string udev_property(dev_t device, std::string_view key, const SystemRoots& roots) {
  std::ifstream file(fmt::format("{}/data/b{}:{}", roots.udev, major(device), minor(device)));
  const std::string begin = fmt::format("E:{}=", key);
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(begin)) return trimmed(line.substr(begin.size()));
  }
  return {};
}

std::string folder_of(dev_t device, const SystemRoots& roots) {
  return fmt::format("{}/dev/block/{}:{}", roots.sys, major(device), minor(device));
}

struct Name {
  std::string text{};
  bool worldwide = false;
};

// NAA 3h is assigned locally and so not unique (SPC-4 §7.8.6.6.1). A T10 vendor ID designator and
// "nvme.", which the kernel derives from a serial number, are only as unique as that number.
bool is_worldwide(std::string_view wwid) {
  if (wwid.starts_with("naa.")) return !wwid.starts_with("naa.3");
  return wwid.starts_with("eui.") || wwid.starts_with("uuid.");
}

// For a whole disk. sysfs has priority over udev: it is always there.
Name disk_name(const std::string& folder, dev_t device, const SystemRoots& roots) {
  for (const char* file : {"/wwid", "/device/wwid"}) {
    std::string wwid = line_of(folder + file);
    if (wwid.empty()) continue;
    const bool worldwide = is_worldwide(wwid);
    return {std::move(wwid), worldwide};
  }
  if (const std::string mapped = line_of(folder + "/dm/uuid"); !mapped.empty()) {
    // A multipath device is identified by its paths: "mpath-3" and the digits of their NAA
    // designator.
    constexpr std::string_view kMultipath = "mpath-3";
    if (!mapped.starts_with(kMultipath)) return {"dm " + mapped};
    std::string wwid = "naa." + mapped.substr(kMultipath.size());
    const bool worldwide = is_worldwide(wwid);
    return {std::move(wwid), worldwide};
  }
  for (const char* file : {"/serial", "/device/serial", "/device/cid"}) {
    if (const std::string serial = line_of(folder + file); !serial.empty())
      return {"serial " + serial};
  }
  for (const char* key : {"MD_UUID", "ID_SERIAL"}) {
    if (const std::string value = udev_property(device, key, roots); !value.empty())
      return {fmt::format("{} {}", key, value)};
  }
  return {};
}

Name partition_name(const std::string& folder, const std::string& number, dev_t device,
                    const SystemRoots& roots) {
  unsigned disk_major = 0;
  unsigned disk_minor = 0;
  char colon = 0;
  std::ifstream(folder + "/../dev") >> disk_major >> colon >> disk_minor;
  Name disk = disk_name(folder + "/..", makedev(disk_major, disk_minor), roots);
  if (!disk.text.empty()) return {disk.text + " partition " + number, disk.worldwide};
  std::string uuid = udev_property(device, "ID_PART_ENTRY_UUID", roots);
  if (uuid.empty()) return {};
  std::ranges::transform(uuid, uuid.begin(), [](unsigned char c) { return std::tolower(c); });
  return {"partition " + uuid};
}

}  // namespace

std::string machine_token(const SystemRoots& roots) {
  std::string id = line_of(roots.etc + "/machine-id");
  // Before the first start of a system it may be "uninitialized".
  const bool whole = id.size() == kMachineIdDigits &&
                     std::ranges::all_of(id, [](unsigned char c) { return std::isxdigit(c) != 0; });
  if (!whole) return {};
  const Uuid hash = Uuid::from_name("machine:" + id);
  std::string token;
  for (std::size_t i = 0; i < kTokenBytes; ++i) token += fmt::format("{:02x}", hash.bytes[i]);
  return token;
}

std::string medium_name(dev_t device, const SystemRoots& roots) {
  const std::string folder = folder_of(device, roots);
  const std::string number = line_of(folder + "/partition");
  const Name name = number.empty() ? disk_name(folder, device, roots)
                                   : partition_name(folder, number, device, roots);
  if (name.text.empty() || name.worldwide) return name.text;
  const std::string machine = machine_token(roots);
  return machine.empty() ? std::string() : fmt::format("{} of machine {}", name.text, machine);
}

MediumSigns medium_signs(dev_t device, const SystemRoots& roots) {
  const std::string folder = folder_of(device, roots);
  // A partition uses the number of its disk.
  std::string attachment = line_of(folder + "/diskseq");
  if (attachment.empty()) attachment = line_of(folder + "/../diskseq");
  const std::string start = line_of(roots.proc + "/sys/kernel/random/boot_id");
  MediumSigns signs;
  if (!attachment.empty() && !start.empty())
    signs.attachment = fmt::format("{} since {}", attachment, start);
  signs.contents = udev_property(device, "ID_PART_TABLE_UUID", roots);
  if (signs.contents.empty()) signs.contents = udev_property(device, "ID_FS_UUID", roots);
  return signs;
}

}  // namespace lunar::engine

// Uses folders that imitate the system's.
#include "engine/medium_name.h"

#include <gtest/gtest.h>
#include <sys/sysmacros.h>

#include <filesystem>
#include <fstream>

namespace lunar::engine {
namespace {

namespace fs = std::filesystem;

class MediumNameTest : public ::testing::Test {
 protected:
  MediumNameTest() {
    std::string pattern = (fs::temp_directory_path() / "lunar.XXXXXX").string();
    root_ = mkdtemp(pattern.data());
    roots_ = {root_ / "sys", root_ / "udev", root_ / "proc", root_ / "etc"};
    fs::create_directories(root_ / "sys/dev/block");
    machine(kMachine);
  }
  ~MediumNameTest() override { fs::remove_all(root_); }

  static constexpr const char* kMachine = "0123456789abcdef0123456789abcdef";

  void put(const fs::path& path, const std::string& text) const {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text << '\n';
  }
  void machine(const std::string& id) const { put("etc/machine-id", id); }
  // As in the kernel's trees: a folder among the devices, and a link to it by device number.
  dev_t disk(const std::string& name, unsigned minor_number) const {
    put("sys/devices/" + name + "/dev", "8:" + std::to_string(minor_number));
    fs::create_symlink(root_ / "sys/devices" / name,
                       root_ / "sys/dev/block" / ("8:" + std::to_string(minor_number)));
    return makedev(8, minor_number);
  }
  void attribute(const std::string& name, const std::string& file, const std::string& text) const {
    put("sys/devices/" + name + "/" + file, text);
  }
  void udev(unsigned minor_number, const std::string& lines) const {
    put("udev/data/b8:" + std::to_string(minor_number), lines);
  }
  [[nodiscard]] std::string name_of(dev_t device) const { return medium_name(device, roots_); }

  fs::path root_;
  SystemRoots roots_;
};

TEST_F(MediumNameTest, AWorldwideNameIsTheSameUnderAnyKernelNameAndOnAnyMachine) {
  const dev_t before = disk("sda", 0);
  attribute("sda", "device/wwid", "naa.5000c500a1b2c3d4");
  const dev_t after = disk("sdb", 16);
  attribute("sdb", "device/wwid", "naa.5000c500a1b2c3d4");
  EXPECT_EQ(name_of(before), "naa.5000c500a1b2c3d4");
  EXPECT_EQ(name_of(after), name_of(before));
  machine("ffffffffffffffffffffffffffffffff");
  EXPECT_EQ(name_of(before), "naa.5000c500a1b2c3d4");
}

TEST_F(MediumNameTest, ANameThatAHypervisorWasGivenIsOneOfThisMachine) {
  const dev_t scsi = disk("sda", 0);
  attribute("sda", "device/wwid", "t10.QEMU    QEMU HARDDISK   drive-scsi0");
  const dev_t virtio = disk("vda", 16);
  attribute("vda", "serial", "disk1");
  const dev_t local = disk("sdc", 32);
  attribute("sdc", "device/wwid", "naa.3000000000000001");
  for (const dev_t device : {scsi, virtio, local}) {
    machine(kMachine);
    const std::string here = name_of(device);
    EXPECT_FALSE(here.empty());
    EXPECT_EQ(here.find(kMachine), std::string::npos) << "a machine ID is confidential";
    machine("ffffffffffffffffffffffffffffffff");
    EXPECT_NE(name_of(device), here);
    machine("uninitialized");
    EXPECT_EQ(name_of(device), "");
  }
}

TEST_F(MediumNameTest, APartitionIsOneOfItsDisk) {
  disk("sda", 0);
  attribute("sda", "device/wwid", "naa.5000c500a1b2c3d4");
  const dev_t first = disk("sda/sda1", 1);
  attribute("sda/sda1", "partition", "1");
  const dev_t second = disk("sda/sda2", 2);
  attribute("sda/sda2", "partition", "2");
  EXPECT_EQ(name_of(first), "naa.5000c500a1b2c3d4 partition 1");
  EXPECT_EQ(name_of(second), "naa.5000c500a1b2c3d4 partition 2");
}

TEST_F(MediumNameTest, APartitionOfANamelessDiskHasItsOwnUuid) {
  disk("vda", 0);
  const dev_t partition = disk("vda/vda1", 1);
  attribute("vda/vda1", "partition", "1");
  EXPECT_EQ(name_of(partition), "");
  udev(1, "E:DEVNAME=/dev/vda1\nE:ID_PART_ENTRY_UUID=0FC63DAF-8483-4772-8E79-3D69D8477DE4");
  EXPECT_TRUE(name_of(partition).starts_with("partition 0fc63daf-8483-4772-8e79-3d69d8477de4 of"));
}

TEST_F(MediumNameTest, AMultipathDeviceIsWhatItsPathsAre) {
  const dev_t path = disk("sda", 0);
  attribute("sda", "device/wwid", "naa.5000c500a1b2c3d4");
  const dev_t device = disk("dm-0", 16);
  attribute("dm-0", "dm/uuid", "mpath-35000c500a1b2c3d4");
  EXPECT_EQ(name_of(device), name_of(path));
  const dev_t volume = disk("dm-1", 32);
  attribute("dm-1", "dm/uuid", "LVM-abcdef");
  EXPECT_TRUE(name_of(volume).starts_with("dm LVM-abcdef of machine "));
}

TEST_F(MediumNameTest, UdevIsAskedLast) {
  const dev_t device = disk("sda", 0);
  udev(0, "S:disk/by-id/x\nE:ID_SERIAL=ACME_Disk_7");
  EXPECT_TRUE(name_of(device).starts_with("ID_SERIAL ACME_Disk_7 of machine "));
  attribute("sda", "device/wwid", "naa.5000c500a1b2c3d4");
  EXPECT_EQ(name_of(device), "naa.5000c500a1b2c3d4");
}

TEST_F(MediumNameTest, TellsOneAttachmentFromAnother) {
  const dev_t device = disk("vda", 0);
  EXPECT_EQ(medium_signs(device, roots_).attachment, "");
  attribute("vda", "diskseq", "7");
  put("proc/sys/kernel/random/boot_id", "one");
  const std::string first = medium_signs(device, roots_).attachment;
  put("proc/sys/kernel/random/boot_id", "two");
  const std::string second = medium_signs(device, roots_).attachment;
  EXPECT_NE(second, first) << "the machine has been started again";
  attribute("vda", "diskseq", "8");
  EXPECT_NE(medium_signs(device, roots_).attachment, second) << "it was taken out and put in";
  const dev_t partition = disk("vda/vda1", 1);
  EXPECT_EQ(medium_signs(partition, roots_).attachment, medium_signs(device, roots_).attachment);
}

TEST_F(MediumNameTest, TellsWhatUdevHasFoundOnIt) {
  const dev_t device = disk("vda", 0);
  EXPECT_EQ(medium_signs(device, roots_).contents, "");
  udev(0, "E:ID_FS_UUID=f5");
  EXPECT_EQ(medium_signs(device, roots_).contents, "f5");
  udev(0, "E:ID_FS_UUID=f5\nE:ID_PART_TABLE_UUID=a1");
  EXPECT_EQ(medium_signs(device, roots_).contents, "a1");
}

TEST_F(MediumNameTest, AMachineHasATokenThatStaysAndShowsLittleOfItsId) {
  const std::string token = machine_token(roots_);
  EXPECT_EQ(token.size(), 12U);
  EXPECT_EQ(token.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_EQ(std::string(kMachine).find(token), std::string::npos);
  EXPECT_EQ(machine_token(roots_), token);
  machine("0123456789abcdef0123456789abcdee");
  EXPECT_NE(machine_token(roots_), token);
  for (const char* none : {"", "uninitialized", "0123456789abcdef"}) {
    machine(none);
    EXPECT_EQ(machine_token(roots_), "");
  }
}

}  // namespace
}  // namespace lunar::engine

// Identity of a block device's or file's medium, independent of its current name in the system.
#pragma once

#include <sys/types.h>

#include <string>

namespace lunar::engine {

// Roots of the system's own file trees. Tests use other folders.
struct SystemRoots {
  std::string sys = "/sys";
  std::string udev = "/run/udev";
  std::string proc = "/proc";
  std::string etc = "/etc";
};

// Identifies this installation of the system, the same across restarts: 12 hexadecimal digits
// derived from the machine ID (machine-id(5)). The ID is confidential but the token may be shown:
// 48 bits of a hash leave 2^80 IDs possible. Empty: no machine ID.
[[nodiscard]] std::string machine_token(const SystemRoots& roots = {});

// Name of a block device that stays with its medium. Sources: WWID, device-mapper UUID, serial
// number; or, for a partition of a disk without these, the partition's UUID. Empty: no name. Names
// that are not unique in the world (a serial number given to a hypervisor, a partition UUID copied
// with an image) are combined with the machine's token; without a token they do not count.
[[nodiscard]] std::string medium_name(dev_t device, const SystemRoots& roots = {});

// Further signs by which a medium can be recognised. Each is empty if unknown.
struct MediumSigns {
  // Regular file: its birth time, or its inode number. A difference means: another file.
  std::string object{};
  // Block device: boot ID of the machine and the kernel's number of this attachment. Equal means:
  // the same medium, whatever was written to it.
  std::string attachment{};
  // Block device: UUID of the partition table or file system on it, as found by udev. Initiators
  // may change it.
  std::string contents{};
  bool operator==(const MediumSigns&) const = default;
};

// For block devices.
[[nodiscard]] MediumSigns medium_signs(dev_t device, const SystemRoots& roots = {});

}  // namespace lunar::engine

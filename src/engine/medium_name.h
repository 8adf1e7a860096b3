// What tells one medium from another, whatever the kernel calls it today.
#pragma once

#include <sys/types.h>

#include <string>

namespace lunar::engine {

// Where the system tells of itself; other folders in tests.
struct SystemRoots {
  std::string sys = "/sys";
  std::string udev = "/run/udev";
  std::string proc = "/proc";
  std::string etc = "/etc";
};

// Stands for this installation of the system, the same over restarts: 12 hexadecimal digits that
// are made of its machine ID (machine-id(5)) and may be shown. That ID is confidential; 48 bits of
// a hash leave 2^80 of them possible. Empty: it has none.
[[nodiscard]] std::string machine_token(const SystemRoots& roots = {});

// The name of a block device that stays with its medium, from its WWID, its device-mapper UUID, its
// serial number or, for a partition of a disk without any of them, the partition's UUID. Empty: it
// has none. Names that nobody assigns to one medium in the world (a serial number that a hypervisor
// was given, a partition UUID that is copied with an image) come with the machine's token, and
// are none on a machine without.
[[nodiscard]] std::string medium_name(dev_t device, const SystemRoots& roots = {});

// What else can be checked of a medium. Each is empty where it is not known.
struct MediumSigns {
  // Of a regular file: when it was made, or its inode number. Differs: it is another file.
  std::string object{};
  // Of a block device: this start of the machine, and the kernel's number of this attachment.
  // Equal: it is the same medium, whatever was written to it.
  std::string attachment{};
  // Of a block device: the UUID of the partition table or file system on it, as udev has found it.
  // An initiator may change it.
  std::string contents{};
  bool operator==(const MediumSigns&) const = default;
};

// Of a block device.
[[nodiscard]] MediumSigns medium_signs(dev_t device, const SystemRoots& roots = {});

}  // namespace lunar::engine

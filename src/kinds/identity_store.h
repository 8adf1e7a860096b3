// Keeps who a device is, for media that cannot keep it themselves or are not always there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/medium_name.h"
#include "lunar/block/limits.h"
#include "lunar/result.h"
#include "lunar/uuid.h"

namespace lunar::kinds {

// A medium that cannot keep its UUID, and what can be checked of it.
struct KnownMedium {
  Uuid uuid;
  std::uint64_t size_bytes = 0;
  engine::MediumSigns signs;
  bool operator==(const KnownMedium&) const = default;
};

// A disk as it was when it was last served, so that it can be shown before its medium is there.
struct KnownDisk {
  Uuid uuid;
  block::Limits limits;
};

// Over power losses, by a key that stays with the configuration. Blocking: off the shards.
class IdentityStore {
 public:
  virtual ~IdentityStore() = default;
  // Unset: nothing is kept. malformed: what is kept is damaged.
  virtual Result<std::optional<KnownMedium>> load_identity(std::string_view key) = 0;
  virtual Result<void> save_identity(std::string_view key, const KnownMedium& medium) = 0;
  // The same for disks.
  virtual Result<std::optional<KnownDisk>> load_disk(std::string_view key) = 0;
  virtual Result<void> save_disk(std::string_view key, const KnownDisk& disk) = 0;
  // Where that is, for people who have to remove it.
  [[nodiscard]] virtual std::string place_of_identity(std::string_view key) const = 0;
};

}  // namespace lunar::kinds

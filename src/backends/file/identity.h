// Who a file disk is: its medium's own name, or a random one that is kept with the medium, or
// beside it. Never where it lies: a path leads to another medium after a swap, and to one on each
// machine.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/file_io.h"
#include "engine/prng.h"
#include "lunar/result.h"
#include "lunar/uuid.h"

namespace lunar::backends {

// Keeps what media cannot keep themselves, over power losses, by a key that stays with the
// configuration. Blocking: before shards serve the device.
class IdentityStore {
 public:
  virtual ~IdentityStore() = default;
  // Empty: nothing is kept.
  virtual Result<std::string> load_identity(std::string_view key) = 0;
  virtual Result<void> save_identity(std::string_view key, const std::string& record) = 0;
  // Where that is, for people who have to remove it.
  [[nodiscard]] virtual std::string place_of_identity(std::string_view key) const = 0;
};

struct IdentityOptions {
  const std::string& path;   // of the medium
  std::optional<Uuid> uuid;  // that was given
  IdentityStore* store;      // null: there is none
  const std::string& key;    // in the store
};

// A regular file keeps its UUID in an extended attribute, also when it is served for reading only.
// A block device's is made of its medium's name. What has neither has a random one in the store,
// with what can be checked of the medium: a file that is another gets another UUID; a block device
// that is another is an error, as a device has no birth that would make it certain.
//
// invalid_argument: the UUID has to be given, and the message says how; io and the like: the
// attribute or the store cannot be read, so nobody knows.
Result<Uuid> identify(engine::File& file, engine::Prng& prng, const IdentityOptions& options);

}  // namespace lunar::backends

// Who a file disk is: its medium's own name, or a random one that is kept with the medium, or
// beside it. Never where it lies: a path leads to another medium after a swap, and to one on each
// machine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/file_io.h"
#include "engine/prng.h"
#include "kinds/identity_store.h"
#include "lunar/result.h"
#include "lunar/uuid.h"

namespace lunar::backends {

struct IdentityOptions {
  const std::string& path;      // of the medium
  std::optional<Uuid> uuid;     // that was given
  kinds::IdentityStore* store;  // null: there is none
  const std::string& key;       // in the store
};

// A regular file keeps its UUID in an extended attribute, also when it is served for reading only.
// A block device's is made of its medium's name. What has neither has a random one in the store,
// with what can be checked of the medium: a file that is another gets another UUID; a block device
// that is another is an error, as a device has no birth that would make it certain.
//
// invalid_argument: the UUID has to be given, and the message says how; io and the like: the
// attribute or the store cannot be read, so nobody knows.
Result<Uuid> identify(engine::File& file, engine::Prng& prng, const IdentityOptions& options);

// The same without giving it a new identity. Unset: it has none, or it is not known.
Result<std::optional<Uuid>> recognise(engine::File& file, const IdentityOptions& options);

}  // namespace lunar::backends

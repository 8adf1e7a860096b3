// Keeps who a device is, for media that cannot keep it themselves.
#pragma once

#include <string>
#include <string_view>

#include "lunar/result.h"

namespace lunar::kinds {

// Over power losses, by a key that stays with the configuration. Blocking: before shards serve the
// device.
class IdentityStore {
 public:
  virtual ~IdentityStore() = default;
  // Empty: nothing is kept.
  virtual Result<std::string> load_identity(std::string_view key) = 0;
  virtual Result<void> save_identity(std::string_view key, const std::string& record) = 0;
  // Where that is, for people who have to remove it.
  [[nodiscard]] virtual std::string place_of_identity(std::string_view key) const = 0;
};

}  // namespace lunar::kinds

// Where the state of a server lies, and what is kept there beside that of logical units: who the
// devices are whose media cannot keep that.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "kinds/identity_store.h"
#include "lunar/result.h"
#include "state/database.h"
#include "state/store.h"

namespace lunar::app {

// /var/lib/lunar for root, else lunar in $XDG_STATE_HOME or ~/.local/state; empty when there is
// neither.
[[nodiscard]] std::string default_state_folder();

// `given`: by who starts the server; empty: the default folder. A given one that cannot be used is
// an error, of a default one the log has a line.
Result<std::unique_ptr<state::Database>> open_state(const std::string& given);

class MediaIdentities final : public kinds::IdentityStore {
 public:
  // `store` outlives it.
  explicit MediaIdentities(state::Store& store) : store_(store) {}

  Result<std::optional<kinds::KnownMedium>> load_identity(std::string_view key) override;
  Result<void> save_identity(std::string_view key, const kinds::KnownMedium& medium) override;
  Result<std::optional<kinds::KnownDisk>> load_disk(std::string_view key) override;
  Result<void> save_disk(std::string_view key, const kinds::KnownDisk& disk) override;
  [[nodiscard]] std::string place_of_identity(std::string_view key) const override;

 private:
  state::Store& store_;
};

}  // namespace lunar::app

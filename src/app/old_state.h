// State folders from before there was a database. Each value was a file, in a text form of its own:
//
//   DIR/UUID/NAME   what a logical unit remembered under that name
//   DIR/devices/ID  who the device of a name is; ID is made of the name
//
// A conversion is by form only: whether a record makes sense says who reads it.
#pragma once

#include <string_view>
#include <vector>

#include "state/old_files.h"
#include "state/store.h"

namespace lunar::app {

// Whose records the identities of media are, by the name of the device.
[[nodiscard]] state::Object media_object();

// state::DatabaseOptions::old_files
[[nodiscard]] std::vector<state::OldFile> old_state_files(const state::Object& object,
                                                          std::string_view key);

}  // namespace lunar::app

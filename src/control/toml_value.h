// A TOML table as the values that a declaration reads.
#pragma once

#include "control/toml_library.h"
#include "schema/value.h"

namespace lunar::control {

[[nodiscard]] schema::Table table_of(const toml::table& table);

}  // namespace lunar::control

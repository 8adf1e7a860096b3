// What each family of commands stores durably for a logical unit.
#pragma once

#include <span>

#include "scsi/core/logical_unit.h"

namespace lunar::scsi {

// For LogicalUnit::restore(), in the order in which they are restored.
[[nodiscard]] std::span<const UnitFeature> unit_features();

}  // namespace lunar::scsi

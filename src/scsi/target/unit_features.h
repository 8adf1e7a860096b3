// What the families of commands keep of a logical unit over a power loss.
#pragma once

#include <span>

#include "scsi/core/logical_unit.h"

namespace lunar::scsi {

// In the order in which they are restored. For LogicalUnit::restore().
[[nodiscard]] std::span<const UnitFeature> unit_features();

}  // namespace lunar::scsi

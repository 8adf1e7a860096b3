// The one place where the outcome of an I/O becomes what SCSI says of it (SAM-5 §5.3, SPC-5 §4.4).
#pragma once

#include "lunar/block/request.h"
#include "scsi/spec/sense.h"
#include "scsi/spec/status.h"

namespace lunar::scsi {

struct StatusMapping {
  spec::Status status = spec::Status::good;
  spec::Sense sense;  // when status is check_condition
};

// `request` gives the INFORMATION field: the first logical block that may be meant (SBC-4 §4.18.1).
[[nodiscard]] StatusMapping map_status(block::Status status, const block::Request& request);

}  // namespace lunar::scsi

#include "scsi/core/wait.h"

#include "scsi/core/logical_unit.h"
#include "scsi/state/self_test_log.h"

namespace lunar::scsi {

bool Behalf::is_wanted() const {
  if (command != nullptr && is_unwanted(*command)) return false;
  if (self_test != nullptr && self_test->ended) return false;
  return part == nullptr || !part->is_stopping();
}

void Wait::begin() {
  if (behalf_.part != nullptr) behalf_.part->add_wait(*this);
}

}  // namespace lunar::scsi

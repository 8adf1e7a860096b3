#include "scsi/unit_features.h"

#include <array>

#include "scsi/identification.h"
#include "scsi/mode_store.h"
#include "scsi/report_commands.h"
#include "scsi/reservation_change.h"
#include "scsi/run_medium_operation.h"
#include "scsi/self_tests.h"

namespace lunar::scsi {

std::span<const UnitFeature> unit_features() {
  static constexpr std::array kFeatures{
      UnitFeature{kMediumOperationKey, restore_medium_operation, continue_medium_operation},
      UnitFeature{kIdentificationKey, restore_identification},
      UnitFeature{kModePagesKey, restore_mode_parameters},
      UnitFeature{kReservationsKey, restore_reservations},
      UnitFeature{kSelfTestsKey, restore_self_tests},
  };
  return kFeatures;
}

}  // namespace lunar::scsi

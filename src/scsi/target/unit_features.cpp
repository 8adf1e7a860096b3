#include "scsi/target/unit_features.h"

#include <array>

#include "scsi/diagnostics/self_tests.h"
#include "scsi/medium/run_medium_operation.h"
#include "scsi/modes/mode_store.h"
#include "scsi/reports/report_commands.h"
#include "scsi/reservations/reservation_change.h"
#include "scsi/state/identification.h"

namespace lunar::scsi {

std::span<const UnitFeature> unit_features() {
  static constexpr std::array kFeatures{
      UnitFeature{kMediumOperationKey, restore_medium_operation, continue_medium_operation,
                  resume_medium_operation},
      UnitFeature{kIdentificationKey, restore_identification},
      UnitFeature{kModePagesKey, restore_mode_parameters},
      UnitFeature{access::kReservationsKey, restore_reservations},
      UnitFeature{kSelfTestsKey, restore_self_tests},
  };
  return kFeatures;
}

}  // namespace lunar::scsi

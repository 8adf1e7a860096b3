#include "scsi/state/mode_parameters.h"

namespace lunar::scsi {

ModeParameters default_mode_parameters(bool volatile_cache) {
  ModeParameters values;
  // Blocks that fail are the medium's to relocate, and it does so by itself.
  values.error_recovery.flags = values.error_recovery.kAwre | values.error_recovery.kArre;
  if (volatile_cache) values.caching.flags = values.caching.kWce;
  values.control.flags2 = values.control.kTstPerNexus | values.control.kGltsd;
  values.control.flags3 = values.control.kUnrestrictedReordering;
  values.informational_exceptions.method_of_reporting =
      static_cast<std::uint8_t>(spec::MethodOfReporting::on_request);
  return values;
}

}  // namespace lunar::scsi

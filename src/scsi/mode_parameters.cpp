#include "scsi/mode_parameters.h"

#include "scsi/logical_unit.h"

namespace lunar::scsi {

ModeParameters default_mode_parameters(const LogicalUnit& unit) {
  ModeParameters values;
  // Blocks that fail are the medium's to relocate, and it does so by itself.
  values.error_recovery.flags = values.error_recovery.kAwre | values.error_recovery.kArre;
  if (unit.volatile_cache()) values.caching.flags = values.caching.kWce;
  values.control.flags2 = values.control.kTstPerNexus | values.control.kGltsd;
  values.control.flags3 = values.control.kUnrestrictedReordering;
  values.informational_exceptions.method_of_reporting =
      static_cast<std::uint8_t>(spec::MethodOfReporting::on_request);
  return values;
}

ModeParameters changeable_mode_parameters(const LogicalUnit& unit) {
  ModeParameters mask;
  // Without a volatile cache every write is durable when it is GOOD, and nothing could change that.
  if (unit.volatile_cache()) mask.caching.flags = mask.caching.kWce;
  mask.control.flags2 = mask.control.kDSense;
  mask.control.flags4 = mask.control.kSwp;
  mask.control.flags5 = mask.control.kTas;
  mask.control_extension.initial_command_priority = mask.control_extension.kPriorityMask;
  mask.informational_exceptions.flags =
      mask.informational_exceptions.kDexcpt | mask.informational_exceptions.kTest;
  mask.informational_exceptions.method_of_reporting = mask.informational_exceptions.kMrieMask;
  return mask;
}

}  // namespace lunar::scsi

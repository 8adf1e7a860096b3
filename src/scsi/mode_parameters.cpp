#include "scsi/mode_parameters.h"

#include <algorithm>

#include "scsi/logical_unit.h"
#include "scsi/self_tests.h"

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
  mask.control.flags2 = mask.control.kTstPerNexus | mask.control.kDSense;
  mask.control.flags3 = mask.control.kQerrMask;
  mask.control.flags4 = mask.control.kUaIntlckCtrlMask | mask.control.kSwp;
  mask.control.flags5 = mask.control.kTas;
  mask.control_extension.initial_command_priority = mask.control_extension.kPriorityMask;
  if (unit.has_protection_room()) {
    mask.control.flags2 |= mask.control.kDpicz;
    mask.control.flags5 |= mask.control.kAto;
  }
  mask.informational_exceptions.flags =
      mask.informational_exceptions.kDexcpt | mask.informational_exceptions.kTest;
  mask.informational_exceptions.method_of_reporting = mask.informational_exceptions.kMrieMask;
  return mask;
}

void tell_self_test_time(ModeParameters& values, std::uint64_t capacity_bytes) {
  // SPC-5 §7.5.11: FFFFh is that or longer, and VPD page 86h tells.
  values.control.extended_self_test_completion_time_s = static_cast<std::uint16_t>(
      std::min<std::uint64_t>(extended_self_test_seconds(capacity_bytes), UINT16_MAX));
}

}  // namespace lunar::scsi

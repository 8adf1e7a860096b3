// The mode parameters of a logical unit (SPC-5 §7.5, SBC-4 §6.5): the values of its mode pages, and
// what they mean to the rest of the device server. A part of the UnitState.
#pragma once

#include <optional>

#include "scsi/spec/additional_sense.h"
#include "scsi/spec/mode.h"

namespace lunar::scsi {

// One value of every page, as it goes over the wire. Each member has a row in mode_pages.cpp.
struct ModeParameters {
  spec::ReadWriteErrorRecoveryPage error_recovery;
  spec::CachingPage caching;
  spec::ControlPage control;
  spec::ControlExtensionPage control_extension;
  spec::PowerConditionPage power_condition;
  spec::InformationalExceptionsControlPage informational_exceptions;

  // WCE: GOOD may come before a write is durable.
  [[nodiscard]] bool write_cache_enabled() const { return (caching.flags & caching.kWce) != 0; }
  // D_SENSE: sense data have the descriptor format.
  [[nodiscard]] bool descriptor_sense() const { return (control.flags2 & control.kDSense) != 0; }
  // SWP
  [[nodiscard]] bool software_write_protect() const { return (control.flags4 & control.kSwp) != 0; }
  // TAS: commands that another I_T nexus aborts end in TASK ABORTED status.
  [[nodiscard]] bool task_aborted_status() const { return (control.flags5 & control.kTas) != 0; }

  // TST: all I_T nexuses have one task set; else each has its own.
  [[nodiscard]] bool one_task_set() const { return (control.flags2 & control.kTstMask) == 0; }
  // QERR: a CHECK CONDITION ends the other commands of its nexus (11b), or of its task set (01b),
  // which is the same unless there is one for all.
  [[nodiscard]] bool errors_abort_others() const {
    return (control.flags3 & control.kQerrMask) != 0;
  }
  [[nodiscard]] bool errors_abort_task_set() const {
    return (control.flags3 & control.kQerrMask) == control.kQerrTaskSet;
  }
  // UA_INTLCK_CTRL: CHECK CONDITION status leaves the unit attention condition that it reports
  // pending, so that no command passes until REQUEST SENSE has asked for it.
  [[nodiscard]] bool attentions_interlocked() const {
    return (control.flags4 & control.kUaIntlckCtrlMask) != 0;
  }
  // UA_INTLCK_CTRL: and BUSY, RESERVATION CONFLICT and TASK SET FULL status make one.
  [[nodiscard]] bool statuses_interlocked() const {
    return (control.flags4 & control.kUaIntlckCtrlMask) == control.kUaIntlckStatuses;
  }
  // INITIAL COMMAND PRIORITY: of the nexuses that SET PRIORITY has given none; 0: none.
  [[nodiscard]] std::uint8_t initial_command_priority() const {
    return control_extension.initial_command_priority;
  }
  // ATO: the application tags of protection information are the application client's.
  [[nodiscard]] bool application_tag_owned() const { return (control.flags5 & control.kAto) != 0; }
  // DPICZ: a protection field of zero asks for no checks.
  [[nodiscard]] bool protection_check_disabled() const {
    return (control.flags2 & control.kDpicz) != 0;
  }

  [[nodiscard]] spec::MethodOfReporting method_of_reporting() const {
    return static_cast<spec::MethodOfReporting>(informational_exceptions.method_of_reporting);
  }
  // The informational exception condition that is present. The medium knows of none, so it is the
  // one that TEST makes (SPC-5, Informational Exceptions Control mode page).
  [[nodiscard]] std::optional<spec::AdditionalSense> informational_exception() const {
    const std::uint8_t flags = informational_exceptions.flags;
    const bool test = (flags & informational_exceptions.kTest) != 0;
    const bool disabled = (flags & informational_exceptions.kDexcpt) != 0;
    if (!test || disabled) return std::nullopt;
    return spec::AdditionalSense::failure_prediction_threshold_exceeded_false;
  }
};

// The values that the unit has when nothing was changed or saved.
[[nodiscard]] ModeParameters default_mode_parameters(bool volatile_cache);

}  // namespace lunar::scsi

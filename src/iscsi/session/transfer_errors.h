// The sense data of errors that iSCSI itself finds in the data of a command (RFC 7143 §11.4.7.2).
#pragma once

#include "scsi/spec/sense.h"

namespace lunar::iscsi {

inline scsi::spec::Sense unexpected_unsolicited_data() {
  return scsi::spec::Sense::of(
      scsi::spec::SenseKey::aborted_command,
      scsi::spec::AdditionalSense::write_error_unexpected_unsolicited_data);
}
inline scsi::spec::Sense incorrect_amount_of_data() {
  return scsi::spec::Sense::of(
      scsi::spec::SenseKey::aborted_command,
      scsi::spec::AdditionalSense::write_error_not_enough_unsolicited_data);
}
inline scsi::spec::Sense data_digest_error() {
  return scsi::spec::Sense::of(scsi::spec::SenseKey::aborted_command,
                               scsi::spec::AdditionalSense::protocol_service_crc_error);
}
inline scsi::spec::Sense data_sequence_error() {
  return scsi::spec::Sense::of(scsi::spec::SenseKey::aborted_command,
                               scsi::spec::AdditionalSense::data_phase_error);
}

}  // namespace lunar::iscsi

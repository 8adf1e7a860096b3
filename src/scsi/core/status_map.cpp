#include "scsi/core/status_map.h"

namespace lunar::scsi {
namespace {

using spec::AdditionalSense;
using spec::Sense;
using spec::SenseKey;

StatusMapping check_condition(SenseKey key, AdditionalSense additional) {
  return {spec::Status::check_condition, Sense::of(key, additional)};
}

StatusMapping with_lba(SenseKey key, AdditionalSense additional, const block::Request& request) {
  return {spec::Status::check_condition,
          Sense::of(key, additional).with_information(request.lba.value)};
}

// The block of the first byte that differs.
StatusMapping miscompare(const block::Request& request) {
  std::uint64_t bytes = 0;
  for (const iovec& piece : request.buffers()) bytes += piece.iov_len;
  const std::uint64_t block_bytes = request.count.value == 0 ? 0 : bytes / request.count.value;
  const std::uint64_t blocks = block_bytes == 0 ? 0 : request.miscompare_offset / block_bytes;
  return {spec::Status::check_condition,
          Sense::of(SenseKey::miscompare, AdditionalSense::miscompare_during_verify_operation)
              .with_information(request.lba.value + blocks)};
}

}  // namespace

StatusMapping map_status(block::Status status, const block::Request& request) {
  switch (status) {
    case block::Status::ok: return {};
    case block::Status::aborted:
      // Not by us, or nobody would read this: the medium gave up.
      return check_condition(SenseKey::aborted_command,
                             AdditionalSense::no_additional_sense_information);
    case block::Status::out_of_range:
      return with_lba(SenseKey::illegal_request, AdditionalSense::lba_out_of_range, request);
    case block::Status::write_protected:
      return check_condition(SenseKey::data_protect, AdditionalSense::write_protected);
    case block::Status::not_ready:
      return check_condition(SenseKey::not_ready,
                             AdditionalSense::lu_not_ready_cause_not_reportable);
    case block::Status::gone:
      return check_condition(SenseKey::hardware_error, AdditionalSense::lu_communication_failure);
    case block::Status::no_space:
      // SBC-4 §4.7.3.6
      return check_condition(SenseKey::data_protect,
                             AdditionalSense::space_allocation_failed_write_protect);
    case block::Status::read_error:
      return with_lba(SenseKey::medium_error, AdditionalSense::unrecovered_read_error, request);
    case block::Status::write_error:
      return with_lba(SenseKey::medium_error, AdditionalSense::write_error, request);
    case block::Status::hardware_error:
      return check_condition(SenseKey::hardware_error, AdditionalSense::internal_target_failure);
    case block::Status::miscompare: return miscompare(request);
    case block::Status::unsupported:
      // The waist emulates whatever a backend lacks, so this is a fault of ours.
      return check_condition(SenseKey::hardware_error, AdditionalSense::internal_target_failure);
    case block::Status::busy: return {spec::Status::busy, {}};
  }
  return check_condition(SenseKey::hardware_error, AdditionalSense::internal_target_failure);
}

}  // namespace lunar::scsi

// Sense data as text for people.
#include <fmt/format.h>

#include <iterator>

#include "scsi/spec/sense.h"

namespace lunar::scsi::spec {
namespace {

struct DescribeSpecific {
  static std::string bit_text(std::optional<std::uint8_t> bit) {
    return bit ? fmt::format(" bit {}", *bit) : std::string();
  }
  std::string operator()(std::monostate) const { return {}; }
  std::string operator()(const FieldPointer& pointer) const {
    return fmt::format(", {} byte {}{}", pointer.in_cdb ? "CDB" : "parameter list", pointer.byte,
                       bit_text(pointer.bit));
  }
  std::string operator()(ProgressIndication progress) const {
    return fmt::format(", progress {}/65536", progress.value);
  }
  std::string operator()(ActualRetryCount count) const {
    return fmt::format(", {} retries", count.value);
  }
  std::string operator()(const SegmentPointer& pointer) const {
    return fmt::format(", {} byte {}{}",
                       pointer.in_segment_descriptor ? "segment descriptor" : "parameter list",
                       pointer.byte, bit_text(pointer.bit));
  }
  std::string operator()(UnitAttentionOverflow attention) const {
    return attention.overflow ? ", unit attention conditions lost" : "";
  }
};

}  // namespace

std::string_view to_text(SenseKey key) {
  switch (key) {
    case SenseKey::no_sense: return "NO SENSE";
    case SenseKey::recovered_error: return "RECOVERED ERROR";
    case SenseKey::not_ready: return "NOT READY";
    case SenseKey::medium_error: return "MEDIUM ERROR";
    case SenseKey::hardware_error: return "HARDWARE ERROR";
    case SenseKey::illegal_request: return "ILLEGAL REQUEST";
    case SenseKey::unit_attention: return "UNIT ATTENTION";
    case SenseKey::data_protect: return "DATA PROTECT";
    case SenseKey::blank_check: return "BLANK CHECK";
    case SenseKey::vendor_specific: return "VENDOR SPECIFIC";
    case SenseKey::copy_aborted: return "COPY ABORTED";
    case SenseKey::aborted_command: return "ABORTED COMMAND";
    case SenseKey::reserved: return "RESERVED";
    case SenseKey::volume_overflow: return "VOLUME OVERFLOW";
    case SenseKey::miscompare: return "MISCOMPARE";
    case SenseKey::completed: return "COMPLETED";
  }
  return "RESERVED";
}

std::string to_text(const Sense& sense) {
  std::string text = fmt::format("{}{}, {}", sense.deferred ? "deferred " : "", to_text(sense.key),
                                 to_text(sense.additional));
  text += std::visit(DescribeSpecific{}, sense.specific);
  if (sense.information) {
    fmt::format_to(std::back_inserter(text), ", information {:#x}", *sense.information);
  }
  if (sense.command_specific) {
    fmt::format_to(std::back_inserter(text), ", command-specific {:#x}", *sense.command_specific);
  }
  return text;
}

}  // namespace lunar::scsi::spec

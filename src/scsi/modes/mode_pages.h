// The mode pages of a disk as a table. A new page is a member of ModeParameters and a row here. The
// initial values are in mode_parameters.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/bytes.h"
#include "scsi/spec/mode.h"
#include "scsi/state/mode_parameters.h"

namespace lunar::scsi {

class LogicalUnit;

// Position of a field with an invalid value.
struct ModePageFault {
  std::uint8_t byte = 0;
  std::uint8_t bit = 7;  // most significant bit of the field
};

struct ModePageDescription {
  spec::ModePage code;
  std::uint8_t subpage = 0;
  std::uint8_t bytes = 0;  // including its header
  MutableBytes (*in)(ModeParameters&);
  // Checks combinations of values that are each allowed. Null: all combinations are.
  std::optional<ModePageFault> (*check)(const ModeParameters&) = nullptr;

  [[nodiscard]] bool is_subpage() const { return subpage != 0; }
  [[nodiscard]] std::size_t header_bytes() const {
    return is_subpage() ? sizeof(spec::ModeSubpageHeader) : sizeof(spec::ModePageHeader);
  }
};

// Ascending by code and subpage, as MODE SENSE must return them (SPC-5 §6.14.1).
[[nodiscard]] std::span<const ModePageDescription> mode_pages();
// Null: there is no such page.
[[nodiscard]] const ModePageDescription* find_mode_page(std::uint8_t code, std::uint8_t subpage);

// A bit is 1 where MODE SELECT may change it. Page headers keep their normal values.
[[nodiscard]] ModeParameters changeable_mode_parameters(const LogicalUnit& unit);
// Sets EXTENDED SELF-TEST COMPLETION TIME. It is computed from the capacity, not stored.
void tell_self_test_time(ModeParameters& values, std::uint64_t capacity_bytes);

// The pages selected by PAGE CODE and SUBPAGE CODE of a MODE SENSE.
struct ModePageSelection {
  std::uint8_t page = 0;
  std::uint8_t subpage = 0;

  [[nodiscard]] bool matches(const ModePageDescription& description) const;
};

// Upper bound for the headers, the block descriptor and all pages together.
constexpr std::size_t kMaxModeDataBytes = 512;

}  // namespace lunar::scsi

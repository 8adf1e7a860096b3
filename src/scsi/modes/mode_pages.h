// The mode pages of a disk as a table: a new page is a member of ModeParameters and a row here.
// What values are to begin with is in mode_parameters.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/bytes.h"
#include "scsi/spec/mode.h"
#include "scsi/state/mode_parameters.h"

namespace lunar::scsi {

class LogicalUnit;

// A field of a page that has a value which cannot be.
struct ModePageFault {
  std::uint8_t byte = 0;
  std::uint8_t bit = 7;  // its most significant
};

struct ModePageDescription {
  spec::ModePage code;
  std::uint8_t subpage = 0;
  std::uint8_t bytes = 0;  // with its header
  MutableBytes (*in)(ModeParameters&);
  // Whether values of which each bit may be so make sense together; null: they do.
  std::optional<ModePageFault> (*check)(const ModeParameters&) = nullptr;

  [[nodiscard]] bool is_subpage() const { return subpage != 0; }
  [[nodiscard]] std::size_t header_bytes() const {
    return is_subpage() ? sizeof(spec::ModeSubpageHeader) : sizeof(spec::ModePageHeader);
  }
};

// Ascending by code and subpage, as MODE SENSE must return them (SPC-5 §6.14.1).
[[nodiscard]] std::span<const ModePageDescription> mode_pages();
// Null when there is no such page.
[[nodiscard]] const ModePageDescription* find_mode_page(std::uint8_t code, std::uint8_t subpage);

// Ones where MODE SELECT may change a bit; the headers of the pages are as ever.
[[nodiscard]] ModeParameters changeable_mode_parameters(const LogicalUnit& unit);
// The EXTENDED SELF-TEST COMPLETION TIME, which follows from the capacity and is no value of its
// own.
void tell_self_test_time(ModeParameters& values, std::uint64_t capacity_bytes);

// What a MODE SENSE selects by PAGE CODE and SUBPAGE CODE.
struct ModePageSelection {
  std::uint8_t page = 0;
  std::uint8_t subpage = 0;

  [[nodiscard]] bool matches(const ModePageDescription& description) const;
};

// Headers, block descriptor and all pages are less.
constexpr std::size_t kMaxModeDataBytes = 512;

}  // namespace lunar::scsi

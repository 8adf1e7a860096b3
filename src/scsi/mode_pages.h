// The mode pages of a disk (SPC-5 §7.5, SBC-4 §6.5), as a table: a new page is a row and a
// function.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/bytes.h"
#include "scsi/logical_unit.h"
#include "scsi/spec/mode.h"

namespace lunar::scsi {

struct ModePageDescription {
  spec::ModePage code;
  std::uint8_t subpage = 0;
  // The page with its header: its current or default values.
  void (*produce)(const LogicalUnitShard&, ByteWriter&);
  std::uint8_t bytes = 0;         // with its header
  std::uint8_t header_bytes = 0;  // of that; no value beyond is changeable yet
};

// Ascending by code and subpage, as MODE SENSE must return them (SPC-5 §6.14.1).
[[nodiscard]] std::span<const ModePageDescription> mode_pages();

// What a MODE SENSE selects by PAGE CODE and SUBPAGE CODE.
struct ModePageSelection {
  std::uint8_t page = 0;
  std::uint8_t subpage = 0;

  [[nodiscard]] bool matches(const ModePageDescription& description) const;
};

// Writes the selected pages. `control` is not PageControl::saved, as none can be saved.
void write_mode_pages(const LogicalUnitShard& unit, ModePageSelection selection,
                      spec::PageControl control, ByteWriter& out);

// Headers, block descriptor and all pages are less.
constexpr std::size_t kMaxModeDataBytes = 512;

}  // namespace lunar::scsi

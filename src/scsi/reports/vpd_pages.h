// The vital product data pages (SPC-5 §7.7, SBC-4 §6.6) as a table. A new page is a row and a
// function.
#pragma once

#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "scsi/core/command.h"
#include "scsi/spec/inquiry.h"

namespace lunar::scsi {

struct VpdPageDescription {
  spec::VpdPage code;
  void (*produce)(const Command&, ByteWriter&);  // the page with its header
  bool of_well_known = false;  // also a page of the REPORT LUNS well known logical unit
};

// Ascending by code, as page 00h must list them.
[[nodiscard]] std::span<const VpdPageDescription> vpd_pages();
// Null: the addressed logical unit has no such page.
[[nodiscard]] const VpdPageDescription* find_vpd_page(const Command& command, std::uint8_t code);

// Limit of the PAGE LENGTH field.
constexpr std::size_t kMaxVpdPageBytes = sizeof(spec::VpdHeader) + 0xffff;

}  // namespace lunar::scsi

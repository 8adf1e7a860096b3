// The parameter list of MODE SELECT (SPC-5 §6.12, §7.5). The whole list is checked first; then all
// of it becomes the new mode parameters, or nothing.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "scsi/spec/sense.h"
#include "scsi/state/mode_parameters.h"

namespace lunar::scsi {

// Which mode parameter header the list has: that of the 6-byte or of the 10-byte command.
enum class ModeListForm : std::uint8_t { six_bytes, ten_bytes };

struct ModeListContext {
  std::uint64_t capacity_blocks = 0;
  std::uint32_t block_size = 0;
  ModeParameters changeable;
};

// Changes `values` as the list says. Returns sense data, and leaves `values` alone, if it cannot.
[[nodiscard]] std::optional<spec::Sense> apply_mode_list(Bytes list, ModeListForm form,
                                                         const ModeListContext& context,
                                                         ModeParameters& values);

}  // namespace lunar::scsi

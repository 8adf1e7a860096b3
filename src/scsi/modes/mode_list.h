// The parameter list of MODE SELECT (SPC-5 §6.12, §7.5): checked as a whole, then all of it or
// nothing becomes the new mode parameters.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "scsi/spec/sense.h"
#include "scsi/state/mode_parameters.h"

namespace lunar::scsi {

// The form of the mode parameter header.
enum class ModeListForm : std::uint8_t { six_bytes, ten_bytes };

struct ModeListContext {
  std::uint64_t capacity_blocks = 0;
  std::uint32_t block_size = 0;
  ModeParameters changeable;
};

// Changes `values` as the list asks. Sense data when it cannot be: then `values` is as it was.
[[nodiscard]] std::optional<spec::Sense> apply_mode_list(Bytes list, ModeListForm form,
                                                         const ModeListContext& context,
                                                         ModeParameters& values);

}  // namespace lunar::scsi

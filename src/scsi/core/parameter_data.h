// Commands that answer with parameter data of the device server's own making.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/bytes.h"
#include "scsi/core/completion.h"

namespace lunar::scsi {

// Runs such a command: `produce` writes all of the data, of which the ALLOCATION LENGTH says how
// much is wanted (SPC-5 §4.2.5.6), at most `bound` bytes.
template <void (*produce)(Command&, ByteWriter&), std::size_t bound>
void respond(Command& command) {
  const std::size_t wanted = std::min<std::size_t>(command.allocation_length, bound);
  if (wanted == 0) {
    end_soon(command);
    return;
  }
  with_buffer(command, wanted, [](Command& self) noexcept {
    ByteWriter out(self.buffer.bytes().first(std::min<std::size_t>(self.allocation_length, bound)));
    produce(self, out);
    self.data_in = out.bytes();
    end_soon(self);
  });
}

}  // namespace lunar::scsi

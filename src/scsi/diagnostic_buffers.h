// The buffers of READ BUFFER and WRITE BUFFER, with which initiators test the way to us (SPC-5
// §6.24). Each I_T_L nexus has its own, from its first WRITE BUFFER on.
#pragma once

#include <array>
#include <cstddef>
#include <optional>

namespace lunar::scsi {

// Small, as each nexus may have them of each logical unit.
constexpr std::size_t kDataBufferBytes = 4096;
constexpr std::size_t kEchoBufferBytes = 4096;

struct DiagnosticBuffers {
  std::array<std::byte, kDataBufferBytes> data{};
  std::array<std::byte, kEchoBufferBytes> echo{};
  std::optional<std::size_t> echo_bytes;  // of the last that was written
};

}  // namespace lunar::scsi

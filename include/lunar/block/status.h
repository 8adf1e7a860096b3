// The outcome of an I/O, in one byte. Protocols map it once (scsi/core/status_map.h) to what their
// peers read.
#pragma once

#include <cstdint>
#include <string_view>

namespace lunar::block {

enum class Status : std::uint8_t {
  ok,
  aborted,          // cancelled by request, by a reset or by an orderly stop
  out_of_range,     // beyond the capacity, or larger than the device takes
  write_protected,  // a write to a read-only device
  not_ready,        // the medium is there but cannot serve now
  gone,             // the medium is gone for good
  no_space,         // a thin medium ran out (ENOSPC, EDQUOT)
  read_error,       // the medium cannot give these blocks back
  write_error,      // the medium did not take these blocks
  hardware_error,   // the path to the medium failed
  miscompare,       // COMPARE found a difference; Request::miscompare_offset says where
  unsupported,      // the backend cannot do this; the waist emulates it, a consumer never sees it
  busy,             // try again
};

[[nodiscard]] std::string_view to_string(Status status);

}  // namespace lunar::block

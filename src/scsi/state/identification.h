// What initiators write down about a logical unit: identifying information and the time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "lunar/result.h"
#include "state/record.h"

namespace lunar::scsi {

// The longest that is kept, as VPD pages and REPORT IDENTIFYING INFORMATION tell.
constexpr std::size_t kMaxIdentifyingBytes = 512;
constexpr std::size_t kMaxTextIdentifyingBytes = 256;

struct IdentifyingInformation {
  std::string bytes;  // type 0000000b
  std::string text;   // type 0000010b: UTF-8, and ends with a zero byte
};

// A part of UnitState.
struct Identification {
  std::shared_ptr<const IdentifyingInformation> information;  // never null
  // Added to the clock of this machine, when an initiator has set the time.
  std::int64_t timestamp_offset_ms = 0;
  bool timestamp_set = false;

  Identification() : information(std::make_shared<IdentifyingInformation>()) {}
};

// The name in the durable store, and the value there.
constexpr std::string_view kIdentificationKey = "identifying_information";
[[nodiscard]] state::Record to_record(const IdentifyingInformation& information);
// malformed, unsupported.
[[nodiscard]] Result<IdentifyingInformation> identifying_information_of(
    const state::Record& record);

}  // namespace lunar::scsi

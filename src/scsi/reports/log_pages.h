// The log pages of a disk as a table. A new page is a row and a function.
//
// The counters are those of block::DeviceStatistics. Each shard keeps its own; reading a page sums
// them. LOG SELECT resets a page by recording the current counters as its baseline.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "base/bytes.h"
#include "block/statistics.h"
#include "scsi/core/logical_unit.h"
#include "scsi/spec/log.h"

namespace lunar::scsi {

using OpCounters = std::array<block::OpTotals, block::kOpCount>;

// Input of a page.
struct LogReading {
  const LogicalUnitShard& unit;
  OpCounters counters;  // since the page's reset; zero when default values are requested
  std::uint64_t mapped_blocks = 0;  // only for pages with tells_allocation
};

// Writes parameters in ascending order of their codes, starting at `first_code`.
class LogParameterWriter {
 public:
  LogParameterWriter(ByteWriter& out, std::uint16_t first_code)
      : out_(out), first_code_(first_code) {}
  template <WireStruct T>
  void write(std::uint16_t code, std::uint8_t format, const T& value) {
    if (code < first_code_) return;
    spec::LogParameterHeader header;
    header.parameter_code = code;
    header.control = header.kTsd | format;
    header.parameter_length = sizeof(value);
    out_.write(header);
    out_.write(value);
  }
  // For data without parameter headers: the lists of pages.
  [[nodiscard]] ByteWriter& raw() { return out_; }

 private:
  ByteWriter& out_;
  std::uint16_t first_code_;
};

struct LogPageDescription {
  spec::LogPage code;
  std::uint8_t subpage = 0;
  std::uint16_t last_parameter = 0;
  bool has_counters = false;  // LOG SELECT resets them
  void (*produce)(const LogReading&, LogParameterWriter&) = nullptr;
  bool tells_allocation = false;  // exists only on thin provisioned units
};

constexpr std::size_t kLogPages = 11;
// Ascending by code and subpage.
[[nodiscard]] std::span<const LogPageDescription, kLogPages> log_pages();
// Null: the unit has no such page.
[[nodiscard]] const LogPageDescription* find_log_page(const LogicalUnit& unit, std::uint8_t code,
                                                      std::uint8_t subpage);

// Current values, without baselines.
[[nodiscard]] OpCounters read_counters(const LogicalUnit& unit);
// Counters at the last reset of each page, by row of log_pages(). Part of UnitState.
struct LogBaselines {
  std::array<OpCounters, kLogPages> pages{};
};
[[nodiscard]] LogReading read_log(const LogicalUnitShard& unit, const LogPageDescription& page,
                                  bool defaults);

// Upper bound for every page.
constexpr std::size_t kMaxLogPageBytes = 512;

}  // namespace lunar::scsi

// The log pages of a disk as a table: a new page is a row and a function.
//
// The counters are those of block::DeviceStatistics, which every shard keeps for itself: they are
// summed when a page is read. LOG SELECT resets a page by noting where its counters stand.
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

// What a page is made from.
struct LogReading {
  const LogicalUnitShard& unit;
  OpCounters counters;  // since the page was reset; zero when its defaults are asked for
  std::uint64_t mapped_blocks = 0;  // for pages that tell the allocation
};

// Parameters from one code on, in ascending order.
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
  // What has no parameter header: the lists of pages.
  [[nodiscard]] ByteWriter& raw() { return out_; }

 private:
  ByteWriter& out_;
  std::uint16_t first_code_;
};

struct LogPageDescription {
  spec::LogPage code;
  std::uint8_t subpage = 0;
  std::uint16_t last_parameter = 0;
  bool has_counters = false;  // that LOG SELECT resets
  void (*produce)(const LogReading&, LogParameterWriter&) = nullptr;
  bool tells_allocation = false;  // so that it is there only where the unit is thin provisioned
};

constexpr std::size_t kLogPages = 11;
// Ascending by code and subpage.
[[nodiscard]] std::span<const LogPageDescription, kLogPages> log_pages();
// Null when the unit has no such page.
[[nodiscard]] const LogPageDescription* find_log_page(const LogicalUnit& unit, std::uint8_t code,
                                                      std::uint8_t subpage);

// The counters as they stand.
[[nodiscard]] OpCounters read_counters(const LogicalUnit& unit);
// What the counters were when a page was last reset, by its row. In UnitState.
struct LogBaselines {
  std::array<OpCounters, kLogPages> pages{};
};
[[nodiscard]] LogReading read_log(const LogicalUnitShard& unit, const LogPageDescription& page,
                                  bool defaults);

// More than any page has.
constexpr std::size_t kMaxLogPageBytes = 512;

}  // namespace lunar::scsi

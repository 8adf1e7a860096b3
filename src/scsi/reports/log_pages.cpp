#include "scsi/reports/log_pages.h"

#include <algorithm>
#include <utility>

#include "scsi/blocks/allocation.h"
#include "scsi/state/self_test_log.h"

namespace lunar::scsi {
namespace {

using block::Op;
using block::OpTotals;
using spec::LogPage;
using Header = spec::LogParameterHeader;

OpTotals sum(const LogReading& reading, std::initializer_list<Op> ops) {
  OpTotals all;
  for (const Op op : ops) {
    const OpTotals& one = reading.counters[static_cast<std::size_t>(op)];
    all.operations += one.operations;
    all.bytes += one.bytes;
    all.errors += one.errors;
    all.time_ns += one.time_ns;
  }
  return all;
}
// UNMAP and flush transfer no logical blocks.
OpTotals written(const LogReading& reading) {
  return sum(reading, {Op::write, Op::write_same, Op::write_zeroes});
}
OpTotals read(const LogReading& reading) { return sum(reading, {Op::read}); }
OpTotals compared(const LogReading& reading) { return sum(reading, {Op::compare}); }

bool has(const LogicalUnit& unit, const LogPageDescription& page) {
  return !page.tells_allocation || unit.thin();
}

// 00h
void produce_pages(const LogReading& reading, LogParameterWriter& out) {
  for (const LogPageDescription& page : log_pages()) {
    if (page.subpage == 0 && has(reading.unit.unit(), page))
      out.raw().write_u8(static_cast<std::uint8_t>(page.code));
  }
}

// 00h/FFh
void produce_subpages(const LogReading& reading, LogParameterWriter& out) {
  for (const LogPageDescription& page : log_pages()) {
    if (!has(reading.unit.unit(), page)) continue;
    out.raw().write_u8(static_cast<std::uint8_t>(page.code));
    out.raw().write_u8(page.subpage);
  }
}

// 02h, 03h, 05h. A medium does not report corrected errors, so only the totals have values.
template <OpTotals (*totals)(const LogReading&)>
void produce_errors(const LogReading& reading, LogParameterWriter& out) {
  const OpTotals all = totals(reading);
  using spec::ErrorCounter;
  for (std::uint16_t code = 0; code <= static_cast<std::uint16_t>(ErrorCounter::total_uncorrected);
       ++code) {
    be64 value;
    if (static_cast<ErrorCounter>(code) == ErrorCounter::total_bytes_processed) value = all.bytes;
    if (static_cast<ErrorCounter>(code) == ErrorCounter::total_uncorrected) value = all.errors;
    out.write(code, Header::kBoundedCounter, value);
  }
}

// 0Ch. How many more blocks could be mapped is unknown: it depends on the storage below.
void produce_provisioning(const LogReading& reading, LogParameterWriter& out) {
  const unsigned exponent = threshold_exponent(reading.unit.state().capacity_blocks);
  const std::uint64_t set = std::uint64_t{1} << exponent;
  spec::ProvisioningParameter used;
  used.resource_count = static_cast<std::uint32_t>((reading.mapped_blocks + set - 1) / set);
  used.scope = used.kDedicated;
  out.write(spec::kUsedLbaMappingResources, Header::kBinaryList, used);
}

// 0Dh: no temperature is measured, and the page can say so.
void produce_temperature(const LogReading& reading, LogParameterWriter& out) {
  (void)reading;
  out.write(0, Header::kBinaryList, spec::TemperatureParameter{});
}

// 0Eh
void produce_cycles(const LogReading& reading, LogParameterWriter& out) {
  const be32 cycles(reading.unit.state().condition.start_stop_cycles);
  out.write(spec::kAccumulatedStartStopCycles, Header::kBinaryList, cycles);
}

// 10h
spec::SelfTestParameter parameter_of(const SelfTestResult& result) {
  spec::SelfTestParameter parameter;
  parameter.code_and_results = static_cast<std::uint8_t>(static_cast<unsigned>(result.code) << 5 |
                                                         static_cast<unsigned>(result.outcome));
  parameter.self_test_number = result.segment;
  parameter.accumulated_power_on_hours = result.power_on_hours;
  parameter.address_of_first_failure = result.first_failure.value_or(parameter.kNoAddress);
  parameter.sense_key = static_cast<std::uint8_t>(result.sense.key);
  parameter.additional_sense_code = asc(result.sense.additional);
  parameter.additional_sense_code_qualifier = ascq(result.sense.additional);
  return parameter;
}

void produce_self_tests(const LogReading& reading, LogParameterWriter& out) {
  const SelfTestLog* log = reading.unit.state().self_tests.get();
  for (std::uint16_t i = 0; i < spec::kSelfTestResults; ++i) {
    const bool used = log != nullptr && i < log->recent.size();
    out.write(static_cast<std::uint16_t>(i + 1), Header::kBinaryList,
              used ? parameter_of(log->recent[i]) : spec::SelfTestParameter{});
  }
}

// 19h. Concurrent commands are not weighted.
void produce_statistics(const LogReading& reading, LogParameterWriter& out) {
  constexpr std::uint64_t kNsAnInterval = 1000;
  const unsigned shift = reading.unit.unit().block_shift();
  const OpTotals in = written(reading);
  const OpTotals from = read(reading);
  spec::StatisticsParameter statistics;
  statistics.read_commands = from.operations;
  statistics.write_commands = in.operations;
  statistics.logical_blocks_received = in.bytes >> shift;
  statistics.logical_blocks_transmitted = from.bytes >> shift;
  statistics.read_command_processing_intervals = from.time_ns / kNsAnInterval;
  statistics.write_command_processing_intervals = in.time_ns / kNsAnInterval;
  out.write(spec::kStatistics, Header::kUnboundedCounter, statistics);
  spec::TimeIntervalParameter microsecond;
  microsecond.exponent = 6U;
  microsecond.integer = 1U;
  out.write(spec::kTimeInterval, Header::kBinaryList, microsecond);
}

// 2Fh
void produce_exceptions(const LogReading& reading, LogParameterWriter& out) {
  spec::InformationalExceptionsParameter parameter;
  if (const auto exception = reading.unit.state().mode.informational_exception()) {
    parameter.additional_sense_code = asc(*exception);
    parameter.additional_sense_code_qualifier = ascq(*exception);
  }
  out.write(0, Header::kBinaryList, parameter);
}

constexpr std::uint16_t kLastErrorCounter =
    static_cast<std::uint16_t>(spec::ErrorCounter::total_uncorrected);

constexpr std::array<LogPageDescription, kLogPages> kPages = {{
    {LogPage::supported_pages, 0, 0, false, produce_pages},
    {LogPage::supported_pages, spec::kAllLogSubpages, 0, false, produce_subpages},
    {LogPage::write_error_counters, 0, kLastErrorCounter, true, produce_errors<written>},
    {LogPage::read_error_counters, 0, kLastErrorCounter, true, produce_errors<read>},
    {LogPage::verify_error_counters, 0, kLastErrorCounter, true, produce_errors<compared>},
    {LogPage::logical_block_provisioning, 0, spec::kUsedLbaMappingResources, false,
     produce_provisioning, true},
    {LogPage::temperature, 0, 0, false, produce_temperature},
    {LogPage::start_stop_cycle_counter, 0, spec::kAccumulatedStartStopCycles, false,
     produce_cycles},
    {LogPage::self_test_results, 0, spec::kSelfTestResults, false, produce_self_tests},
    {LogPage::general_statistics_and_performance, 0, spec::kTimeInterval, true, produce_statistics},
    {LogPage::informational_exceptions, 0, 0, false, produce_exceptions},
}};
static_assert(std::ranges::is_sorted(kPages, {}, [](const LogPageDescription& page) {
  return std::pair(page.code, page.subpage);
}));

}  // namespace

std::span<const LogPageDescription, kLogPages> log_pages() { return kPages; }

const LogPageDescription* find_log_page(const LogicalUnit& unit, std::uint8_t code,
                                        std::uint8_t subpage) {
  for (const LogPageDescription& page : kPages) {
    const bool wanted = static_cast<std::uint8_t>(page.code) == code && page.subpage == subpage;
    if (wanted && has(unit, page)) return &page;
  }
  return nullptr;
}

OpCounters read_counters(const LogicalUnit& unit) {
  OpCounters counters;
  for (std::size_t op = 0; op < counters.size(); ++op)
    counters[op] = unit.disk().statistics().totals(static_cast<Op>(op));
  return counters;
}

LogReading read_log(const LogicalUnitShard& unit, const LogPageDescription& page, bool defaults) {
  LogReading reading{unit, {}};
  if (defaults) return reading;
  reading.counters = read_counters(unit.unit());
  const std::shared_ptr<const LogBaselines>& baselines = unit.state().log_baselines;
  if (baselines == nullptr) return reading;
  const auto row = static_cast<std::size_t>(&page - kPages.data());
  for (std::size_t op = 0; op < reading.counters.size(); ++op) {
    OpTotals& now = reading.counters[op];
    const OpTotals& then = baselines->pages[row][op];
    now.operations -= then.operations;
    now.bytes -= then.bytes;
    now.errors -= then.errors;
    now.time_ns -= then.time_ns;
  }
  return reading;
}

}  // namespace lunar::scsi

// LOG SENSE and LOG SELECT (SPC-5 §6.9, §6.10).
#include <algorithm>

#include "scsi/blocks/allocation.h"
#include "scsi/core/command_description.h"
#include "scsi/core/parameter_data.h"
#include "scsi/reports/log_pages.h"
#include "scsi/reports/report_commands.h"
#include "scsi/spec/cdb_structs.h"

namespace lunar::scsi {
namespace {

using spec::AdditionalSense;
using spec::LogPageControl;
using spec::LogPageHeader;
using spec::LogSelectCdb;
using spec::LogSenseCdb;
using spec::Sense;

constexpr std::uint8_t kPageControlBit = 7;
constexpr std::uint8_t kPageCodeBit = 5;
constexpr std::uint8_t kPcrBit = 1;

const LogPageDescription* find(const Command& command, std::uint8_t code, std::uint8_t subpage) {
  return find_log_page(command.unit->unit(), code, subpage);
}

// The field pointer names the page code, or the subpage code if the page is known.
template <class Cdb>
bool refuse_page(Command& command, const Cdb& cdb) {
  if (cdb.subpage_code != 0 && find(command, cdb.page_code(), 0) != nullptr)
    return refuse(command, Sense::invalid_field_in_cdb(offsetof(Cdb, subpage_code)));
  return refuse(command, Sense::invalid_field_in_cdb(offsetof(Cdb, page), kPageCodeBit));
}

// ---- LOG SENSE

// Parameters have no thresholds. PC has no meaning for lists (SPC-5 §6.10).
bool has_values(const LogPageDescription& page, LogPageControl control) {
  if (!page.has_counters) return true;
  switch (control) {
    case LogPageControl::cumulative:
    case LogPageControl::default_cumulative: return true;
    case LogPageControl::threshold:
    case LogPageControl::default_threshold: break;
  }
  return false;
}

const LogPageDescription& page_of(const Command& command) {
  const auto cdb = cdb_of(command).as<LogSenseCdb>();
  return *find(command, cdb.page_code(), cdb.subpage_code);
}

LogReading read(const Command& command) {
  const auto control =
      static_cast<LogPageControl>(cdb_of(command).as<LogSenseCdb>().page_control());
  return read_log(*command.unit, page_of(command), control == LogPageControl::default_cumulative);
}

void write_page(const Command& command, const LogReading& reading, ByteWriter& out) {
  const auto cdb = cdb_of(command).as<LogSenseCdb>();
  const LogPageDescription& page = page_of(command);
  std::array<std::byte, kMaxLogPageBytes> room;
  ByteWriter body(room);
  LogParameterWriter parameters(body, cdb.parameter_pointer);
  page.produce(reading, parameters);
  LogPageHeader header;
  header.page_code = header.kDs | static_cast<std::uint8_t>(page.code);
  if (page.subpage != 0) header.page_code |= header.kSpf;
  header.subpage_code = page.subpage;
  header.page_length = static_cast<std::uint16_t>(body.stored());
  out.write(header);
  out.write_bytes(body.bytes());
}

void produce(Command& command, ByteWriter& out) { write_page(command, read(command), out); }

constexpr std::size_t kMaxBytes = sizeof(LogPageHeader) + kMaxLogPageBytes;

// Reads the allocation map before the rest.
engine::Task<void> sense_allocation(Command& command) {
  const std::uint64_t capacity = command.unit->state().capacity_blocks;
  const auto mapped = co_await count_mapped_blocks(command.unit->unit(), capacity);
  if (!mapped) {
    set_check_condition(command, Sense::of(spec::SenseKey::hardware_error,
                                           AdditionalSense::internal_target_failure));
    co_return;
  }
  const std::size_t room = std::min<std::size_t>(command.allocation_length, kMaxBytes);
  if (room == 0 || command.aborted) co_return;
  LogReading reading = read(command);
  reading.mapped_blocks = *mapped;
  command.buffer = co_await engine::AllocateBuffer(command.shard->buffers(), room);
  ByteWriter out(command.buffer.bytes().first(room));
  write_page(command, reading, out);
  command.data_in = out.bytes();
}

// ---- LOG SELECT

class LogReset final : public UnitChange {
 public:
  LogReset(const Command& command, const LogSelectCdb& cdb) : command_(command), cdb_(cdb) {}

  engine::Task<bool> decide(UnitState& next) override {
    const LogicalUnit& unit = command_.unit->unit();
    auto baselines = next.log_baselines == nullptr
                         ? std::make_shared<LogBaselines>()
                         : std::make_shared<LogBaselines>(*next.log_baselines);
    const OpCounters now = read_counters(unit);
    const auto pages = log_pages();
    for (std::size_t row = 0; row < pages.size(); ++row) {
      if (!selects(pages[row]) || !pages[row].has_counters) continue;
      baselines->pages[row] = now;
      changed_ = true;
    }
    if (changed_) next.log_baselines = std::move(baselines);
    co_return changed_;
  }
  void apply(LogicalUnitShard& part) override {
    part.raise(AdditionalSense::log_parameters_changed, command_.nexus);
  }

 private:
  // SPC-5 §6.9.2: page 00h means every page; subpage FFh every subpage of the page.
  [[nodiscard]] bool selects(const LogPageDescription& page) const {
    if (cdb_.page_code() == 0 && cdb_.subpage_code == 0) return true;
    const bool subpage =
        cdb_.subpage_code == spec::kAllLogSubpages || cdb_.subpage_code == page.subpage;
    return subpage && cdb_.page_code() == static_cast<std::uint8_t>(page.code);
  }

  const Command& command_;
  const LogSelectCdb cdb_;
  bool changed_ = false;
};

engine::Task<void> reset(Command& command) {
  LogReset change(command, cdb_of(command).as<LogSelectCdb>());
  (void)co_await command.unit->unit().change(change);
}

// A list may contain our pages without parameters, since no parameter can be set.
std::optional<Sense> check_list(const Command& command) {
  const Bytes list = command.data_out;
  ByteReader reader(list);
  while (reader.remaining() != 0) {
    const auto at = static_cast<std::uint16_t>(list.size() - reader.remaining());
    const auto header = reader.read<LogPageHeader>();
    if (!header || reader.remaining() < header->page_length)
      return Sense::illegal_request(AdditionalSense::parameter_list_length_error);
    const std::uint8_t code = header->page_code & LogPageHeader::kPageCodeMask;
    const LogPageDescription* page = find(command, code, header->subpage_code);
    if (page == nullptr || page->code == spec::LogPage::supported_pages)
      return Sense::invalid_field_in_parameter_list(at, kPageCodeBit);
    if (header->page_length != 0) {
      return Sense::invalid_field_in_parameter_list(
          static_cast<std::uint16_t>(at + sizeof(LogPageHeader)));
    }
  }
  return std::nullopt;
}

}  // namespace

bool decode_log_sense(Command& command) {
  const auto cdb = cdb_of(command).as<LogSenseCdb>();
  const LogPageDescription* page = find(command, cdb.page_code(), cdb.subpage_code);
  if (page == nullptr) return refuse_page(command, cdb);
  if (!has_values(*page, static_cast<LogPageControl>(cdb.page_control()))) {
    return refuse(command,
                  Sense::invalid_field_in_cdb(offsetof(LogSenseCdb, page), kPageControlBit));
  }
  if (cdb.parameter_pointer > page->last_parameter)
    return refuse(command, Sense::invalid_field_in_cdb(offsetof(LogSenseCdb, parameter_pointer)));
  command.allocation_length = cdb.allocation_length;
  return true;
}

void execute_log_sense(Command& command) {
  if (page_of(command).tells_allocation) return run_sequence(command, sense_allocation);
  respond<produce, kMaxBytes>(command);
}

bool decode_log_select(Command& command) {
  const auto cdb = cdb_of(command).as<LogSelectCdb>();
  const std::uint32_t length = cdb.parameter_list_length;
  // SPC-5 §6.9.1: a reset and a list are mutually exclusive. A list names its pages itself.
  if (length != 0 && cdb.pcr())
    return refuse(command, Sense::invalid_field_in_cdb(offsetof(LogSelectCdb, flags), kPcrBit));
  if (length != 0 && (cdb.page_code() != 0 || cdb.subpage_code != 0))
    return refuse_page(command, cdb);
  const bool of_all_subpages = cdb.subpage_code == spec::kAllLogSubpages;
  if (find(command, cdb.page_code(), of_all_subpages ? 0 : cdb.subpage_code) == nullptr)
    return refuse_page(command, cdb);
  command.data_out_bytes = length;
  if (length == 0) command.direction = DataDirection::none;
  return true;
}

void execute_log_select(Command& command) {
  const auto cdb = cdb_of(command).as<LogSelectCdb>();
  const bool resets = cdb.pcr() || static_cast<LogPageControl>(cdb.page_control()) ==
                                       LogPageControl::default_cumulative;
  if (command.data_out_bytes == 0 && resets) return run_sequence(command, reset);
  std::optional<Sense> fault = check_list(command);
  if (command.data_out.size() != command.data_out_bytes)
    fault = Sense::illegal_request(AdditionalSense::parameter_list_length_error);
  if (fault) set_check_condition(command, *fault);
  end_soon(command);
}

}  // namespace lunar::scsi

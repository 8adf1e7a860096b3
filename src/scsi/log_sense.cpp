// LOG SENSE and LOG SELECT (SPC-5 §6.9, §6.10).
#include <bit>

#include "scsi/command_table.h"
#include "scsi/commands.h"
#include "scsi/log_pages.h"
#include "scsi/parameter_data.h"
#include "scsi/spec/cdb_structs.h"

namespace lunar::scsi {
namespace {

using spec::LogPageControl;
using spec::LogPageHeader;
using spec::LogSelectCdb;
using spec::LogSenseCdb;
using spec::Sense;

constexpr std::uint8_t kPageControlBit = 7;
constexpr std::uint8_t kPageCodeBit = 5;
constexpr std::uint8_t kPcrBit = 1;

// Points at the page code, or at the subpage code of a page that is known.
template <class Cdb>
bool refuse_page(Command& command, const Cdb& cdb) {
  if (cdb.subpage_code != 0 && find_log_page(cdb.page_code(), 0) != nullptr)
    return refuse(command, Sense::invalid_field_in_cdb(offsetof(Cdb, subpage_code)));
  return refuse(command, Sense::invalid_field_in_cdb(offsetof(Cdb, page), kPageCodeBit));
}

// ---- LOG SENSE

// No parameter has a threshold. For lists PC means nothing (SPC-5 §6.10).
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

void produce(Command& command, ByteWriter& out) {
  const auto cdb = cdb_of(command).as<LogSenseCdb>();
  const LogPageDescription& page = *find_log_page(cdb.page_code(), cdb.subpage_code);
  const auto control = static_cast<LogPageControl>(cdb.page_control());
  std::array<std::byte, kMaxLogPageBytes> room;
  ByteWriter body(room);
  LogParameterWriter parameters(body, cdb.parameter_pointer);
  page.produce(read_log(*command.unit, page, control == LogPageControl::default_cumulative),
               parameters);
  LogPageHeader header;
  header.page_code = header.kDs | static_cast<std::uint8_t>(page.code);
  if (page.subpage != 0) header.page_code |= header.kSpf;
  header.subpage_code = page.subpage;
  header.page_length = static_cast<std::uint16_t>(body.stored());
  out.write(header);
  out.write_bytes(body.bytes());
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
    part.raise(spec::AdditionalSense::log_parameters_changed, command_.nexus);
  }

 private:
  // SPC-5 §6.9.2: page 00h is every page; subpage FFh every subpage of the page.
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

// What a list may hold: pages of ours without parameters, since no parameter can be set.
std::optional<Sense> check_list(Bytes list) {
  ByteReader reader(list);
  while (reader.remaining() != 0) {
    const auto at = static_cast<std::uint16_t>(list.size() - reader.remaining());
    const auto header = reader.read<LogPageHeader>();
    if (!header || reader.remaining() < header->page_length)
      return Sense::illegal_request(spec::AdditionalSense::parameter_list_length_error);
    const std::uint8_t code = header->page_code & LogPageHeader::kPageCodeMask;
    const LogPageDescription* page = find_log_page(code, header->subpage_code);
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
  const LogPageDescription* page = find_log_page(cdb.page_code(), cdb.subpage_code);
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
  respond<produce, sizeof(LogPageHeader) + kMaxLogPageBytes>(command);
}

bool decode_log_select(Command& command) {
  const auto cdb = cdb_of(command).as<LogSelectCdb>();
  const std::uint32_t length = cdb.parameter_list_length;
  // SPC-5 §6.9.1: a reset and a list exclude each other; a list names its pages itself.
  if (length != 0 && cdb.pcr())
    return refuse(command, Sense::invalid_field_in_cdb(offsetof(LogSelectCdb, flags), kPcrBit));
  if (length != 0 && (cdb.page_code() != 0 || cdb.subpage_code != 0))
    return refuse_page(command, cdb);
  const bool of_all_subpages = cdb.subpage_code == spec::kAllLogSubpages;
  if (find_log_page(cdb.page_code(), of_all_subpages ? 0 : cdb.subpage_code) == nullptr)
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
  std::optional<Sense> fault = check_list(command.data_out);
  if (command.data_out.size() != command.data_out_bytes)
    fault = Sense::illegal_request(spec::AdditionalSense::parameter_list_length_error);
  if (fault) set_check_condition(command, *fault);
  end_soon(command);
}

}  // namespace lunar::scsi

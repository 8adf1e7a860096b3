// SEND DIAGNOSTIC, RECEIVE DIAGNOSTIC RESULTS (SPC-5 §6.42, §6.26).
#include <array>

#include "scsi/core/completion.h"
#include "scsi/core/logical_unit.h"
#include "scsi/core/parameter_data.h"
#include "scsi/diagnostics/diagnostic_commands.h"
#include "scsi/diagnostics/medium_read.h"
#include "scsi/diagnostics/self_tests.h"
#include "scsi/spec/diagnostics.h"

namespace lunar::scsi {
namespace {

using spec::AdditionalSense;
using spec::DiagnosticPageHeader;
using spec::ReceiveDiagnosticResultsCdb;
using spec::SelfTestCode;
using spec::SendDiagnosticCdb;
using spec::Sense;

// The default self-test: reads the first, the middle and the last block.
engine::Task<void> default_self_test(Command& command) {
  // SPC-5 §5.15.4.3: one self-test at a time.
  if (const auto& other = command.unit->state().condition.self_test; other != nullptr) {
    set_check_condition(command, other->in_progress());
    co_return;
  }
  const std::uint64_t capacity = command.unit->state().capacity_blocks;
  const Behalf behalf = on_behalf_of(command);
  const auto memory = co_await take_memory(behalf, command.unit->unit().block_size());
  for (const std::uint64_t lba : {std::uint64_t{0}, capacity / 2, capacity - 1}) {
    block::Status status = block::Status::aborted;
    if (memory != nullptr) status = co_await read_medium(behalf, {Lba(lba), BlockCount(1)}, memory);
    if (status == block::Status::ok) continue;
    if (command.withdrawn != nullptr) {
      set_check_condition(command, *command.withdrawn);
    } else {
      set_check_condition(
          command, Sense::of(spec::SenseKey::hardware_error, AdditionalSense::lu_failed_self_test));
    }
    co_return;
  }
}

// The only page is the list of pages. It takes no parameters (SPC-5 §7.2.2).
bool check_page(Command& command) {
  const auto header = load<DiagnosticPageHeader>(command.data_out);
  if (!header || command.data_out.size() != command.data_out_bytes)
    return refuse(command, Sense::illegal_request(AdditionalSense::parameter_list_length_error));
  if (header->page_code != spec::kSupportedDiagnosticPages)
    return refuse(command, Sense::invalid_field_in_parameter_list(0));
  if (header->page_length_bytes != 0)
    return refuse(command, Sense::invalid_field_in_parameter_list(2));
  return true;
}

void produce_supported_pages(Command& command, ByteWriter& out) {
  (void)command;
  constexpr std::array<std::uint8_t, 1> kPages{spec::kSupportedDiagnosticPages};
  DiagnosticPageHeader header;
  header.page_code = spec::kSupportedDiagnosticPages;
  header.page_length_bytes = static_cast<std::uint16_t>(kPages.size());
  out.write(header);
  for (const std::uint8_t page : kPages) out.write_u8(page);
}
constexpr std::size_t kMaxDiagnosticBytes = 64;

bool is_known(std::uint8_t self_test_code) {
  switch (static_cast<SelfTestCode>(self_test_code)) {
    case SelfTestCode::none:
    case SelfTestCode::background_short:
    case SelfTestCode::background_extended:
    case SelfTestCode::abort_background:
    case SelfTestCode::foreground_short:
    case SelfTestCode::foreground_extended: return true;
  }
  return false;
}

}  // namespace

bool decode_send_diagnostic(Command& command) {
  const auto cdb = cdb_of(command).as<SendDiagnosticCdb>();
  const std::uint16_t length = cdb.parameter_list_length;
  const bool has_code = cdb.self_test_code() != 0;
  if (has_code && (cdb.self_test() || !is_known(cdb.self_test_code())))
    return refuse(command, Sense::invalid_field_in_cdb(1, std::uint8_t{7}));
  // SPC-5 §6.42: a self-test takes no parameters, and parameters must be pages.
  if (length != 0 && (has_code || cdb.self_test() || !cdb.page_format())) {
    return refuse(command,
                  Sense::invalid_field_in_cdb(offsetof(SendDiagnosticCdb, parameter_list_length)));
  }
  command.data_out_bytes = length;
  if (length == 0) command.direction = DataDirection::none;
  return true;
}

void execute_send_diagnostic(Command& command) {
  const auto cdb = cdb_of(command).as<SendDiagnosticCdb>();
  if (cdb.self_test()) return run_sequence(command, default_self_test);
  switch (static_cast<SelfTestCode>(cdb.self_test_code())) {
    case SelfTestCode::none: break;
    case SelfTestCode::background_short:
    case SelfTestCode::background_extended:
    case SelfTestCode::foreground_short:
    case SelfTestCode::foreground_extended: return run_sequence(command, run_self_test);
    case SelfTestCode::abort_background: return run_sequence(command, abort_background_self_test);
  }
  if (command.data_out_bytes != 0) (void)check_page(command);
  end_soon(command);
}

bool decode_receive_diagnostic_results(Command& command) {
  const auto cdb = cdb_of(command).as<ReceiveDiagnosticResultsCdb>();
  command.allocation_length = cdb.allocation_length;
  // Without PCV: returns the page of the last SEND DIAGNOSTIC, which can only be this one.
  const bool known = cdb.page_code == spec::kSupportedDiagnosticPages;
  return known || refuse(command, Sense::invalid_field_in_cdb(
                                      offsetof(ReceiveDiagnosticResultsCdb, page_code)));
}

void execute_receive_diagnostic_results(Command& command) {
  respond<produce_supported_pages, kMaxDiagnosticBytes>(command);
}

}  // namespace lunar::scsi

#include "scsi/modes/mode_pages.h"

#include <algorithm>
#include <array>
#include <utility>

#include "scsi/core/logical_unit.h"
#include "scsi/diagnostics/self_tests.h"

namespace lunar::scsi {
namespace {

using spec::ModePage;

// SPC-5, Informational Exceptions Control mode page: refuses TEST with DEXCPT, and methods of
// reporting that are not supported.
std::optional<ModePageFault> check_informational_exceptions(const ModeParameters& values) {
  const auto& page = values.informational_exceptions;
  const auto both = static_cast<std::uint8_t>(page.kTest | page.kDexcpt);
  if ((page.flags & both) == both) return ModePageFault{2, 2};
  switch (values.method_of_reporting()) {
    case spec::MethodOfReporting::none:
    case spec::MethodOfReporting::unit_attention:
    case spec::MethodOfReporting::on_request: return std::nullopt;
    case spec::MethodOfReporting::recovered_error_if_allowed:
    case spec::MethodOfReporting::recovered_error:
    case spec::MethodOfReporting::no_sense: break;
  }
  return ModePageFault{3, 3};
}

// SPC-5 §7.5.11: QERR 10b and UA_INTLCK_CTRL 01b are reserved.
std::optional<ModePageFault> check_control(const ModeParameters& values) {
  constexpr std::uint8_t kReserved = 0x04;
  const spec::ControlPage& page = values.control;
  if ((page.flags3 & page.kQerrMask) == kReserved) return ModePageFault{3, 2};
  if ((page.flags4 & page.kUaIntlckCtrlMask) == page.kUaIntlckReserved) return ModePageFault{4, 5};
  return std::nullopt;
}

template <auto member>
MutableBytes page_in(ModeParameters& values) {
  auto& page = values.*member;
  return std::as_writable_bytes(std::span(&page, 1));
}

template <auto member>
constexpr ModePageDescription row(
    ModePage code, std::uint8_t subpage = 0,
    std::optional<ModePageFault> (*check)(const ModeParameters&) = nullptr) {
  constexpr std::size_t kBytes = sizeof(std::declval<ModeParameters&>().*member);
  return {code, subpage, static_cast<std::uint8_t>(kBytes), page_in<member>, check};
}

constexpr auto kPages = std::to_array<ModePageDescription>({
    row<&ModeParameters::error_recovery>(ModePage::read_write_error_recovery),
    row<&ModeParameters::caching>(ModePage::caching),
    row<&ModeParameters::control>(ModePage::control, 0, check_control),
    row<&ModeParameters::control_extension>(ModePage::control, spec::kControlExtensionSubpage),
    row<&ModeParameters::power_condition>(ModePage::power_condition),
    row<&ModeParameters::informational_exceptions>(ModePage::informational_exceptions_control, 0,
                                                   check_informational_exceptions),
});
static_assert(std::ranges::is_sorted(kPages, {}, [](const ModePageDescription& page) {
  return std::pair(page.code, page.subpage);
}));

}  // namespace

std::span<const ModePageDescription> mode_pages() { return kPages; }

const ModePageDescription* find_mode_page(std::uint8_t code, std::uint8_t subpage) {
  for (const ModePageDescription& page : kPages) {
    if (static_cast<std::uint8_t>(page.code) == code && page.subpage == subpage) return &page;
  }
  return nullptr;
}

bool ModePageSelection::matches(const ModePageDescription& description) const {
  const bool every_page = page == static_cast<std::uint8_t>(ModePage::all_pages);
  const bool every_subpage = subpage == spec::kAllSubpages;
  return (every_page || page == static_cast<std::uint8_t>(description.code)) &&
         (every_subpage || subpage == description.subpage);
}

ModeParameters changeable_mode_parameters(const LogicalUnit& unit) {
  ModeParameters mask;
  // Without a volatile cache, every write is durable when it ends in GOOD, and this cannot be
  // changed.
  if (unit.volatile_cache()) mask.caching.flags = mask.caching.kWce;
  mask.control.flags2 = mask.control.kTstPerNexus | mask.control.kDSense;
  mask.control.flags3 = mask.control.kQerrMask;
  mask.control.flags4 = mask.control.kUaIntlckCtrlMask | mask.control.kSwp;
  mask.control.flags5 = mask.control.kTas;
  mask.control_extension.initial_command_priority = mask.control_extension.kPriorityMask;
  if (unit.has_protection_room()) {
    mask.control.flags2 |= mask.control.kDpicz;
    mask.control.flags5 |= mask.control.kAto;
  }
  mask.informational_exceptions.flags =
      mask.informational_exceptions.kDexcpt | mask.informational_exceptions.kTest;
  mask.informational_exceptions.method_of_reporting = mask.informational_exceptions.kMrieMask;
  return mask;
}

void tell_self_test_time(ModeParameters& values, std::uint64_t capacity_bytes) {
  // SPC-5 §7.5.11: FFFFh means this or longer; VPD page 86h gives the exact time.
  values.control.extended_self_test_completion_time_s = static_cast<std::uint16_t>(
      std::min<std::uint64_t>(extended_self_test_seconds(capacity_bytes), UINT16_MAX));
}

}  // namespace lunar::scsi

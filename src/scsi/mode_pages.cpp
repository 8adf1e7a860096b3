#include "scsi/mode_pages.h"

#include <algorithm>
#include <array>

namespace lunar::scsi {
namespace {

using spec::ModePage;

void produce_error_recovery(const LogicalUnitShard& unit, ByteWriter& out) {
  (void)unit;
  spec::ReadWriteErrorRecoveryPage page;
  // Blocks that fail are the medium's to relocate, and it does so by itself.
  page.flags = page.kAwre | page.kArre;
  out.write(page);
}

void produce_caching(const LogicalUnitShard& unit, ByteWriter& out) {
  spec::CachingPage page;
  if (unit.unit().volatile_cache()) page.flags = page.kWce;
  out.write(page);
}

void produce_control(const LogicalUnitShard& unit, ByteWriter& out) {
  (void)unit;
  spec::ControlPage page;
  page.flags2 = page.kTstPerNexus;
  page.flags3 = page.kUnrestrictedReordering;
  out.write(page);
}

void produce_informational_exceptions(const LogicalUnitShard& unit, ByteWriter& out) {
  (void)unit;
  spec::InformationalExceptionsControlPage page;
  page.flags = page.kDexcpt;
  out.write(page);
}

template <class Page>
constexpr ModePageDescription row(ModePage code,
                                  void (*produce)(const LogicalUnitShard&, ByteWriter&)) {
  return {code, 0, produce, sizeof(Page), sizeof(spec::ModePageHeader)};
}

constexpr auto kPages = std::to_array<ModePageDescription>({
    row<spec::ReadWriteErrorRecoveryPage>(ModePage::read_write_error_recovery,
                                          produce_error_recovery),
    row<spec::CachingPage>(ModePage::caching, produce_caching),
    row<spec::ControlPage>(ModePage::control, produce_control),
    row<spec::InformationalExceptionsControlPage>(ModePage::informational_exceptions_control,
                                                  produce_informational_exceptions),
});
static_assert(std::ranges::is_sorted(kPages, {}, &ModePageDescription::code));

constexpr std::size_t kMaxPageBytes = 64;
static_assert(std::ranges::all_of(kPages,
                                  [](const auto& page) { return page.bytes <= kMaxPageBytes; }));

// The mask of what MODE SELECT could change: a header, and zeroes.
void write_changeable(const LogicalUnitShard& unit, const ModePageDescription& page,
                      ByteWriter& out) {
  std::array<std::byte, kMaxPageBytes> room{};
  ByteWriter whole(room);
  page.produce(unit, whole);
  out.write_bytes(whole.bytes().first(page.header_bytes));
  out.write_zeroes(page.bytes - page.header_bytes);
}

}  // namespace

std::span<const ModePageDescription> mode_pages() { return kPages; }

bool ModePageSelection::matches(const ModePageDescription& description) const {
  const bool every_page = page == static_cast<std::uint8_t>(ModePage::all_pages);
  const bool every_subpage = subpage == spec::kAllSubpages;
  return (every_page || page == static_cast<std::uint8_t>(description.code)) &&
         (every_subpage || subpage == description.subpage);
}

void write_mode_pages(const LogicalUnitShard& unit, ModePageSelection selection,
                      spec::PageControl control, ByteWriter& out) {
  for (const ModePageDescription& page : kPages) {
    if (!selection.matches(page)) continue;
    if (control == spec::PageControl::changeable) {
      write_changeable(unit, page, out);
    } else {
      page.produce(unit, out);
    }
  }
}

}  // namespace lunar::scsi

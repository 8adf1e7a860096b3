#include "scsi/modes/mode_store.h"

#include <algorithm>
#include <string>
#include <utility>

#include "scsi/core/logical_unit.h"
#include "scsi/modes/mode_pages.h"

namespace lunar::scsi {
namespace {

constexpr std::uint32_t kVersion = 1;
constexpr std::string_view kPage = "page";

// Takes over the changeable bits.
void merge(Bytes body, Bytes mask, MutableBytes values) {
  for (std::size_t i = 0; i < body.size(); ++i)
    values[i] = (values[i] & ~mask[i]) | (body[i] & mask[i]);
}

// False: the entry is not a valid page.
bool take_page(const state::Entry& entry, ModeParameters& changeable, ModeParameters& values) {
  const auto code = entry.number("code", spec::kModePageCodeMask);
  const auto subpage = entry.number("subpage", UINT8_MAX);
  const auto body = entry.hex("values");
  if (!code || !subpage || !body) return false;
  const ModePageDescription* page =
      find_mode_page(static_cast<std::uint8_t>(*code), static_cast<std::uint8_t>(*subpage));
  if (page == nullptr || page->bytes != page->header_bytes() + body->size())
    return true;  // unknown page: ignored
  merge(as_bytes(std::string_view(*body)), page->in(changeable).subspan(page->header_bytes()),
        page->in(values).subspan(page->header_bytes()));
  return true;
}

}  // namespace

state::Record to_record(const ModeParameters& values) {
  ModeParameters copy = values;
  state::Record record{.version = kVersion};
  for (const ModePageDescription& page : mode_pages()) {
    record.add(kPage)
        .set_number("code", static_cast<std::uint64_t>(page.code))
        .set_number("subpage", page.subpage)
        .set_hex("values", as_text(page.in(copy).subspan(page.header_bytes())));
  }
  return record;
}

engine::Task<Result<void>> save_mode_parameters(const LogicalUnit& unit,
                                                const ModeParameters& values) {
  return unit.save(kModePagesKey, to_record(values));
}

Result<void> restore_mode_parameters(LogicalUnit& unit, UnitState& state,
                                     const state::Record& kept) {
  const std::string whose = "the mode pages that were kept of device " + unit.device().name();
  if (const auto known = kept.check_version(kVersion); !known) return wrap(known.error(), whose);
  ModeParameters values = state.mode;
  ModeParameters changeable = changeable_mode_parameters(unit);
  for (const state::Entry& entry : kept.entries) {
    if (entry.name() == kPage && !take_page(entry, changeable, values))
      return fail(ErrorCode::malformed, whose + ": they are not in the form that lunar writes");
  }
  state.mode = state.saved_mode = values;
  return {};
}

}  // namespace lunar::scsi

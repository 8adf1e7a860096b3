#include "scsi/modes/mode_store.h"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "scsi/core/logical_unit.h"
#include "scsi/modes/mode_pages.h"

namespace lunar::scsi {
namespace {

// Takes over the bits that can be changed.
void merge(Bytes body, Bytes mask, MutableBytes values) {
  for (std::size_t i = 0; i < body.size(); ++i)
    values[i] = (values[i] & ~mask[i]) | (body[i] & mask[i]);
}

// One page of the list. False: this is no page.
bool take_page(ByteReader& reader, ModeParameters& changeable, ModeParameters& values) {
  const auto header = reader.read<spec::ModePageHeader>();
  if (!header) return false;
  std::uint8_t subpage = 0;
  std::size_t length = header->page_length;
  if ((header->page_code & spec::kModePageSpf) != 0) {
    const auto rest = reader.read<be16>();
    if (!rest) return false;
    subpage = header->page_length;  // where a subpage has its SUBPAGE CODE
    length = *rest;
  }
  const auto body = reader.read_bytes(length);
  if (!body) return false;
  const ModePageDescription* page =
      find_mode_page(header->page_code & spec::kModePageCodeMask, subpage);
  if (page == nullptr || page->bytes != page->header_bytes() + length) return true;  // a stranger
  merge(*body, page->in(changeable).subspan(page->header_bytes()),
        page->in(values).subspan(page->header_bytes()));
  return true;
}

}  // namespace

engine::Task<Result<void>> save_mode_parameters(const LogicalUnit& unit,
                                                const ModeParameters& values) {
  ModeParameters copy = values;
  std::string text;
  for (const ModePageDescription& page : mode_pages()) text += as_text(page.in(copy));
  return unit.save(kModePagesKey, std::move(text));
}

Result<void> restore_mode_parameters(LogicalUnit& unit, UnitState& state, std::string_view kept) {
  ModeParameters values = state.mode;
  ModeParameters changeable = changeable_mode_parameters(unit);
  ByteReader reader(as_bytes(kept));
  while (reader.remaining() != 0) {
    if (!take_page(reader, changeable, values)) {
      return fail(
          ErrorCode::malformed,
          fmt::format("the saved mode pages of device {} are damaged: "
                      "remove the value {} of {} to start with the defaults",
                      unit.device().name(), kModePagesKey, unit.device().uuid().to_string()));
    }
  }
  state.mode = state.saved_mode = values;
  return {};
}

}  // namespace lunar::scsi

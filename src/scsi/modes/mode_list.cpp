#include "scsi/modes/mode_list.h"

#include <bit>

#include "scsi/modes/mode_pages.h"

namespace lunar::scsi {
namespace {

using spec::Sense;

constexpr std::size_t kPageLengthByte = offsetof(spec::ModePageHeader, page_length);
constexpr std::size_t kSubpageCodeByte = offsetof(spec::ModeSubpageHeader, subpage_code);
constexpr std::size_t kSubpageLengthByte = offsetof(spec::ModeSubpageHeader, page_length);

Sense length_error() {
  return Sense::illegal_request(spec::AdditionalSense::parameter_list_length_error);
}

Sense invalid_field(std::size_t byte, std::optional<std::uint8_t> bit = std::nullopt) {
  return Sense::invalid_field_in_parameter_list(static_cast<std::uint16_t>(byte), bit);
}

// Applies one list to one set of values.
class ModeList {
 public:
  ModeList(Bytes list, const ModeListContext& context, ModeParameters& values)
      : list_(list), reader_(list), context_(context), values_(values) {}

  std::optional<Sense> apply(ModeListForm form) {
    std::size_t descriptor_bytes = 0;
    bool long_lba = false;
    switch (form) {
      case ModeListForm::six_bytes: {
        const auto header = reader_.read<spec::ModeParameterHeader6>();
        if (!header) return length_error();
        if (auto fault = check_header(*header)) return fault;
        descriptor_bytes = header->block_descriptor_length;
        descriptor_length_byte_ = offsetof(spec::ModeParameterHeader6, block_descriptor_length);
        break;
      }
      case ModeListForm::ten_bytes: {
        const auto header = reader_.read<spec::ModeParameterHeader10>();
        if (!header) return length_error();
        if (auto fault = check_header(*header)) return fault;
        if ((header->flags & ~header->kLongLba) != 0)
          return invalid_field(offsetof(spec::ModeParameterHeader10, flags));
        long_lba = (header->flags & header->kLongLba) != 0;
        descriptor_bytes = header->block_descriptor_length;
        descriptor_length_byte_ = offsetof(spec::ModeParameterHeader10, block_descriptor_length);
        break;
      }
    }
    if (auto fault = take_block_descriptor(descriptor_bytes, long_lba)) return fault;
    while (reader_.remaining() != 0) {
      if (auto fault = take_page()) return fault;
    }
    return std::nullopt;
  }

 private:
  [[nodiscard]] std::size_t position() const { return list_.size() - reader_.remaining(); }

  // MODE DATA LENGTH is reserved here, but initiators send back what MODE SENSE returned. The same
  // is true of WP and DPOFUA, which are not defined for MODE SELECT (SBC-4 §6.5.1).
  template <class Header>
  static std::optional<Sense> check_header(const Header& header) {
    if (header.medium_type != 0) return invalid_field(offsetof(Header, medium_type));
    constexpr std::uint8_t kIgnored = spec::kModeWriteProtected | spec::kModeDpoFua;
    if ((header.device_specific_parameter & ~kIgnored) != 0)
      return invalid_field(offsetof(Header, device_specific_parameter));
    return std::nullopt;
  }

  // SBC-4 §6.5.2: capacity and block length cannot change. A descriptor is accepted
  // if it has the current values; the number of blocks may also be zero or all ones.
  template <class Descriptor, std::uint64_t all>
  std::optional<Sense> take_descriptor() {
    const std::size_t at = position();
    const auto descriptor = reader_.read<Descriptor>();
    if (!descriptor) return length_error();
    const std::uint64_t blocks = descriptor->number_of_logical_blocks;
    if (blocks != 0 && blocks != all && blocks != context_.capacity_blocks)
      return invalid_field(at + offsetof(Descriptor, number_of_logical_blocks));
    if (descriptor->logical_block_length_bytes != context_.block_size)
      return invalid_field(at + offsetof(Descriptor, logical_block_length_bytes));
    return std::nullopt;
  }
  std::optional<Sense> take_block_descriptor(std::size_t bytes, bool long_lba) {
    if (bytes == 0) return std::nullopt;
    if (long_lba && bytes == sizeof(spec::LongLbaBlockDescriptor))
      return take_descriptor<spec::LongLbaBlockDescriptor, UINT64_MAX>();
    if (!long_lba && bytes == sizeof(spec::ShortLbaBlockDescriptor))
      return take_descriptor<spec::ShortLbaBlockDescriptor, UINT32_MAX>();
    return invalid_field(descriptor_length_byte_);
  }

  std::optional<Sense> take_page() {
    const std::size_t at = position();
    const auto header = reader_.read<spec::ModePageHeader>();
    if (!header) return length_error();
    const bool is_subpage = (header->page_code & spec::kModePageSpf) != 0;
    std::uint8_t subpage = 0;
    std::size_t length = header->page_length;
    if (is_subpage) {
      const auto rest = reader_.read<be16>();
      if (!rest) return length_error();
      subpage = header->page_length;  // at the offset of SUBPAGE CODE in a subpage
      length = *rest;
    }
    const std::uint8_t code = header->page_code & spec::kModePageCodeMask;
    const ModePageDescription* page = find_mode_page(code, subpage);
    if (page == nullptr || page->is_subpage() != is_subpage) {
      const bool code_known = find_mode_page(code, 0) != nullptr;
      if (is_subpage && code_known) return invalid_field(at + kSubpageCodeByte);
      return invalid_field(at, std::uint8_t{5});
    }
    if (length != page->bytes - page->header_bytes())
      return invalid_field(at + (is_subpage ? kSubpageLengthByte : kPageLengthByte));
    const auto body = reader_.read_bytes(length);
    if (!body) return length_error();
    return take_values(*page, at, *body);
  }

  std::optional<Sense> take_values(const ModePageDescription& page, std::size_t at, Bytes body) {
    ModeParameters changeable = context_.changeable;
    const Bytes mask = page.in(changeable).subspan(page.header_bytes());
    const MutableBytes present = page.in(values_).subspan(page.header_bytes());
    for (std::size_t i = 0; i < body.size(); ++i) {
      const auto fixed = static_cast<std::uint8_t>((body[i] ^ present[i]) & ~mask[i]);
      if (fixed != 0) {
        return invalid_field(at + page.header_bytes() + i,
                             static_cast<std::uint8_t>(std::bit_width(fixed) - 1));
      }
      present[i] = body[i];
    }
    if (page.check == nullptr) return std::nullopt;
    const std::optional<ModePageFault> fault = page.check(values_);
    if (!fault) return std::nullopt;
    return invalid_field(at + fault->byte, fault->bit);
  }

  Bytes list_;
  ByteReader reader_;
  const ModeListContext& context_;
  ModeParameters& values_;
  std::size_t descriptor_length_byte_ = 0;
};

}  // namespace

std::optional<Sense> apply_mode_list(Bytes list, ModeListForm form, const ModeListContext& context,
                                     ModeParameters& values) {
  ModeParameters next = values;
  if (auto fault = ModeList(list, context, next).apply(form)) return fault;
  values = next;
  return std::nullopt;
}

}  // namespace lunar::scsi

// UNMAP parameter list (SBC-4, UNMAP command).
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>

#include "base/bytes.h"
#include "base/endian.h"
#include "lunar/types.h"
#include "scsi/spec/sense.h"

namespace lunar::scsi::spec {

struct UnmapParameterListHeader {
  be16 unmap_data_length;                   // bytes after this field
  be16 unmap_block_descriptor_data_length;  // bytes after the header
  be32 reserved;
};
static_assert(sizeof(UnmapParameterListHeader) == 8);
static_assert(offsetof(UnmapParameterListHeader, unmap_block_descriptor_data_length) == 2);

struct UnmapBlockDescriptor {
  be64 unmap_logical_block_address;
  be32 number_of_logical_blocks;
  be32 reserved;
};
static_assert(sizeof(UnmapBlockDescriptor) == 16);
static_assert(offsetof(UnmapBlockDescriptor, number_of_logical_blocks) == 8);

struct UnmapExtent {
  Lba lba;
  BlockCount blocks;  // 0: unmaps nothing, no error
  bool operator==(const UnmapExtent&) const = default;
};

// A checked view of a parameter list. The bytes must outlive it. Extents may overlap and be in any
// order. The device server checks their ranges against the capacity.
class UnmapParameterList {
 public:
  // `bytes`: the PARAMETER LIST LENGTH bytes of the command. None is an empty list. Errors:
  // PARAMETER LIST LENGTH ERROR if there are fewer bytes than the header says; INVALID FIELD IN
  // PARAMETER LIST if the header contradicts itself (descriptors behind the end of the data). SBC-4
  // leaves the latter open; a list with contradictory lengths must not unmap anything. An
  // incomplete last descriptor, by the header's own length, is ignored.
  [[nodiscard]] static std::expected<UnmapParameterList, Sense> parse(Bytes bytes) {
    const auto wrong_length = [] {
      return std::unexpected(Sense::illegal_request(AdditionalSense::parameter_list_length_error));
    };
    if (bytes.empty()) return UnmapParameterList(Bytes{});
    const auto header = load<UnmapParameterListHeader>(bytes);
    if (!header) return wrong_length();
    const std::size_t data_length = header->unmap_data_length.value();
    const std::size_t descriptors_length = header->unmap_block_descriptor_data_length.value();
    const std::size_t counted = sizeof(header->unmap_data_length);
    const std::size_t header_rest = sizeof(UnmapParameterListHeader) - counted;
    if (data_length > bytes.size() - counted) return wrong_length();
    if (descriptors_length > bytes.size() - sizeof(UnmapParameterListHeader)) return wrong_length();
    if (descriptors_length != 0 && data_length < header_rest + descriptors_length) {
      return std::unexpected(Sense::invalid_field_in_parameter_list(
          offsetof(UnmapParameterListHeader, unmap_block_descriptor_data_length)));
    }
    const std::size_t count = descriptors_length / sizeof(UnmapBlockDescriptor);
    return UnmapParameterList(
        bytes.subspan(sizeof(UnmapParameterListHeader), count * sizeof(UnmapBlockDescriptor)));
  }

  [[nodiscard]] std::size_t size() const { return bytes_.size() / sizeof(UnmapBlockDescriptor); }
  // index < size()
  [[nodiscard]] UnmapExtent operator[](std::size_t index) const {
    const auto descriptor =
        *load<UnmapBlockDescriptor>(bytes_.subspan(index * sizeof(UnmapBlockDescriptor)));
    return {Lba(descriptor.unmap_logical_block_address),
            BlockCount(descriptor.number_of_logical_blocks)};
  }
  // Cannot overflow: at most 4095 extents of less than 2^32 blocks.
  [[nodiscard]] BlockCount total_blocks() const {
    BlockCount total;
    for (std::size_t i = 0; i < size(); ++i) total = total + (*this)[i].blocks;
    return total;
  }

 private:
  explicit UnmapParameterList(Bytes descriptors) : bytes_(descriptors) {}
  Bytes bytes_;  // whole descriptors only
};

// Offsets for the field pointer of an error.
constexpr std::uint16_t kUnmapDescriptorsOffset = sizeof(UnmapParameterListHeader);

}  // namespace lunar::scsi::spec

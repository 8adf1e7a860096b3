// Parameters that several kinds of device have, and what goes with them.
#pragma once

#include <fmt/format.h>

#include "kinds/device_kind.h"

namespace lunar::kinds {

constexpr std::uint32_t kBlockSizes[] = {block::kMinBlockSize, block::kMaxBlockSize};

template <class Parameters, class T>
schema::Field<Parameters> block_size(T Parameters::* member) {
  return schema::number_of("block_size", member, {kBlockSizes[0], kBlockSizes[1]},
                           "bytes of a logical block")
      .in_spec("block");
}

template <class Parameters>
schema::Field<Parameters> protection(std::uint8_t Parameters::* member) {
  return schema::number_of("protection", member, {1, 2, 3},
                           "room for T10 protection information, of that type when it is made")
      .by_default("none");
}

template <class Parameters>
schema::Field<Parameters> uuid(std::optional<Uuid> Parameters::* member,
                               std::string_view by_default) {
  return schema::uuid("uuid", member, "the identity that initiators see").by_default(by_default);
}

// A size is whole blocks, and one at least. `bytes` is that of the parameter `size`.
inline schema::Checked check_whole_blocks(std::uint64_t bytes, std::uint32_t block_size) {
  if (bytes != 0 && bytes % block_size == 0) return {};
  return schema::fault("size", fmt::format("{} bytes are not one or more whole blocks of {} bytes",
                                           bytes, block_size));
}

}  // namespace lunar::kinds

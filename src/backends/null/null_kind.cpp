#include "backends/null/null_kind.h"

#include "kinds/common.h"

namespace lunar::backends {
namespace {

schema::Record<NullParameters> parameters() {
  return {{schema::size("size", &NullParameters::size, INT64_MAX, "whole blocks")
               .required()
               .leading()
               .example("1GiB"),
           kinds::block_size(&NullParameters::block_size),
           kinds::uuid(&NullParameters::uuid, "a new one each start")},
          [](const NullParameters& given, const schema::Table&) {
            return kinds::check_whole_blocks(given.size.value, given.block_size);
          }};
}

Result<std::unique_ptr<block::Device>> make(const NullParameters& given, kinds::Making& making) {
  return create_null({.name = making.name,
                      .size = given.size,
                      .block_size = given.block_size,
                      .uuid = given.uuid ? *given.uuid : Uuid::from_random(making.prng.bytes16()),
                      .keeps_uuid = given.uuid.has_value()});
}

}  // namespace

const kinds::DeviceKind& null_kind() {
  static const kinds::DeviceKind kind(kinds::Declaration<NullParameters>{
      .name = "null",
      .meaning = "Reads zeroes, drops writes: for measuring.",
      .parameters = parameters(),
      .make = make,
      .facts = [](const NullParameters& given) {
        return kinds::Facts{.read_only = false, .uuid = given.uuid};
      }});
  return kind;
}

}  // namespace lunar::backends

#include "backends/ram/ram_kind.h"

#include "kinds/common.h"

namespace lunar::backends {
namespace {

schema::Record<RamParameters> parameters() {
  const std::vector<schema::Named<RamPages>> pages = {{"huge", RamPages::huge},
                                                      {"small", RamPages::small}};
  return {{schema::size("size", &RamParameters::size, kMaxRamBytes, "whole blocks")
               .required()
               .leading()
               .example("1GiB"),
           kinds::block_size(&RamParameters::block_size),
           kinds::uuid(&RamParameters::uuid, "a new one each start"),
           kinds::protection(&RamParameters::protection),
           schema::choice("pages", &RamParameters::pages, pages,
                          "what the memory comes in: pages of 2 MiB, or of 4 KiB")
               .by_default("huge for a disk of at most 1/32 of the machine's memory")},
          [](const RamParameters& given, const schema::Table&) {
            return kinds::check_whole_blocks(given.size.value, given.block_size);
          }};
}

Result<std::unique_ptr<block::Device>> make(const RamParameters& given, kinds::Making& making) {
  // Its contents end with this process, and so does its identity, unless it was given one.
  return create_ram({.name = making.name,
                     .size = given.size,
                     .block_size = given.block_size,
                     .uuid = given.uuid ? *given.uuid : Uuid::from_random(making.prng.bytes16()),
                     .keeps_uuid = given.uuid.has_value(),
                     .protection = given.protection,
                     .pages = given.pages});
}

}  // namespace

const kinds::DeviceKind& ram_kind() {
  static const kinds::DeviceKind kind(kinds::Declaration<RamParameters>{
      .name = "ram",
      .meaning = "Sparse memory, gone when lunar ends; UNMAP gives memory back.",
      .parameters = parameters(),
      .make = make,
      .facts = [](const RamParameters& given) {
        return kinds::Facts{.read_only = false, .uuid = given.uuid};
      }});
  return kind;
}

}  // namespace lunar::backends

#include "backends/file/file_kind.h"

#include <filesystem>

#include "backends/file/file_look.h"
#include "kinds/common.h"

namespace lunar::backends {
namespace {

using Options = FileBackendOptions;

schema::Record<Options> parameters() {
  const std::vector<schema::Named<FileCache>> caches = {{"direct", FileCache::direct},
                                                        {"buffered", FileCache::buffered}};
  const std::vector<schema::Named<MissingFile>> missing = {{"error", MissingFile::error},
                                                           {"wait", MissingFile::wait}};
  return {{schema::path("path", &Options::path, "a regular file or a block device")
               .required()
               .leading(),
           schema::size("size", &Options::size, INT64_MAX,
                        "creates the file, sparse, when it is missing, and grows a smaller one")
               .by_default("that of the file"),
           kinds::block_size(&Options::block_size).by_default("512, or what the medium needs"),
           schema::choice("cache", &Options::cache, caches, "past the page cache, or through it"),
           schema::choice("missing", &Options::missing, missing,
                          "when the file is not there at the start: ends, or waits for it"),
           schema::boolean("readonly", &Options::read_only, "opens the file for reading only"),
           kinds::uuid(&Options::uuid, "the medium's own, or one that is kept with it"),
           kinds::protection(&Options::protection)},
          [](const Options& given, const schema::Table&) -> schema::Checked {
            if (given.missing == MissingFile::wait && given.size)
              return schema::fault("missing", "with size the file is made when it is missing");
            if (given.missing == MissingFile::wait && given.protection != 0)
              return schema::fault("missing", "a disk with protection cannot be waited for");
            if (!given.size) return {};
            return kinds::check_whole_blocks(given.size->value,
                                             given.block_size.value_or(block::kMinBlockSize));
          }};
}

// What stays with the configuration when the medium cannot keep its identity.
std::string identity_key(const Options& given, const kinds::Making& making) {
  if (!making.name_is_made_up) return making.name;
  return std::filesystem::absolute(given.path).lexically_normal().string();
}

Result<std::unique_ptr<block::Device>> make(const Options& given, kinds::Making& making) {
  Options options = given;
  options.name = making.name;
  options.identities = making.identities;
  options.identity_key = identity_key(given, making);
  return open_file(making.files, making.prng, options);
}

// Only direct I/O asks something of the buffers. The file system may have refused it.
std::string note(const block::Device& device) {
  return device.limits().buffer_alignment > 1 ? "direct" : "buffered";
}

}  // namespace

const kinds::DeviceKind& file_kind() {
  static const kinds::DeviceKind kind(kinds::Declaration<Options>{
      .name = "file",
      .meaning = "A regular file or a block device.",
      .parameters = parameters(),
      .make = make,
      .facts =
          [](const Options& given) {
            return kinds::Facts{.read_only = given.read_only, .uuid = given.uuid};
          },
      .medium = [](const Options& given) -> std::optional<kinds::Medium> {
        return medium_of(given.path);
      },
      .look = look_at_file,
      .note = note});
  return kind;
}

}  // namespace lunar::backends

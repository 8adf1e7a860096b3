// parse_spec on any text, then reads the table: gives a struct within its bounds, or an error.
#include <cstddef>
#include <cstdlib>

#include "schema/fields.h"
#include "schema/spec.h"

namespace {

struct Options {
  std::uint64_t size = 0;
  std::uint64_t wait_ns = 0;
  std::uint32_t count = 1;
  bool flag = false;
  std::vector<std::string> words;
};

const lunar::schema::Record<Options>& record() {
  using namespace lunar::schema;
  static const Record<Options> made(
      {size("size", &Options::size, 1U << 30, "a size").required().leading(),
       duration("wait", &Options::wait_ns, 1'000, 1'000'000'000, "a duration"),
       number("count", &Options::count, 1, 100, "a number"),
       boolean("flag", &Options::flag, "a flag"), texts("word", &Options::words, "some words")});
  return made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lunar::schema;
  const auto table =
      parse_spec(record().parameters(), "it", {reinterpret_cast<const char*>(data), size});
  if (!table) {
    if (table.error().message.empty()) std::abort();
    return 0;
  }
  const auto options = record().read(*table);
  if (!options) {
    if (options.error().key.empty() || options.error().why.empty()) std::abort();
    return 0;
  }
  if (options->size > 1U << 30 || options->wait_ns > 1'000'000'000) std::abort();
  if (options->count < 1 || options->count > 100) std::abort();
  for (const std::string& word : options->words) {
    if (word.empty() || word.contains(',')) std::abort();
  }
  return 0;
}

// parse_size on any text. If the size prints exactly, parsing the result must give the same size.
#include "base/size.h"

#include <cstddef>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = lunar::parse_size({reinterpret_cast<const char*>(data), size});
  if (!bytes) return 0;
  std::string text = lunar::format_size(*bytes);
  std::erase(text, ' ');
  const auto again = lunar::parse_size(text);
  if (!again || *again != *bytes) std::abort();
  return 0;
}

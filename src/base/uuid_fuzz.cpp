// Uuid::parse on any text. What it accepts must print in lower case and parse again.
#include "lunar/uuid.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)lunar::Uuid::from_name(text);
  const auto uuid = lunar::Uuid::parse(text);
  if (uuid && lunar::Uuid::parse(uuid->to_string()) != *uuid) std::abort();
  return 0;
}

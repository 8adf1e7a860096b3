// parse_portal on any text: a portal that can be made, or an error that repeats the text.
#include <cstddef>
#include <cstdlib>

#include "control/config.h"
#include "iscsi/service/portals.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view spec(reinterpret_cast<const char*>(data), size);
  const auto portal = lunar::control::parse_portal(spec);
  if (!portal) {
    if (!portal.error().message.contains(spec)) std::abort();
    return 0;
  }
  const auto made =
      lunar::iscsi::make_portal(portal->listen, portal->tag, portal->ipv4_too, portal->advertise);
  if (!made) std::abort();
  // None of it is what nobody can connect to, however it was reached.
  for (const char* reached : {"192.0.2.1", "2001:db8::1", ""}) {
    for (const auto& told : lunar::iscsi::told_portals({&*made, 1}, {reached, 1})) {
      if (told.address.is_wildcard()) std::abort();
    }
  }
  return 0;
}

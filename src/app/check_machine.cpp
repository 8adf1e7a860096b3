#include "app/check_machine.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <map>

#include "app/device_kinds.h"
#include "engine/descriptor.h"
#include "iscsi/spec/names.h"

namespace lunar::app {
namespace {

using control::DeviceConfig;

std::unexpected<Error> at_origin(const std::string& origin, const Error& error) {
  if (origin.empty()) return std::unexpected(error);
  return wrap(error, origin);
}

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
};

SocketAddress socket_address_of(const iscsi::spec::PortalAddress& at) {
  SocketAddress place;
  if (at.family == iscsi::spec::PortalAddress::Family::ipv6) {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(place.storage);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(at.port);
    std::memcpy(&v6.sin6_addr, at.bytes.data(), sizeof v6.sin6_addr);
    place.length = sizeof v6;
  } else {
    auto& v4 = reinterpret_cast<sockaddr_in&>(place.storage);
    v4.sin_family = AF_INET;
    v4.sin_port = htons(at.port);
    std::memcpy(&v4.sin_addr, at.bytes.data(), sizeof v4.sin_addr);
    place.length = sizeof v4;
  }
  return place;
}

// Binds a socket there for a moment, without listening.
Result<void> check_portal(const control::PortalConfig& portal) {
  LUNAR_TRY_ASSIGN(const auto at, iscsi::spec::parse_portal_address(portal.listen));
  const bool v6 = at.family == iscsi::spec::PortalAddress::Family::ipv6;
  const engine::Descriptor fd(socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) {
    if (errno != EAFNOSUPPORT) return {};
    return fail(ErrorCode::invalid_argument,
                fmt::format("{}: this machine has no IPv{}", portal.listen, v6 ? 6 : 4));
  }
  const int on = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const int v6_only = portal.ipv4_too ? 0 : 1;
  if (v6) setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof v6_only);
  const SocketAddress place = socket_address_of(at);
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&place.storage), place.length) == 0)
    return {};
  if (errno == EADDRNOTAVAIL) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("{}: no interface of this machine has this address", portal.listen));
  }
  if (errno == EACCES) {
    return fail(ErrorCode::permission, fmt::format("{}: this user may not listen on port {} (see "
                                                   "net.ipv4.ip_unprivileged_port_start)",
                                                   portal.listen, at.port));
  }
  return {};  // in use, perhaps by one that is about to end: listening will tell
}

class Checker {
 public:
  explicit Checker(const control::Config& config) : config_(config) {}

  Result<std::vector<std::string>> check() {
    for (const DeviceConfig& device : config_.devices) {
      if (auto good = check_device(device); !good) return at_origin(device.origin, good.error());
    }
    for (const control::PortalConfig& portal : config_.portals) {
      if (auto good = check_portal(portal); !good) return at_origin(portal.origin, good.error());
    }
    return std::move(remarks_);
  }

 private:
  Result<void> check_device(const DeviceConfig& device) {
    LUNAR_TRY(check_only_use(device));
    LUNAR_TRY_ASSIGN(const std::vector<std::string> remarks,
                     device.kind->look(device.configured, what_kinds_may_ask()));
    for (const std::string& remark : remarks)
      remarks_.push_back(fmt::format("{}: {}", device.origin, remark));
    return {};
  }

  // A medium is one disk. What is only read may be several.
  Result<void> check_only_use(const DeviceConfig& device) {
    const auto medium = device.kind->medium(device.configured);
    if (!medium) return {};
    const auto [found, is_first] = media_.emplace(medium->key, &device);
    const DeviceConfig& first = *found->second;
    if (is_first || (first.facts().read_only && device.facts().read_only)) return {};
    return fail(ErrorCode::invalid_argument,
                fmt::format("{}: it is the disk of {} already", medium->called,
                            first.origin.starts_with("--disk")
                                ? first.origin
                                : fmt::format("device '{}' ({})", first.name, first.origin)));
  }

  const control::Config& config_;
  std::map<std::string, const DeviceConfig*> media_;
  std::vector<std::string> remarks_;
};

}  // namespace

Result<std::vector<std::string>> check_machine(const control::Config& config) {
  return Checker(config).check();
}

}  // namespace lunar::app

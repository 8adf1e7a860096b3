// lunar as a library: an iSCSI target inside your program.
//
//   auto server = lunar::Server::create({});
//   (*server)->add_device(std::make_unique<MyDevice>(...));          // or add_ram, add_file
//   (*server)->add_target("iqn.2026-11.example:disks");
//   (*server)->map("iqn.2026-11.example:disks", lunar::Lun(0), "mine");
//   (*server)->add_portal("127.0.0.1:3260");
//   (*server)->start();
//   …
//   (*server)->stop();
//
// A backend of your own implements lunar::block::Device (lunar/block/device.h).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lunar/block/device.h"
#include "lunar/result.h"
#include "lunar/types.h"

namespace lunar {

struct ServerOptions {
  // How many shards ("2"), or on which cores ("0,2-3"). Empty: one a core, at most
  // kDefaultMaxShards.
  std::string shards;
  // How long a shard spins for more work before it sleeps, at most. 0: it never spins.
  std::chrono::microseconds max_spin{50};
};
constexpr std::size_t kDefaultMaxShards = 4;

// How a target shows a device.
struct LunOptions {
  bool read_only = false;
  bool removable = false;
};

// Threading: use it from one thread at a time; no method is called on a shard. Set-up (add_*, map)
// comes before start(), which it blocks on; stop() blocks too. Errors are one clear line each.
class Server {
 public:
  // Starts the shards' threads. unsupported: no io_uring here.
  static Result<std::unique_ptr<Server>> create(const ServerOptions& options);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  // Stops, if it was started.
  ~Server();

  // ---- Devices. Names are unique; already_exists.
  Result<void> add_device(std::unique_ptr<block::Device> device);
  // A RAM disk of this many bytes.
  Result<void> add_ram(const std::string& name, ByteCount size);
  // A regular file, made with `size` bytes if it is missing, or a block device.
  Result<void> add_file(const std::string& name, const std::string& path,
                        std::optional<ByteCount> size = {});

  // ---- Targets and portals.
  Result<void> add_target(const std::string& iqn, const std::string& alias = "");
  // Serves a device as a logical unit; it becomes the device's writer (busy when there is one), or
  // one of its readers when read_only.
  Result<void> map(std::string_view iqn, Lun lun, std::string_view device,
                   const LunOptions& options = {});
  // "127.0.0.1:3260", "[::1]:3260", port 0 for any free one. Opened by start().
  Result<void> add_portal(const std::string& address_and_port, std::uint16_t portal_group_tag = 1);

  // Opens the logical units on every shard, then the portals: no initiator sees half a target.
  Result<void> start();
  // Where the portals listen, after start(), in the order of add_portal.
  [[nodiscard]] const std::vector<std::string>& listening() const;
  [[nodiscard]] std::size_t shard_count() const;
  // Closes the portals, lets commands in flight finish for at most `drain`, ends every session,
  // closes the devices.
  void stop(std::chrono::milliseconds drain = std::chrono::milliseconds(2000));

  // What the composition root of the lunar program needs beyond this.
  struct Internals;
  [[nodiscard]] Internals& internals() { return *internals_; }

 private:
  explicit Server(std::unique_ptr<Internals> internals);
  std::unique_ptr<Internals> internals_;
};

}  // namespace lunar

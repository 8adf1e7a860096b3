// lunar as a library: an iSCSI target inside your program. docs/embedding.md walks through it, and
// examples/embed is a whole program.
//
//   auto server = lunar::Server::create({});                      // each gives a Result: look at
//   it
//   (*server)->add_device(std::make_unique<MyDevice>(...));       // or add_ram, add_file
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
  std::string shards{};
  // How long a shard spins for more work before it sleeps, at most. 0: it never spins.
  std::chrono::microseconds max_spin{50};
};
constexpr std::size_t kDefaultMaxShards = 4;

// How a target shows a device.
struct LunOptions {
  bool read_only = false;  // writes are refused, also where the device would take them
  bool removable = false;  // INQUIRY says so (the RMB bit)
};

// Asymmetric logical unit access (SPC-5 §5.17.2): how a target's logical units are reached by one
// of its portal groups.
enum class AluaState : std::uint8_t {
  active_optimized,
  active_non_optimized,  // serves everything; hosts prefer another path
  standby,               // serves neither reads nor writes
  unavailable,           // serves nearly nothing
  transitioning,         // hosts wait for what comes next
};
struct PortGroupOptions {
  AluaState state = AluaState::active_optimized;
  bool preferred = false;         // the PREF bit
  bool implicit_changes = true;   // set_alua_state() may change the state
  bool explicit_changes = false;  // initiators may, by SET TARGET PORT GROUPS
};

// The log goes to standard error, and is one for the process. "trace", "debug", "info" (default),
// "warning", "error", "off"; else invalid_argument. From any thread, at any time.
Result<void> set_log_level(std::string_view level);

// Set up (add_*, map), start, stop; each once. Afterwards it only waits to be destroyed: to serve
// again, make another.
//
// Threading: not thread-safe; use it from one thread at a time, which may be any but a shard's (a
// Device or Channel must not call it). create() starts one thread a shard, named shard-N, which the
// destructor joins; they inherit the signal mask of the thread that called create(), so block what
// you handle yourself before. Methods block until they are done; only start() and stop() wait for
// the network.
//
// Errors: one clear line each, and a code to choose by. A method that failed has changed nothing,
// but start(), which has stopped the server. A set-up method after start() gives busy.
class Server {
 public:
  // Starts the shards. invalid_argument: `shards` names no cores, or some that this process may not
  // use. no_resource: the kernel gives no io_uring.
  static Result<std::unique_ptr<Server>> create(const ServerOptions& options);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  // Stops, if it was started.
  ~Server();

  // ---- Devices. Their names are unique and not empty: else already_exists, invalid_argument.

  // The server owns it, opens its channels on each shard in start(), and destroys them there in
  // stop(); the device goes with the server, on the thread that destroys that.
  Result<void> add_device(std::unique_ptr<block::Device> device);
  // A sparse RAM disk of so many bytes, a multiple of 512. A new identity each time.
  Result<void> add_ram(const std::string& name, ByteCount size);
  // A regular file, which is made with `size` bytes if it is missing (and grown if it is smaller),
  // or a block device. Served with direct I/O where the file system can. It keeps its identity.
  // not_found, permission, busy (another process serves it), io.
  Result<void> add_file(const std::string& name, const std::string& path,
                        std::optional<ByteCount> size = {});

  // ---- Targets and portals.

  // `iqn`: iqn., eui. or naa. form (RFC 7143 §4.2.7), in any case. `alias` is a word for people.
  // invalid_argument, already_exists.
  Result<void> add_target(const std::string& iqn, const std::string& alias = "");
  // Serves a device as logical unit 0 to 16383 of a target; it becomes the device's writer, or one
  // of its readers when read_only. A device may be mapped several times, with equal options: it
  // stays one logical unit, and reservations hold across. not_found; busy when it has another
  // writer (a layer); already_exists when the target has that LUN; out_of_range.
  Result<void> map(std::string_view iqn, Lun lun, std::string_view device,
                   const LunOptions& options = {});
  // How a target is reached by the portals of one group. A group of which nothing is said has the
  // defaults. not_found, invalid_argument: a tag is 1 to 65535.
  Result<void> set_port_group(std::string_view iqn, std::uint16_t portal_group_tag,
                              const PortGroupOptions& options);
  // "127.0.0.1:3260", "[::1]:3260"; numeric; no port: 3260; port 0: any that is free. Opened by
  // start(). The tag is 1 to 65535. invalid_argument.
  Result<void> add_portal(const std::string& address_and_port, std::uint16_t portal_group_tag = 1);

  // Opens the logical units on every shard, then the portals: no initiator sees half a target.
  // Errors of the devices' open_channel(); busy: an address is in use; permission: a port below
  // 1024; invalid_argument: no address of this machine.
  Result<void> start();
  // Where the portals listen, between start() and stop(), in the order of add_portal.
  [[nodiscard]] const std::vector<std::string>& listening() const;
  // Constant.
  [[nodiscard]] std::size_t shard_count() const;
  // Another state for all logical units of a target by one portal group, and its PREF bit unless
  // that stays as it is. Completes when it is in force on every shard; initiators are told by unit
  // attentions. Between start() and stop(), else busy. not_found: no such target, or no portal has
  // the tag. unsupported: its implicit_changes is false.
  Result<void> set_alua_state(std::string_view iqn, std::uint16_t portal_group_tag, AluaState state,
                              std::optional<bool> preferred = {});
  // Closes the portals, lets commands in flight finish for at most `drain`, then ends every session
  // and closes the devices' channels. Commands that a device still holds are abort()ed.
  void stop(std::chrono::milliseconds drain = std::chrono::milliseconds(2000));

  // What the composition root of the lunar program needs beyond this; no part of the interface.
  struct Internals;
  [[nodiscard]] Internals& internals() { return *internals_; }

 private:
  explicit Server(std::unique_ptr<Internals> internals);
  std::unique_ptr<Internals> internals_;
};

}  // namespace lunar

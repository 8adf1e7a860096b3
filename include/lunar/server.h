// lunar as a library: an iSCSI target inside your program. docs/embedding.md walks through it, and
// examples/embed is a whole program.
//
//   auto server = lunar::Server::create({});  // each call gives a Result: look at it
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

#include "lunar/alua.h"
#include "lunar/block/device.h"
#include "lunar/result.h"
#include "lunar/types.h"

namespace lunar {

struct ServerOptions {
  // How many shards ("2"), or on which cores ("0,2-3"). Empty: one a core, at most
  // kDefaultMaxShards.
  std::string shards{};
  // The folder for what logical units must remember over a restart, such as persistent reservations
  // made with APTPL; made when something is first kept. Empty: /var/lib/lunar for root, else lunar
  // in $XDG_STATE_HOME or ~/.local/state.
  std::string state{};
  // How long a shard spins for more work before it sleeps, at most. 0: it never spins.
  std::chrono::microseconds max_spin{200};
  // How long commands wait for a device that cannot be reached, because it is still being opened or
  // has been lost. Then they end with NOT READY until it is back. Initiators give a command up
  // after 30 seconds or so; so at most kMaxDevicePatience. 0: they do not wait.
  std::chrono::milliseconds device_patience{20000};
};
constexpr std::size_t kDefaultMaxShards = 4;
constexpr std::chrono::milliseconds kMaxDevicePatience{600000};
// For how long commands in flight may finish when what they came by ends.
constexpr std::chrono::milliseconds kDefaultDrain{2000};

// What a disk of add_ram() and add_file() has beside its blocks.
struct DiskOptions {
  // Room for protection information (T10): 1, 2 or 3, the type that the disk is formatted to when
  // it is made, which initiators may change by FORMAT UNIT. 0: none.
  std::uint8_t protection = 0;
  // The identity that initiators see, which must be that of no other disk. Unset: a file's own
  // (docs/backends/file.md), or a new one for each RAM disk.
  std::optional<Uuid> uuid{};
};

// How a target shows a device.
struct LunOptions {
  bool read_only = false;  // writes are refused, also where the device would take them
  bool removable = false;  // INQUIRY says so (the RMB bit)
  // Whose number it is: a host of the target, or empty: that of all initiators without a host.
  std::string host{};
};

// Which initiators are a host of a target. Any of the names, from any of the addresses; a list that
// is empty asks nothing.
struct HostOptions {
  std::vector<std::string> initiators{};  // iSCSI names, in which * is any text and ? a character
  std::vector<std::string> addresses{};   // "192.0.2.0/24", "2001:db8::/32", or one address
};

// How a target is reached by one of its portal groups.
struct PortGroupOptions {
  AluaState state = AluaState::active_optimized;
  bool preferred = false;         // the PREF bit
  bool implicit_changes = true;   // set_alua_state() may change the state
  bool explicit_changes = false;  // initiators may, by SET TARGET PORT GROUPS
};

// A portal beside the address that it listens on.
struct PortalOptions {
  std::uint16_t portal_group_tag = 1;  // 1 to 65535
  bool ipv4_too = false;               // "[::]" takes IPv4 as well as IPv6
  // What discovery tells initiators instead of the portal's own address, which NAT or a load
  // balancer hides from them: "203.0.113.5:3260"; no port: the portal's.
  std::vector<std::string> advertise{};
};

// The log goes to standard error, and is one for the process. A thread of its own writes it, which
// the first Server starts and which stays. "trace", "debug", "info" (default), "warning", "error",
// "off"; else invalid_argument. From any thread, at any time.
Result<void> set_log_level(std::string_view level);

// Set up (add_*, map), start, stop; start and stop each once. Afterwards, and after a start() that
// failed on the way, it only waits to be destroyed: to serve again, make another. Everything comes
// and goes while the server runs, too: such a call returns when the change is in force on every
// shard, with sessions and their commands under way.
//
// Threading: thread-safe; calls are carried out one after the other. From any thread but a shard's
// (a Device or Channel must not call it: that ends the process with a line that says so). create()
// starts one thread a shard, named shard-N, which the destructor joins; they inherit the signal
// mask of the thread that called create(), so block what you handle yourself before. Methods block
// until they are done; only start(), stop() and what removes targets and portals wait for the
// network, and those have a limit.
//
// Errors: one clear line each, and a code to choose by. A method that failed has changed nothing,
// but start(), which has stopped the server, and a removal that says so. Any method after stop()
// gives busy.
class Server {
 public:
  // Starts the shards, and two threads for what may block. invalid_argument: `shards` names no
  // cores, or some that this process may not use, or an option is out of its range. permission:
  // `state` cannot be written. unsupported: the kernel has no io_uring, or keeps it from this
  // process. no_resource: no memory, thread or descriptor is to be had.
  static Result<std::unique_ptr<Server>> create(const ServerOptions& options);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  // Stops, if it was started.
  ~Server();

  // ---- Devices. Their names are unique and not empty: else already_exists, invalid_argument.

  // The server owns it, opens its channels on each shard when it is mapped (at the earliest in
  // start()), and destroys them there when it is no more, or in stop(); the device goes on the
  // thread that removes it, or with the server. One that has not answered what it was asked when
  // the server is destroyed is never destroyed, nor are the shards. invalid_argument: null, limits
  // outside of what lunar/block/limits.h tells, or too many layers (Device::layers()).
  Result<void> add_device(std::unique_ptr<block::Device> device);
  // A sparse RAM disk of so many bytes, a multiple of 512.
  // invalid_argument, no_resource.
  Result<void> add_ram(const std::string& name, ByteCount size, const DiskOptions& options = {});
  // A regular file, which is made with `size` bytes if it is missing (and grown if it is smaller),
  // or a block device. Served with direct I/O where the file system can. It keeps its identity;
  // what cannot keep one has it in the state folder, under `name`, and is invalid_argument without.
  // Protection information is kept beside it, in a file whose name is the path and ".protection",
  // and not for block devices; a file that has one cannot be served without. not_found, permission,
  // busy (it is served already, here or by another process), io, invalid_argument.
  Result<void> add_file(const std::string& name, const std::string& path,
                        std::optional<ByteCount> size = {}, const DiskOptions& options = {});

  // A device of any kind, as `--disk` of the lunar program has it: "ram:1GiB,block=4096",
  // "delay:BASE,read_delay_us=200" (docs/reference/devices.md). invalid_argument: what is wrong
  // with the spec, or on this machine; not_found, permission, busy, io, no_resource.
  Result<void> add_disk(const std::string& name, std::string_view spec);

  // Closes it and destroys it. not_found; busy (naming the user) while it is mapped or carries a
  // layer, and while it has not answered what it was asked; io: it does not close, so try again.
  Result<void> remove_device(std::string_view name);
  // Only what this interface and the log call it: initiators do not see it. not_found,
  // already_exists, invalid_argument.
  Result<void> rename_device(std::string_view name, const std::string& new_name);
  // Grows or shrinks the medium; without a size: takes what it has become by itself (a block
  // device). Initiators are told (CAPACITY DATA HAS CHANGED). What lies beyond a smaller size is
  // lost; commands for it that have not begun end with LOGICAL BLOCK ADDRESS OUT OF RANGE.
  // not_found; busy: it carries a layer, which is to be resized instead; busy also for a smaller
  // size while a FORMAT UNIT or SANITIZE command is under way; invalid_argument, unsupported,
  // no_resource, io.
  Result<void> resize(std::string_view name, std::optional<ByteCount> size);
  // When it returns with `on`, no write changes the device's medium any more, whoever uses it,
  // until this is turned off. Initiators are told (MODE PARAMETERS CHANGED). not_found: no such
  // device, or it is not mapped; permission, busy: it cannot be written to, or carries a layer;
  // busy also while a format or sanitize operation writes.
  Result<void> set_write_protected(std::string_view name, bool on);
  // SCSI commands of the device's logical unit that have not ended, on all shards; 0 when there is
  // none. And those of all, whose answers have not left.
  [[nodiscard]] std::size_t commands_in_flight(std::string_view name) const;
  [[nodiscard]] std::size_t commands_in_flight() const;

  // ---- Targets and portals.

  // `iqn`: iqn., eui. or naa. form (RFC 7143 §4.2.7), in any case. `alias` is a word for people.
  // invalid_argument, already_exists.
  // While the server runs, initiators find it by all portals at once.
  Result<void> add_target(const std::string& iqn, const std::string& alias = "");
  // With its hosts and numbers. It is hidden first: no initiator finds it or logs in. Commands of
  // its sessions may finish for `drain`; then the sessions are closed, and what is left of their
  // commands is aborted on the medium. not_found; busy as unmap(); busy also where a device
  // does not hear that, after 2 seconds more: the target stays hidden until it is removed again.
  Result<void> remove_target(std::string_view iqn, std::chrono::milliseconds drain = kDefaultDrain);
  // Initiators that see numbers of their own, and only those. The first host, in the order of their
  // addition, that an initiator fits is its own. not_found: no such target; already_exists: the
  // target has a host of that name; invalid_argument: no name, initiators nor addresses, or wrong
  // ones.
  Result<void> add_host(std::string_view iqn, const std::string& name, const HostOptions& options);
  // With its numbers; its initiators fall to the next host that they fit. not_found.
  Result<void> remove_host(std::string_view iqn, std::string_view name);
  // Serves a device as logical unit 0 to 16383 of a target, or of one of its hosts; it becomes one
  // of the device's writers, or of its readers when read_only. A device may be mapped several
  // times, with equal options: it stays one logical unit, and reservations hold across. not_found;
  // busy when it carries a layer, which is its only writer; already_exists when the number is
  // taken, or when another mapped device has its identity; out_of_range; while the server runs also
  // errors of the device's open_channel() that come at once. One that takes its time is not waited
  // for: it is NOT READY until then. Initiators are told of changes of what they see
  // (REPORTED LUNS DATA HAS CHANGED).
  Result<void> map(std::string_view iqn, Lun lun, std::string_view device,
                   const LunOptions& options = {});
  // The number leads nowhere. Its commands that have not begun end with LOGICAL UNIT NOT SUPPORTED,
  // the others are aborted on the medium, or finish. `host` as in LunOptions. not_found; busy: it
  // is the unit's last, and a format or sanitize operation is under way that no state folder
  // remembers.
  Result<void> unmap(std::string_view iqn, Lun lun, std::string_view host = {});
  // The number leads to another device: unmap() and map() at once. Errors of both.
  Result<void> swap(std::string_view iqn, Lun lun, std::string_view device,
                    const LunOptions& options = {});
  // How a target is reached by the portals of one group. A group of which nothing is said has the
  // defaults. While the server runs, what set_alua_state() has said of the group no longer holds,
  // and a tag that no portal has is for one that comes. not_found, invalid_argument: a tag is 1 to
  // 65535.
  Result<void> set_port_group(std::string_view iqn, std::uint16_t portal_group_tag,
                              const PortGroupOptions& options);
  // "127.0.0.1:3260", "[::1]:3260"; numeric; no port: 3260; port 0: any that is free. Opened by
  // start(), and at once while the server runs: then with its errors. invalid_argument: also when
  // it would listen where another portal does, or when one address would lead to two portal groups.
  // out_of_range: more than 1024 portals, or 256 portal groups. Initiators are told of another
  // group (INQUIRY DATA HAS CHANGED, ASYMMETRIC ACCESS STATE CHANGED).
  Result<void> add_portal(const std::string& address_and_port, const PortalOptions& options = {});
  // As listening() tells it, or add_portal() was told before start(). Takes no connections any
  // more; sessions and discoveries that came by it end, as those of remove_target(). The last one
  // of a group takes the group with it, and of all portals the server's reach, until another comes.
  // not_found; busy as remove_target().
  Result<void> remove_portal(const std::string& address_and_port,
                             std::chrono::milliseconds drain = kDefaultDrain);

  // Opens the logical units on every shard, then the portals: no initiator sees half a target.
  // Waits some seconds for an address that a killed process still holds. invalid_argument, which
  // leaves the server as it was: there is no portal, or a port group whose tag no portal has. Any
  // other error ends the server: those of the devices' open_channel(); busy: an address is in use;
  // permission: a port below 1024; invalid_argument: no address of this machine.
  Result<void> start();
  // Where the portals listen, between start() and stop(), in the order of add_portal.
  [[nodiscard]] std::vector<std::string> listening() const;
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
  void stop(std::chrono::milliseconds drain = kDefaultDrain);

  // What the composition root of the lunar program needs beyond this; no part of the interface.
  struct Internals;
  [[nodiscard]] Internals& internals() { return *internals_; }

 private:
  explicit Server(std::unique_ptr<Internals> internals);
  std::unique_ptr<Internals> internals_;
};

}  // namespace lunar

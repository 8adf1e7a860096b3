// The folder where logical units keep what must outlive a power loss, and the daemon:
//
//   DIR/UUID/NAME   a value of the device with that identity
//   DIR/UUID/lock   held by the process that uses it
//   DIR/devices/ID  who the device of a name is, whose medium cannot keep that; ID is made of the
//   name
//
// A value is written beside its place, made durable, and renamed into it, so a crash leaves the old
// one or the new one. When the rename itself cannot be made durable the old one is put back, as the
// save has failed; when that cannot be made durable either, only the disk knows which of both a
// power loss leaves, and the log says so. Each carries its length and checksum: one that is damaged
// is an error that names the file, never an empty value. Nothing is made or locked before a device
// has something to keep, so servers whose devices keep nothing share a folder without knowing.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "engine/descriptor.h"
#include "engine/restart_patience.h"
#include "kinds/identity_store.h"
#include "scsi/state/durable_store.h"

namespace lunar::app {

class StateFolder final : public scsi::DurableStore, public kinds::IdentityStore {
 public:
  // Empty: default_state_folder().
  // `sync`: what makes the names in a folder durable, for tests; empty: the kernel does.
  // `patience`: for how long from now on one waits for who else uses a device's state, which may be
  // a process that was killed.
  explicit StateFolder(std::string path, std::function<Result<void>(const std::string&)> sync = {},
                       std::chrono::milliseconds patience = engine::kRestartPatience);
  ~StateFolder() override;  // every save has completed

  // Starts the thread. Without it the first save does; where no thread is to be had by then, saves
  // are done on the calling shard, which is slow but right. no_resource.
  Result<void> start();
  // Whether something could be kept there, as far as a look tells; nothing is made. permission;
  // invalid_argument: there is no folder; not_found: there is no default folder either.
  [[nodiscard]] Result<void> check_usable() const;
  // Whether a folder was told, and is not the default one.
  [[nodiscard]] bool is_given() const { return given_; }

  // From any shard; the work is done on a thread of its own. Errors,
  // each with the path: busy, another process uses the device's state; permission; no_resource, the
  // disk is full; io.
  engine::Task<Result<void>> save(Uuid unit, std::string name, std::string value) override;
  // malformed: the file is damaged. busy, permission, io. A default folder that this user cannot
  // look into holds nothing of theirs: empty.
  Result<std::string> load(const Uuid& unit, std::string_view name) override;

  // Blocking, on the caller's thread. The medium's own lock keeps others from it. Errors as above.
  Result<std::string> load_identity(std::string_view key) override;
  Result<void> save_identity(std::string_view key, const std::string& record) override;
  [[nodiscard]] std::string place_of_identity(std::string_view key) const override;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  Result<void> check_folder() const;
  // In a folder that is there.
  Result<void> replace_durably(const std::string& folder, const std::string& name,
                               const std::string& value);
  Result<void> save_now(const Uuid& unit, const std::string& name, const std::string& value);
  [[nodiscard]] Result<void> sync(const std::string& folder) const;
  Result<void> lock(const Uuid& unit);
  void post(std::function<void()> job);
  void work();

  const bool given_;  // by who started the server
  const std::string path_;
  const std::function<Result<void>(const std::string&)> sync_folder_;
  const std::chrono::steady_clock::time_point patient_until_;
  std::mutex locks_mutex_;
  std::map<Uuid, engine::Descriptor> locks_;

  std::mutex jobs_mutex_;
  std::condition_variable jobs_changed_;
  std::deque<std::function<void()>> jobs_;
  bool ending_ = false;
  std::thread worker_;
};

// /var/lib/lunar for root, else lunar in $XDG_STATE_HOME or ~/.local/state; empty when there is
// neither.
[[nodiscard]] std::string default_state_folder();

}  // namespace lunar::app

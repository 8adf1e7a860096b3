// The daemon's durable memory: records by object and key, changed in transactions.
//
// An interface: the daemon has a Database, tests have a testing::MemoryStore that fails on demand.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/clock.h"
#include "engine/task.h"
#include "lunar/result.h"
#include "state/record.h"

namespace lunar::state {

// Default limit of a commit's duration: longer than a slow disk needs, shorter than initiators wait
// for a command.
constexpr std::uint64_t kPatienceNs = 20 * engine::kSecond;
// Limit of a key's length.
constexpr std::size_t kMaxKeyBytes = 8192;

// What a record belongs to, such as a device.
class Object {
 public:
  // Only one process may use the object: the first that finds or stores something under it, until
  // its store closes. `name` consists of [a-z0-9-].
  static Object exclusive(std::string name) { return {std::move(name), true}; }
  // Any process may read and change the object.
  static Object shared(std::string name) { return {std::move(name), false}; }

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] bool is_exclusive() const { return exclusive_; }

 private:
  Object(std::string name, bool exclusive) : name_(std::move(name)), exclusive_(exclusive) {}
  std::string name_;
  bool exclusive_;
};

struct Change {
  Object object;
  std::string key;
  std::optional<Record> record;  // unset: remove the key
};
// Changes that happen all or not at all.
using Transaction = std::vector<Change>;

class Store {
 public:
  virtual ~Store() = default;

  // Commits durably. Called on any shard, and completes there. A caller must wait for one change of
  // an object to complete before it starts the next.
  //
  // After an error nothing has changed. That includes a commit that took longer than `patience_ns`:
  // what has reached the medium is undone before any other change.
  //
  // Errors: busy: another process uses the object or the store; cancelled: took too long;
  // permission; no_resource: no space, or a named limit; malformed: the store is damaged; io.
  // Messages name the place.
  virtual engine::Task<Result<void>> commit(Transaction transaction,
                                            std::uint64_t patience_ns = kPatienceNs) = 0;

  // Like commit(), but blocking: for threads that are no shards.
  virtual Result<void> commit_blocking(Transaction transaction) = 0;
  // Unset: nothing is stored. Blocking: call before shards serve the object. Errors as above, and
  // unsupported: written by a later version of lunar.
  virtual Result<std::optional<Record>> load(const Object& object, std::string_view key) = 0;

  // Where a record is stored, for people who inspect or remove it.
  [[nodiscard]] virtual std::string place_of(const Object& object, std::string_view key) const = 0;
};

}  // namespace lunar::state

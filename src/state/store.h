// The daemon's durable memory: records by object and key, changed in transactions.
//
// A seam: the daemon has a Database behind it, tests a testing::MemoryStore that fails as it is
// told to.
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

// How long a change is waited for by default: longer than a slow disk needs, shorter than
// initiators wait for a command.
constexpr std::uint64_t kPatienceNs = 20 * engine::kSecond;
// Of one key.
constexpr std::size_t kMaxKeyBytes = 8192;

// Whom records belong to.
class Object {
 public:
  // One process at a time uses it: the first that finds or keeps something of it, until its store
  // ends. `name` is of [a-z0-9-].
  static Object exclusive(std::string name) { return {std::move(name), true}; }
  // Any process may read and change it.
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
  std::optional<Record> record;  // unset: it is removed
};
// All of it, or nothing.
using Transaction = std::vector<Change>;

class Store {
 public:
  virtual ~Store() = default;

  // Whoever changes an object waits for the end of one change before the next.
  //
  // On any shard; completes there when the change will be found after a power loss. After an error,
  // also when the wait was given up after `patience_ns`, the change is not there: what of it has
  // reached the medium is taken back before anything else is done.
  //
  // busy: another process has the object, or the store; cancelled: given up; permission;
  // no_resource: no room, or a named bound; malformed: the store is damaged; io. Messages name the
  // place.
  virtual engine::Task<Result<void>> commit(Transaction transaction,
                                            std::uint64_t patience_ns = kPatienceNs) = 0;

  // The same, and blocking: for threads that are no shards.
  virtual Result<void> commit_blocking(Transaction transaction) = 0;
  // Unset: nothing is kept. Blocking: before shards serve the object. Errors as above;
  // unsupported: a later lunar has written it.
  virtual Result<std::optional<Record>> load(const Object& object, std::string_view key) = 0;

  // Where a record is, for people who have to look at it or to remove it.
  [[nodiscard]] virtual std::string place_of(const Object& object, std::string_view key) const = 0;
};

}  // namespace lunar::state

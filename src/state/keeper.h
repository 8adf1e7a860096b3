// The database file, as used by the database thread: groups of transactions, undoing after
// failures, files of earlier versions. Private to this folder.
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lunar/result.h"
#include "state/database.h"
#include "state/object_locks.h"
#include "state/tables.h"

namespace lunar::state {

// One change of a transaction, with what undoing it needs.
struct Before {
  std::string object;
  std::string key;
  std::optional<std::string> written;
  std::optional<std::string> before;
};

struct Work {
  const Transaction* transaction = nullptr;
  Result<void> outcome{};
  std::vector<Before> before{};
};

// Single-threaded; may block. Errors as in store.h.
class Keeper {
 public:
  explicit Keeper(const DatabaseOptions& options);

  // Commits all transactions together if possible. Otherwise each alone, so that they fail apart.
  void commit(std::span<Work> group);
  Result<std::optional<Record>> load(const Object& object, std::string_view key);
  // Undoes a committed transaction whose caller has given up: now, or before any other work.
  void take_back(std::vector<Before> before);

  [[nodiscard]] std::string place_of(const Object& object, std::string_view key) const;

 private:
  // Opens the database. False: there is none and `may_make` is false.
  Result<bool> open(bool may_make);
  // Opens or creates the database, and makes its name durable.
  Result<void> open_to_write();
  void close();
  Result<void> prepare(const Transaction& transaction);
  Result<void> write(std::span<Work* const> members);
  Result<void> put_all(Work& work);
  // Whether a file of an earlier version holds the key.
  bool has_old_file(const Object& object, std::string_view key) const;
  Result<void> take_over(const Object& object, std::string_view key);
  Result<void> commit_or_close();
  // Undoes what take_back() could not. If that fails, nothing else may be done.
  Result<void> settle();
  Result<void> undo_owed();

  const DatabaseOptions options_;
  const std::string path_;
  ObjectLocks locks_;
  std::unique_ptr<Tables> tables_;
  dev_t device_ = 0;  // identity of the open file
  ino_t inode_ = 0;
  bool is_name_durable_ = false;
  std::vector<Before> owed_;
};

}  // namespace lunar::state

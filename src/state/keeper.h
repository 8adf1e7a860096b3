// The database file as its one thread handles it: transactions in groups, what has to be taken back
// after a failure, files of earlier versions. Private to this folder.
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

// What a transaction has changed, for who has to undo it.
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

  // All in one, if that can be, else each alone: the failure of one is not that of another.
  void commit(std::span<Work> group);
  Result<std::optional<Record>> load(const Object& object, std::string_view key);
  // Nobody has waited for the end of what was committed: it is undone, now or before anything else.
  void take_back(std::vector<Before> before);

  [[nodiscard]] std::string place_of(const Object& object, std::string_view key) const;

 private:
  // There is a database, and it is open. False: there is none, and none may be made.
  Result<bool> open(bool may_make);
  // It is open, and the folder will still have its name after a power loss.
  Result<void> open_to_write();
  void close();
  Result<void> prepare(const Transaction& transaction);
  Result<void> write(std::span<Work* const> members);
  Result<void> put_all(Work& work);
  // Whether a file of an earlier version holds it.
  bool has_old_file(const Object& object, std::string_view key) const;
  Result<void> take_over(const Object& object, std::string_view key);
  Result<void> commit_or_close();
  // Does what is owed, or nothing else is done.
  Result<void> settle();
  Result<void> undo_owed();

  const DatabaseOptions options_;
  const std::string path_;
  ObjectLocks locks_;
  std::unique_ptr<Tables> tables_;
  dev_t device_ = 0;  // which file it is
  ino_t inode_ = 0;
  bool is_name_durable_ = false;
  std::vector<Before> owed_;
};

}  // namespace lunar::state

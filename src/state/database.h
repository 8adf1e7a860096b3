// The Store of a daemon: FOLDER/state.db, used by one thread of its own. Transactions that wait
// together become durable together.
//
// Nothing is created or locked until an object has something to store. So several servers may share
// a folder if their devices differ, or if their devices store nothing.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "engine/restart_patience.h"
#include "lunar/result.h"
#include "state/old_files.h"
#include "state/store.h"

namespace lunar::state {

class Keeper;

// Transactions waiting for the thread. A device has at most one. More are refused: no_resource.
constexpr std::size_t kMaxWaiting = 65536;
// Transactions that are committed together.
constexpr std::size_t kMaxGroup = 256;

struct DatabaseOptions {
  // Empty: no folder; commits are refused.
  std::string folder;
  // Whether a person named the folder. Otherwise it is the default one, and if this user cannot
  // access it, it counts as empty.
  bool given = true;
  // How long, from now on, to wait for another process that uses an object. It may have been killed
  // and be about to release it.
  std::chrono::milliseconds patience = engine::kRestartPatience;
  // Files of earlier versions that may hold a key. They are taken over when first seen. Empty: none
  // are looked for.
  std::function<std::vector<OldFile>(const Object& object, std::string_view key)> old_files{};
  // SQLite VFS by name, for tests. Null: SQLite's default.
  const char* vfs = nullptr;
};

class Database final : public Store {
 public:
  // Starts the thread. Does not touch the folder. no_resource: no thread.
  static Result<std::unique_ptr<Database>> open(const DatabaseOptions& options);
  // All commits must have ended or been given up. Destroy it before the shards.
  ~Database() override;

  engine::Task<Result<void>> commit(Transaction transaction, std::uint64_t patience_ns) override;
  Result<void> commit_blocking(Transaction transaction) override;
  Result<std::optional<Record>> load(const Object& object, std::string_view key) override;
  [[nodiscard]] std::string place_of(const Object& object, std::string_view key) const override;

 private:
  struct Job;
  using Jobs = std::vector<std::shared_ptr<Job>>;

  explicit Database(const DatabaseOptions& options);
  Result<void> post(const std::shared_ptr<Job>& job);
  // The result of a job. A waiter whose time is up gives up.
  Result<void> outcome_of(Job& job);
  Result<void> wait_for(const std::shared_ptr<Job>& job);

  // ---- On the database thread.
  void work();
  Jobs take_group();
  void run(const Jobs& group);
  void finish(const Jobs& group);

  const std::string folder_;
  const std::unique_ptr<Keeper> keeper_;  // used by the thread only

  std::mutex mutex_;
  std::condition_variable waiting_changed_;
  std::condition_variable finished_;
  std::deque<std::shared_ptr<Job>> waiting_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace lunar::state

// The Store of a daemon: FOLDER/state.db, and a thread of its own that alone reads and changes it.
// Changes that wait together become durable together.
//
// Nothing is made or locked before an object has something to keep, so servers whose devices keep
// nothing share a folder without knowing, and others share it where they have different devices.
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

// Transactions that wait for the thread. One more is refused: no_resource. A device has one.
constexpr std::size_t kMaxWaiting = 65536;
// That become durable together.
constexpr std::size_t kMaxGroup = 256;

struct DatabaseOptions {
  // Empty: there is none, and what is to be kept is refused.
  std::string folder;
  // Somebody named the folder. A default one that this user cannot look into holds nothing of
  // theirs.
  bool given = true;
  // For how long from now on one waits for who else uses an object, which may be a process that was
  // killed.
  std::chrono::milliseconds patience = engine::kRestartPatience;
  // Which files of earlier versions may hold what is asked for; empty: none are looked for. They
  // are taken over the first time that they are seen.
  std::function<std::vector<OldFile>(const Object& object, std::string_view key)> old_files{};
  // SQLite's seam to the system, by name, for tests; null: its own.
  const char* vfs = nullptr;
};

class Database final : public Store {
 public:
  // Starts the thread; the folder is not touched. no_resource.
  static Result<std::unique_ptr<Database>> open(const DatabaseOptions& options);
  // All changes have ended, or their waits were given up. Before the shards.
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
  // What came of it; who has waited for long enough gives up.
  Result<void> outcome_of(Job& job);
  Result<void> wait_for(const std::shared_ptr<Job>& job);

  // The thread.
  void work();
  Jobs take_group();
  void run(const Jobs& group);
  void finish(const Jobs& group);

  const std::string folder_;
  const std::unique_ptr<Keeper> keeper_;  // the thread's

  std::mutex mutex_;
  std::condition_variable waiting_changed_;
  std::condition_variable finished_;
  std::deque<std::shared_ptr<Job>> waiting_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace lunar::state

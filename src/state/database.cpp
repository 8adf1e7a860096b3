#include "state/database.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/start_thread.h"
#include "engine/shard.h"
#include "state/keeper.h"

namespace lunar::state {

// A transaction, or a record to load. Shared by the waiter and the thread.
struct Database::Job {
  enum class State : unsigned char {
    waiting,   // in waiting_
    running,   // the thread has taken it
    finished,  // the outcome is set
    given_up,  // the waiter has gone; the thread undoes what it has done
  };
  struct Wanted {
    Object object;
    std::string key;
  };

  Transaction transaction{};
  std::optional<Wanted> wanted{};
  std::function<void()> tell{};  // called on the thread when finished

  State state = State::waiting;  // under mutex_, like all members below until it has finished
  Result<void> outcome{};
  std::optional<Record> found{};
  std::vector<Before> before{};
};

namespace {

Result<void> check_bounds(const Transaction& transaction) {
  for (const Change& change : transaction) {
    if (change.key.size() > kMaxKeyBytes) {
      return fail(ErrorCode::no_resource,
                  fmt::format("state: a key has more than {} bytes", kMaxKeyBytes));
    }
    if (change.record && to_text(*change.record).size() > kMaxRecordBytes) {
      return fail(ErrorCode::no_resource,
                  fmt::format("state: record {} of {} has more than {} bytes", change.key,
                              change.object.name(), kMaxRecordBytes));
    }
  }
  return {};
}

// What a coroutine waits for. Shared, because the thread may signal it after the waiter has given
// up.
struct Waiting {
  engine::Event ended;
};

struct Alarm : engine::Timer {
  explicit Alarm(Waiting& the_waiting)
      : engine::Timer(
            [](engine::Runnable& self) noexcept { static_cast<Alarm&>(self).waiting.ended.set(); }),
        waiting(the_waiting) {}
  Waiting& waiting;
};

}  // namespace

Result<std::unique_ptr<Database>> Database::open(const DatabaseOptions& options) {
  std::unique_ptr<Database> database(new Database(options));
  Database& self = *database;
  LUNAR_TRY_ASSIGN(self.thread_, start_thread("state", [&self] { self.work(); }));
  return database;
}

Database::Database(const DatabaseOptions& options)
    : folder_(options.folder), keeper_(std::make_unique<Keeper>(options)) {}

Database::~Database() {
  {
    const std::scoped_lock lock(mutex_);
    ending_ = true;
  }
  waiting_changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

std::string Database::place_of(const Object& object, std::string_view key) const {
  return keeper_->place_of(object, key);
}

// ---- The callers' side

Result<void> Database::post(const std::shared_ptr<Job>& job) {
  {
    const std::scoped_lock lock(mutex_);
    if (waiting_.size() >= kMaxWaiting)
      return fail(ErrorCode::no_resource, fmt::format("state {}: too many changes wait", folder_));
    waiting_.push_back(job);
  }
  waiting_changed_.notify_one();
  return {};
}

Result<void> Database::outcome_of(Job& job) {
  const std::scoped_lock lock(mutex_);
  if (job.state == Job::State::finished) return std::move(job.outcome);
  if (job.state == Job::State::waiting)
    std::erase_if(waiting_, [&job](const auto& each) { return each.get() == &job; });
  job.state = Job::State::given_up;
  return fail(ErrorCode::cancelled,
              fmt::format("state {}: the disk that it lies on does not answer in time", folder_));
}

engine::Task<Result<void>> Database::commit(Transaction transaction, std::uint64_t patience_ns) {
  Result<void> fits = check_bounds(transaction);
  if (!fits) co_return fits;
  engine::Shard& home = *engine::Shard::current();
  const auto waiting = std::make_shared<Waiting>();
  const auto job = std::make_shared<Job>(Job{.transaction = std::move(transaction)});
  job->tell = [&home, waiting] { home.post_foreign([waiting] { waiting->ended.set(); }); };
  Alarm alarm(*waiting);
  home.arm(alarm, home.now_ns() + patience_ns);
  Result<void> posted = post(job);
  if (!posted) co_return posted;
  co_await waiting->ended;
  co_return outcome_of(*job);
}

Result<void> Database::wait_for(const std::shared_ptr<Job>& job) {
  LUNAR_TRY(post(job));
  {
    std::unique_lock lock(mutex_);
    finished_.wait_for(lock, std::chrono::nanoseconds(kPatienceNs),
                       [&job] { return job->state == Job::State::finished; });
  }
  return outcome_of(*job);
}

Result<void> Database::commit_blocking(Transaction transaction) {
  LUNAR_TRY(check_bounds(transaction));
  return wait_for(std::make_shared<Job>(Job{.transaction = std::move(transaction)}));
}

Result<std::optional<Record>> Database::load(const Object& object, std::string_view key) {
  const auto job = std::make_shared<Job>(Job{.wanted = Job::Wanted{object, std::string(key)}});
  LUNAR_TRY(wait_for(job));
  return std::move(job->found);
}

// ---- The thread

void Database::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    waiting_changed_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    const Jobs group = take_group();
    lock.unlock();
    run(group);
    finish(group);
    lock.lock();
  }
}

// Takes the transactions up to the next load, or that load.
Database::Jobs Database::take_group() {
  Jobs group;
  while (!waiting_.empty() && group.size() < kMaxGroup) {
    const bool reads = waiting_.front()->wanted.has_value();
    if (reads && !group.empty()) break;
    waiting_.front()->state = Job::State::running;
    group.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
    if (reads) break;
  }
  return group;
}

void Database::run(const Jobs& group) {
  if (group.front()->wanted) {
    Job& job = *group.front();
    auto found = keeper_->load(job.wanted->object, job.wanted->key);
    if (found) {
      job.found = std::move(*found);
    } else {
      job.outcome = std::unexpected(std::move(found).error());
    }
    return;
  }
  std::vector<Work> works(group.size());
  for (std::size_t i = 0; i < group.size(); ++i) works[i].transaction = &group[i]->transaction;
  keeper_->commit(works);
  for (std::size_t i = 0; i < group.size(); ++i) {
    group[i]->outcome = std::move(works[i].outcome);
    group[i]->before = std::move(works[i].before);
  }
}

void Database::finish(const Jobs& group) {
  std::vector<Before> unwanted;
  {
    const std::scoped_lock lock(mutex_);
    for (const auto& job : group) {
      if (job->state == Job::State::given_up) {
        if (job->outcome) std::ranges::move(job->before, std::back_inserter(unwanted));
      } else {
        job->state = Job::State::finished;
      }
    }
  }
  finished_.notify_all();
  for (const auto& job : group) {
    // From here on even a caller that gives up gets the outcome.
    if (job->tell && job->state == Job::State::finished) job->tell();
  }
  if (!unwanted.empty()) keeper_->take_back(std::move(unwanted));
}

}  // namespace lunar::state

#include "engine/shard_group.h"

#include <fmt/format.h>
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <future>
#include <new>

#include "base/log.h"
#include "base/size.h"
#include "base/start_thread.h"

namespace lunar::engine {
namespace {

constexpr int kMaxCores = CPU_SETSIZE;

Result<void> pin_to(int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(core), &set);
  if (const int error = pthread_setaffinity_np(pthread_self(), sizeof set, &set); error != 0) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("cannot run on core {}: {}", core, std::strerror(error)));
  }
  return {};
}

bool parse_number(std::string_view text, int& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && value >= 0 &&
         value < kMaxCores;
}

}  // namespace

std::vector<int> allowed_cores() {
  std::vector<int> cores;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return {0};
  for (int core = 0; core < kMaxCores; ++core) {
    if (CPU_ISSET(static_cast<std::size_t>(core), &set)) cores.push_back(core);
  }
  return cores;
}

Result<std::vector<int>> parse_cores(const std::string& text) {
  const auto bad = [&](std::string_view why) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("'{}' is no number of shards and no list of cores (2, or 0,2-3): {}",
                            text, why));
  };
  const std::vector<int> allowed = allowed_cores();
  if (text.find_first_of(",-") == std::string::npos) {
    int count = 0;
    if (!parse_number(text, count) || count == 0) return bad("not a number from 1 up");
    if (static_cast<std::size_t>(count) > allowed.size()) {
      return bad(fmt::format("this process may use {} cores", allowed.size()));
    }
    return std::vector<int>(allowed.begin(), allowed.begin() + count);
  }
  std::vector<int> cores;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    const std::string_view item = std::string_view(text).substr(at, comma - at);
    const std::size_t dash = item.find('-');
    int first = 0;
    int last = 0;
    if (!parse_number(item.substr(0, dash), first))
      return bad(fmt::format("'{}' is no core", item));
    last = first;
    if (dash != std::string_view::npos &&
        (!parse_number(item.substr(dash + 1), last) || last < first)) {
      return bad(fmt::format("'{}' is no range of cores", item));
    }
    for (int core = first; core <= last; ++core) cores.push_back(core);
    at = comma + 1;
  }
  for (const int core : cores) {
    if (std::ranges::count(cores, core) > 1) return bad(fmt::format("core {} stands twice", core));
    if (std::ranges::count(allowed, core) == 0)
      return bad(fmt::format("this process may not use core {}", core));
  }
  return cores;
}

Result<std::unique_ptr<ShardGroup>> ShardGroup::start(const ShardGroupOptions& options) {
  // Before the shards exist: the log's thread must not share a core with one.
  LUNAR_TRY(log::start());
  std::unique_ptr<ShardGroup> group(new ShardGroup);
  LUNAR_TRY(group->add_members(options));
  for (const auto& member : group->members_) LUNAR_TRY(start_member(*member));
  return group;
}

Result<void> ShardGroup::add_members(const ShardGroupOptions& options) try {
  const std::size_t count = std::max<std::size_t>(options.cores.size(), 1);
  for (std::size_t i = 0; i < count; ++i) {
    auto member = std::make_unique<Member>();
    LUNAR_TRY_ASSIGN(member->driver, UringDriver::create());
    member->network = std::make_unique<UringNetwork>(*member->driver);
    member->core = options.cores.empty() ? -1 : options.cores[i];
    const ShardEnvironment environment{.clock = clock_,
                                       .driver = *member->driver,
                                       .network = *member->network,
                                       .seed = Prng::system_seed(),
                                       .pool_bytes = options.pool_bytes,
                                       .max_spin_ns = options.max_spin_ns,
                                       .blocking_worker = options.blocking_worker};
    member->shard = std::make_unique<Shard>(static_cast<unsigned>(i), environment);
    shards_.push_back(member->shard.get());
    members_.push_back(std::move(member));
  }
  Shard::connect(shards_);
  return {};
} catch (const std::bad_alloc&) {
  return fail(ErrorCode::no_resource,
              fmt::format("no memory for the buffers of a shard, {} of address space each (see "
                          "ulimit -v and vm.overcommit_memory)",
                          format_size(options.pool_bytes)));
}

Result<void> ShardGroup::start_member(Member& member) {
  std::promise<Result<void>> started;
  auto outcome = started.get_future();
  const std::string name = fmt::format("shard-{}", member.shard->index());
  auto body = [&member, started = std::move(started)]() mutable {
    Result<void> ready = member.core < 0 ? Result<void>() : pin_to(member.core);
    if (ready) ready = member.driver->enable();
    const bool good = ready.has_value();
    started.set_value(std::move(ready));
    if (good) member.shard->run();
    // Closes the ring on the submitting thread, with all operations in it. The driver stays,
    // because request_stop() and messages of other shards may still be about to wake it.
    Shard::bind(member.shard.get());
    member.driver->close_ring();
    Shard::bind(nullptr);
  };
  LUNAR_TRY_ASSIGN(member.thread, start_thread(name.c_str(), std::move(body)));
  return outcome.get();
}

ShardGroup::~ShardGroup() {
  for (const auto& member : members_) member->shard->request_stop();
  for (const auto& member : members_) {
    if (member->thread.joinable()) member->thread.join();
  }
}

namespace {
// Owns the promise, because the waiting thread may end before set_value() returns.
Task<void> then_tell(Task<void> task, std::promise<void> finished) {
  co_await task;
  finished.set_value();
}
}  // namespace

void ShardGroup::run_on(std::size_t index, const std::function<Task<void>()>& make) {
  std::promise<void> finished;
  const std::future<void> ended = finished.get_future();
  shard(index).post_foreign([&] { then_tell(make(), std::move(finished)).detach(); });
  ended.wait();
}

}  // namespace lunar::engine

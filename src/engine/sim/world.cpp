#include "engine/sim/world.h"

#include <algorithm>
#include <cassert>

namespace lunar::engine::sim {

std::optional<std::uint64_t> SimDriver::next_event_ns() const {
  if (events_.empty()) return std::nullopt;
  return events_.begin()->first;
}

bool SimDriver::poll() {
  bool worked = false;
  while (!events_.empty() && events_.begin()->first <= clock_.now_ns()) {
    auto event = std::move(events_.begin()->second);
    events_.erase(events_.begin());
    event();
    worked = true;
  }
  return worked;
}

void SimDriver::wait(std::optional<std::uint64_t> deadline_ns) {
  const auto event = next_event_ns();
  if (event && (!deadline_ns || *event < *deadline_ns)) deadline_ns = event;
  if (deadline_ns) clock_.advance_to(*deadline_ns);
  poll();
}

World::World(std::uint64_t seed, std::size_t shards, std::size_t pool_bytes)
    : prng_(seed), files_(*this) {
  for (std::size_t i = 0; i < shards; ++i) {
    auto member = std::make_unique<Member>(*this);
    const ShardEnvironment environment{.clock = clock_,
                                       .driver = member->driver,
                                       .network = member->network,
                                       .seed = prng_.next(),
                                       .pool_bytes = pool_bytes,
                                       .max_spin_ns = 0};
    member->shard = std::make_unique<Shard>(static_cast<unsigned>(i), environment);
    members_.push_back(std::move(member));
  }
  const auto all = this->shards();
  Shard::connect(all);
  Shard::bind(all.front());
}

World::~World() { Shard::bind(nullptr); }

std::vector<Shard*> World::shards() {
  std::vector<Shard*> all;
  for (const auto& member : members_) all.push_back(member->shard.get());
  return all;
}

bool World::step() {
  bool worked = false;
  for (const auto& member : members_) {
    Shard::bind(member->shard.get());
    worked = member->shard->run_once() || worked;
  }
  // Time advances while shards sleep, and a sleeping shard has parked its pollers.
  for (const auto& member : members_) {
    if (worked) break;
    Shard::bind(member->shard.get());
    member->shard->park_pollers();
  }
  Shard::bind(members_.front()->shard.get());
  if (worked) return true;
  std::optional<std::uint64_t> next;
  for (const auto& member : members_) {
    for (const auto candidate :
         {member->driver.next_event_ns(), member->shard->next_deadline_ns()}) {
      if (candidate && (!next || *candidate < *next)) next = candidate;
    }
  }
  if (!next) return false;
  clock_.advance_to(*next);
  return true;
}

bool World::run_until(const std::function<bool()>& done) {
  while (!done()) {
    if (!step()) return done();
  }
  return true;
}

void World::run_for(std::uint64_t duration_ns) {
  bool over = false;
  members_.front()->driver.at(clock_.now_ns() + duration_ns, [&] { over = true; });
  run_until([&] { return over; });
}

namespace {
Task<void> then_set(Task<void> task, bool* flag) {
  co_await task;
  *flag = true;
}
}  // namespace

void World::run(const std::function<Task<void>()>& make, std::size_t index) {
  bool finished = false;
  Shard::bind(&shard(index));
  then_set(make(), &finished).detach();
  [[maybe_unused]] const bool ended = run_until([&] { return finished; });
  assert(ended && "the coroutine waits for something that never happens");
}

}  // namespace lunar::engine::sim

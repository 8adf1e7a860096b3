#include "block/disk.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <utility>

#include "base/log.h"
#include "block/disk_events.h"
#include "engine/gate.h"

namespace lunar::block {
namespace {

const char* to_string(Access access) {
  switch (access) {
    case Access::read: return "read";
    case Access::write: return "write";
    case Access::exclusive: return "exclusive";
  }
  return "";
}

bool may_be_beside(Access one, Access other) {
  if (one == Access::read || other == Access::read) return true;
  return one == Access::write && other == Access::write;
}

bool takes_away(const DiskState& before, const DiskState& next) {
  return next.capacity < before.capacity || (next.write_protected && !before.write_protected);
}

template <class Visit>
engine::Task<void> visit_there(engine::Shard& shard, const std::unique_ptr<Front>& front,
                               Visit& visit) {
  auto call = [&front, &visit] {
    if (front != nullptr) visit(*front);
  };
  if (engine::Shard::current() == &shard) {
    call();
    co_return;
  }
  auto there = engine::call_on(shard, call);
  co_await there;
}

}  // namespace

// ---- Claims

void Claim::release() {
  if (disk_ != nullptr) std::exchange(disk_, nullptr)->release(id_);
}

Device& Claim::device() const { return disk_->device(); }

Result<void> Claim::take_write_access() {
  const auto holder = std::ranges::find(disk_->holders_, id_, &Disk::Holder::id);
  if (holder->access != Access::read) return {};
  LUNAR_TRY(disk_->check_beside(Access::write, holder->describe(), id_));
  holder->access = Access::write;
  return {};
}

void Claim::begin_resize(std::optional<ByteCount> size, Reply<BlockCount> reply) {
  if (const auto owners = disk_->owners(); owners.size() > 1) {
    return reply.send(fail(ErrorCode::busy, fmt::format("device {} is used by {} and {}",
                                                        disk_->name(), owners[0], owners[1])));
  }
  device().begin_resize(size, reply_through<BlockCount>(std::move(reply), [disk = disk_](auto now) {
                          disk->state_.capacity = disk->device().limits().capacity;
                          return now;
                        }));
}

std::string Disk::Holder::describe() const {
  return owner_device.empty() ? owner : fmt::format("{} {}", owner, owner_device);
}

// That `owner`, whose claim is or would be `id`, may have it so.
Result<void> Disk::check_beside(Access access, const std::string& owner, std::uint64_t id) const {
  if (access != Access::read && !device_.capabilities().writable)
    return fail(ErrorCode::permission, fmt::format("device '{}' is read-only", name()));
  for (const Holder& holder : holders_) {
    if (holder.id == id || may_be_beside(access, holder.access)) continue;
    return fail(ErrorCode::busy,
                fmt::format("device '{}' is claimed for writing by {}; {} cannot have it", name(),
                            holder.describe(), owner));
  }
  return {};
}

Result<Claim> Disk::claim(Access access, std::string owner, std::string owner_device) {
  Holder holder{next_id_++, access, std::move(owner), std::move(owner_device)};
  if (closing_) {
    return fail(ErrorCode::busy, fmt::format("device '{}' is being closed; {} cannot have it",
                                             name(), holder.describe()));
  }
  LUNAR_TRY(check_beside(access, holder.describe(), holder.id));
  holders_.push_back(std::move(holder));
  return Claim(*this, holders_.back().id);
}

std::vector<std::string> Disk::owners() const {
  std::vector<std::string> names;
  for (const Holder& holder : holders_)
    names.push_back(fmt::format("{} ({})", holder.describe(), to_string(holder.access)));
  return names;
}

const Disk::Holder* Disk::exclusive_holder() const {
  const auto found = std::ranges::find(holders_, Access::exclusive, &Holder::access);
  return found == holders_.end() ? nullptr : &*found;
}

void Disk::rename_owner(std::string_view owner_device, const std::string& new_name) {
  for (Holder& holder : holders_) {
    if (holder.owner_device == owner_device) holder.owner_device = new_name;
  }
}

Result<void> Disk::begin_closing() {
  if (!holders_.empty()) {
    return fail(ErrorCode::busy,
                fmt::format("device '{}' is used by {}", name(), holders_.front().describe()));
  }
  if (device_.unanswered() != 0)
    return fail(ErrorCode::busy, fmt::format("device '{}' gives no answer", name()));
  closing_ = true;
  return {};
}

void Disk::release(std::uint64_t id) {
  std::erase_if(holders_, [&](const Holder& holder) { return holder.id == id; });
}

Disk::Stage Disk::stage() const {
  if (closing_) return Stage::closing;
  if (lost_) return Stage::lost;
  return fronts_without_channel_ == 0 ? Stage::ready : Stage::opening;
}

// ---- Fronts

Disk::Disk(Device& device, std::span<engine::Shard* const> shards, std::uint64_t patience_ns)
    : device_(device),
      shards_(shards.begin(), shards.end()),
      patience_ns_(patience_ns),
      statistics_(std::make_unique<DeviceStatistics>(shards.size())),
      range_locks_(shards),
      parts_(shards.size()),
      state_{device.limits().capacity, !device.capabilities().writable},
      events_(std::make_shared<Events>(*this)) {
  device_.add_listener(*events_);
}

Disk::~Disk() {
  device_.remove_listener(*events_);
  events_->stop();
  assert(std::ranges::all_of(parts_, [](const Part& part) { return part.front == nullptr; }) &&
         "destroyed while it is open");
  assert(holders_.empty() && "a claim outlives its disk");
}

// By way of the home shard, so that neither the state nor the device's size changes meanwhile.
engine::Task<Result<Front*>> Disk::open(engine::Shard& shard) {
  auto from_home = [this, &shard] { return open_from_home(shard); };
  auto there = engine::await_on(home(), from_home);
  co_return co_await there;
}

engine::Task<Result<Front*>> Disk::open_from_home(engine::Shard& shard) {
  const engine::Mutex::Holder holder = co_await changing_.lock();
  if (closing_) co_return fail(ErrorCode::busy, fmt::format("device '{}' is being closed", name()));
  auto open = [this, &shard] { return open_there(shard); };
  auto there = engine::await_on(shard, open);
  co_return co_await there;
}

engine::Task<Result<Front*>> Disk::open_there(engine::Shard& shard) {
  assert(shards_[shard.index()] == &shard);
  Part& part = parts_[shard.index()];
  if (part.front == nullptr) {
    const Reach reach{patience_ns_, lost_, &fronts_without_channel_};
    auto opened = Front::open(device_, shard, *statistics_, reach);
    if (!opened) co_return std::unexpected(opened.error());
    part.front = std::move(*opened);
    part.front->set_capacity(state_.capacity);
    part.front->set_writable(!state_.write_protected);
    co_await range_locks_.join(*part.front);
  }
  ++part.users;
  co_return part.front.get();
}

engine::Task<void> Disk::close(engine::Shard& shard) {
  auto from_home = [this, &shard] { return close_from_home(shard); };
  auto there = engine::await_on(home(), from_home);
  co_await there;
}

engine::Task<void> Disk::close_from_home(engine::Shard& shard) {
  const engine::Mutex::Holder holder = co_await changing_.lock();
  auto close = [this, &shard] { return close_there(shard); };
  auto there = engine::await_on(shard, close);
  co_await there;
}

engine::Task<void> Disk::close_there(engine::Shard& shard) {
  Part& part = parts_[shard.index()];
  assert(part.users != 0);
  if (--part.users != 0) co_return;
  co_await part.front->drain();
  range_locks_.leave(*part.front);  // what it has frozen holds nobody any more
  co_await part.front->stop();
  part.front.reset();
}

// visit(Front&) on every shard that has one, on all at once.
template <class Visit>
engine::Task<void> Disk::on_each_front(Visit& visit) {
  engine::Gate visits;
  for (engine::Shard* shard : shards_)
    visits.spawn(visit_there(*shard, parts_[shard->index()].front, visit));
  co_await visits.close();
}

engine::Task<void> Disk::keep_lent_data(std::span<const iovec> memory) {
  auto keep = [memory](Front& front) { front.keep_lent_data(memory); };
  co_await on_each_front(keep);
}

// ---- Changes of the state

engine::Task<Result<void>> Disk::resize(std::optional<ByteCount> size) {
  auto at_home = [this, size] { return resize_at_home(size); };
  auto there = engine::await_on(home(), at_home);
  co_return co_await there;
}

engine::Task<Result<void>> Disk::resize_at_home(std::optional<ByteCount> size) {
  const engine::Mutex::Holder holder = co_await changing_.lock();
  if (const Holder* owner = exclusive_holder())
    co_return fail(ErrorCode::busy, fmt::format("is used by {}: resize that", owner->describe()));
  if (late_resize_.ask != nullptr)
    co_return fail(ErrorCode::busy, "it has not answered what it was asked before");
  DiskState next = state_;
  const BlockCount before = next.capacity;
  if (size) next.capacity = BlockCount(size->value / device_.limits().block_size);
  if (next.capacity < before) {
    auto shrinking = change(next);
    Result<void> shrunk = co_await shrinking;
    if (!shrunk) co_return shrunk;
  }
  auto asking = ask_to_resize(size);
  const Result<BlockCount> now = co_await asking;
  if (late_resize_.ask != nullptr) co_return std::unexpected(now.error());
  next.capacity = now.value_or(before);
  auto changing = change(next);
  Result<void> changed = co_await changing;
  if (!now) co_return std::unexpected(now.error());
  co_return changed;
}

engine::Task<Result<BlockCount>> Disk::ask_to_resize(std::optional<ByteCount> size) {
  auto ask = std::make_unique<Ask<BlockCount>>(device_, home());
  ask->begin([&](auto reply) { device_.begin_resize(size, std::move(reply)); });
  auto waiting = ask->until(home().now_ns() + kDeviceDeadlineNs);
  const bool answered = co_await waiting;
  if (answered) co_return ask->take();
  ask->when_answered(late_resize_);
  late_resize_.ask = std::move(ask);
  co_return fail(ErrorCode::io,
                 fmt::format("it gives no answer for {} s: its size may still change",
                             kDeviceDeadlineNs / engine::kSecond));
}

// It has become as large as it says now.
void Disk::late_resize_answered() {
  late_resize_.ask.reset();
  events_->heard(DeviceEvent::resized);
}

engine::Task<Result<void>> Disk::set_write_protected(bool on) {
  auto at_home = [this, on] { return protect_at_home(on); };
  auto there = engine::await_on(home(), at_home);
  co_return co_await there;
}

engine::Task<Result<void>> Disk::protect_at_home(bool on) {
  const engine::Mutex::Holder holder = co_await changing_.lock();
  if (!on && !device_.capabilities().writable)
    co_return fail(ErrorCode::permission, "it is read-only");
  DiskState next = state_;
  next.write_protected = on;
  auto changing = change(next);
  co_return co_await changing;
}

// What is taken away is told first, so that users can refuse it, and what they have let in before
// is waited for. What is given is told when it is there.
engine::Task<Result<void>> Disk::change(DiskState next) {
  const DiskState before = state_;
  if (next == before) co_return Result<void>();
  const bool takes = takes_away(before, next);
  if (takes) {
    auto telling = tell_users(next);
    Result<void> agreed = co_await telling;
    if (!agreed) co_return agreed;
  }
  state_ = next;
  auto obey = [next](Front& front) {
    front.set_capacity(next.capacity);
    front.set_writable(!next.write_protected);
  };
  co_await on_each_front(obey);
  if (!takes) {
    auto telling = tell_users(next);
    (void)co_await telling;
  } else if (next.capacity < before.capacity) {
    co_await settle({Lba(next.capacity.value), before.capacity - next.capacity}, Exclusion::all);
  } else {
    co_await settle({Lba(0), before.capacity}, Exclusion::writes);
  }
  co_return Result<void>();
}

engine::Task<Result<void>> Disk::tell_users(DiskState next) {
  for (DiskUser& user : users_) {
    auto telling = user.adopt(next);
    Result<void> agreed = co_await telling;
    if (agreed || !takes_away(state_, next)) continue;
    for (DiskUser& told : users_) {
      if (&told == &user) break;
      auto telling_again = told.adopt(state_);
      (void)co_await telling_again;
    }
    co_return agreed;
  }
  co_return Result<void>();
}

// Completes when what has been let into the range under the old state is over: requests, leases,
// and sequences that have some of it for themselves.
engine::Task<void> Disk::settle(Range range, Exclusion exclusion) {
  RangeLocks::Hold hold(range, exclusion);
  co_await range_locks_.lock(hold);
  co_await range_locks_.unlock(hold);
}

// ---- What the device tells

engine::Task<void> Disk::handle_events(std::shared_ptr<Events> events) {
  while (const auto news = events->take()) {
    if (news->lost) co_await lose();
    if (news->back) co_await come_back();
    if (!news->resized) continue;
    auto taking = resize_at_home(std::nullopt);
    const Result<void> taken = co_await taking;
    // One that carries a layer is resized by that, which has heard it, too.
    if (!taken && taken.error().code != ErrorCode::busy)
      log::error("device {}: its new size cannot be taken: {}", name(), taken.error().message);
  }
}

engine::Task<void> Disk::lose() {
  const engine::Mutex::Holder holder = co_await changing_.lock();
  if (lost_.exchange(true)) co_return;
  log::warning("device {}: lost; its commands wait for up to {} s", name(),
               patience_ns_ / engine::kSecond);
  auto visit = [](Front& front) { front.lose(); };
  co_await on_each_front(visit);
}

engine::Task<void> Disk::come_back() {
  const engine::Mutex::Holder holder = co_await changing_.lock();
  if (!lost_.exchange(false)) co_return;
  log::warning("device {}: back", name());
  auto visit = [](Front& front) { front.reopen(); };
  co_await on_each_front(visit);
  for (DiskUser& user : users_) co_await user.came_back();
}

engine::Task<Result<void>> Disk::close_device(std::uint64_t wait_ns) {
  auto at_home = [this, wait_ns] { return close_at_home(wait_ns); };
  auto there = engine::await_on(home(), at_home);
  co_return co_await there;
}

engine::Task<Result<void>> Disk::close_at_home(std::uint64_t wait_ns) {
  const engine::Mutex::Holder holder = co_await changing_.lock();
  if (std::exchange(device_closed_, true)) co_return Result<void>();
  Ask<void> ask(device_, home());
  ask.begin([this](auto reply) { device_.begin_close(std::move(reply)); });
  auto waiting = ask.until(home().now_ns() + wait_ns);
  const bool answered = co_await waiting;
  if (!answered) co_return fail(ErrorCode::io, "it gives no answer, and is not closed");
  co_return ask.take();
}

}  // namespace lunar::block

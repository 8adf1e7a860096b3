#include "block/front.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cassert>
#include <cstring>
#include <new>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/log.h"
#include "block/check_device.h"
#include "block/iov.h"
#include "block/zero_area.h"
#include "engine/gate.h"

namespace lunar::block {
namespace {

std::uint64_t or_unlimited(BlockCount limit) { return limit.value == 0 ? UINT64_MAX : limit.value; }

// For assertions: the buffers are as long as the op wants.
[[maybe_unused]] bool buffers_match(const Request& request, std::uint64_t block_size) {
  switch (request.op) {
    case Op::read:
      if ((request.flags & kLend) != 0) return true;
      [[fallthrough]];
    case Op::write:
    case Op::compare: return total_bytes(request.buffers()) == request.count.value * block_size;
    case Op::write_same: return total_bytes(request.buffers()) == block_size;
    case Op::flush:
    case Op::unmap:
    case Op::write_zeroes: return true;
  }
  return false;
}

}  // namespace

Result<std::unique_ptr<Front>> Front::open(Device& device, engine::Shard& shard,
                                           DeviceStatistics& statistics, const Reach& reach) {
  LUNAR_TRY(check_device(device));
  try {
    (void)zero_area();  // made now, rather than in the midst of an I/O
    std::unique_ptr<Front> front(new Front(device, shard, statistics, reach));
    LUNAR_TRY(front->channel_.open());
    return front;
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::no_resource, fmt::format("device {}: out of memory", device.name()));
  }
}

Front::Front(Device& device, engine::Shard& shard, DeviceStatistics& statistics, const Reach& reach)
    : device_(device),
      shard_(shard),
      limits_(device.limits()),
      capabilities_(device.capabilities()),
      statistics_(statistics.on(shard.index())),
      capacity_(limits_.capacity.value),
      writable_(capabilities_.writable),
      max_consumer_blocks_(kMaxTransferBytes / limits_.block_size),
      channel_(device, shard, in_flight_, reach),
      emulator_(device, channel_, shard) {
  for (const bool fua : {false, true}) {
    for (std::size_t op = 0; op < kOpCount; ++op) {
      plans_[fua][op] = plan(static_cast<Op>(op), fua, limits_, capabilities_);
    }
  }
}

Front::~Front() { assert(users_.empty() && "destroyed while somebody uses it"); }

// Decided once, so that submit() only looks it up.
Front::Plan Front::plan(Op op, bool fua, const Limits& limits, const Capabilities& capabilities) {
  const bool needs_flush = fua && capabilities.volatile_cache;
  const Plan emulated{Route::emulate};
  const Plan clearing{Route::native, or_unlimited(limits.max_unmap)};
  const Plan moving{Route::native, or_unlimited(limits.max_transfer), true};
  switch (op) {
    case Op::read: return moving;  // FUA: nothing is between the medium and us that could be stale
    case Op::write: return needs_flush && !capabilities.fua ? emulated : moving;
    case Op::flush: return {capabilities.volatile_cache ? Route::native : Route::succeed};
    case Op::unmap:
      if (!capabilities.unmap) return {Route::refuse};
      return needs_flush ? emulated : clearing;
    case Op::write_zeroes: return capabilities.write_zeroes && !needs_flush ? clearing : emulated;
    case Op::write_same:
    case Op::compare: return emulated;
  }
  return {Route::refuse};
}

void Front::submit(Request& request) {
  request.shard = &shard_;
  if (frozen_.any() && must_wait(request)) [[unlikely]] {
    in_flight_.enter_standing();
    parked_.push_back(request);
    return;
  }
  start(request, in_flight_.enter());
}

void Front::submit_as_holder(Request& request) {
  request.shard = &shard_;
  start(request, in_flight_.enter());
}

void Front::start(Request& request, InFlight::Generation generation) {
  assert(request.layers == 0 && "requests come to Front without frames");
  assert((request.flags & kLend) == 0 || (request.op == Op::read && capabilities_.lend));
  assert(buffers_match(request, limits_.block_size));
  request.flags |= standing_flags_;
  request.push_layer<Frame>(&Front::completed) = {this, shard_.now_ns(), false, generation};

  if (const Status refusal = check(request); refusal != Status::ok) [[unlikely]] {
    request.complete(refusal);
    return;
  }
  switch (route(request)) {
    case Route::native: channel_.submit(request); return;
    case Route::succeed: request.complete(Status::ok); return;
    case Route::emulate: emulate(request, false); return;
    case Route::refuse: request.complete(Status::unsupported); return;
  }
}

Status Front::check(const Request& request) const {
  if (request.has_range()) {
    if (!range_fits(request.lba.value, request.count.value, capacity_)) return Status::out_of_range;
    const bool has_data =
        request.op == Op::read || request.op == Op::write || request.op == Op::compare;
    if (has_data && request.count.value > max_consumer_blocks_) return Status::out_of_range;
    if (request.is_write() && !writable_) return Status::write_protected;
  }
  return Status::ok;
}

Front::Route Front::route(const Request& request) const {
  const Plan& plan = plans_[(request.flags & kFua) != 0][static_cast<std::size_t>(request.op)];
  if (plan.route == Route::refuse || request.op == Op::flush) return plan.route;
  if (request.count.value == 0) return Route::succeed;
  if (plan.route != Route::native) return plan.route;
  const bool fits =
      request.count.value <= plan.max_blocks && (!plan.moves_data || is_aligned(request, limits_));
  return fits ? Route::native : Route::emulate;
}

void Front::emulate(Request& request, bool refused) {
  request.layer_state<Frame>().emulated = true;
  emulator_.start(request, refused);
}

void Front::completed(Request& request) noexcept {
  const Frame frame = request.layer_state<Frame>();
  Front& front = *frame.front;
  if (request.status == Status::unsupported && !frame.emulated) [[unlikely]] {
    // Natively there as a rule, but not for this request (a file system without hole punching).
    const bool clears = request.op == Op::unmap || request.op == Op::write_zeroes;
    const auto& plan = front.plans_[0][static_cast<std::size_t>(request.op)];
    if (clears && plan.route == Route::native) {
      front.emulate(request, true);
      return;
    }
  }
  front.account(request, frame.submitted_ns);
  request.pop_layer();
  request.finish();
  front.in_flight_.leave(frame.generation);  // last: whoever waits in stop() destroys the front
}

void Front::account(Request& request, std::uint64_t submitted_ns) {
  auto& counters = statistics_.ops[static_cast<std::size_t>(request.op)];
  counters.operations.add(1);
  counters.time_ns.add(shard_.now_ns() - submitted_ns);
  if (request.status == Status::ok) [[likely]] {
    if (request.has_range()) counters.bytes.add(request.count.value * limits_.block_size);
  } else if (request.status != Status::miscompare && request.status != Status::aborted) {
    counters.errors.add(1);
    tell_failure(request);
  } else {
    request.error_number = 0;
  }
}

namespace {

// Errors of the medium. The others are of whoever submits, and are told to him.
bool is_of_the_medium(Status status, bool writable) {
  switch (status) {
    case Status::not_ready:
    case Status::gone:
    case Status::no_space:
    case Status::read_error:
    case Status::write_error:
    case Status::hardware_error: return true;
    case Status::write_protected: return writable;  // it has become so by itself
    case Status::ok:
    case Status::aborted:
    case Status::out_of_range:
    case Status::miscompare:
    case Status::unsupported:
    case Status::busy: return false;
  }
  return false;
}

std::string describe(const Request& request) {
  if (!request.has_range()) return std::string(to_string(request.op));
  return fmt::format("{} of {} blocks from LBA {}", to_string(request.op), request.count.value,
                     request.lba.value);
}

}  // namespace

[[gnu::cold]] void Front::tell_failure(Request& request) {
  const int error_number = std::exchange(request.error_number, 0);
  if (!is_of_the_medium(request.status, writable_)) return;
  const std::string why = error_number == 0 ? std::string(to_string(request.status))
                                            : fmt::format("{} ({})", to_string(request.status),
                                                          std::strerror(error_number));
  log::limited(log::Level::error, device_.name(), to_string(request.status),
               "device {}{}: {} failed: {}", device_.name(), users_in_brackets(), describe(request),
               why);
}

[[gnu::cold]] void Front::tell_if_hung(Request& request) {
  if (request.layers == 0) return;  // it has come back already
  const std::uint64_t age_ns = shard_.now_ns() - request.bottom_layer_state<Frame>().submitted_ns;
  if (age_ns < kHungNs) return;
  log::limited(log::Level::warning, device_.name(), "hangs",
               "device {}{}: {} has no answer after {:.1f} s, and is aborted", device_.name(),
               users_in_brackets(), describe(request),
               static_cast<double>(age_ns) / static_cast<double>(engine::kSecond));
}

std::string Front::users_in_brackets() {
  std::vector<std::string> names;
  for (FrontUser& user : users_) {
    if (std::string name = user.name(); !name.empty()) names.push_back(std::move(name));
  }
  return names.empty() ? std::string() : fmt::format(" ({})", fmt::join(names, ", "));
}

void Front::abort(Request& request) {
  for (Request& parked : parked_) {
    if (&parked != &request) continue;
    request.unlink();
    request.complete(Status::aborted);
    in_flight_.leave_standing();
    return;
  }
  tell_if_hung(request);
  if (!emulator_.abort(request)) channel_.abort(request);
}

std::span<std::byte> Front::write_window(Lba lba, BlockCount count) {
  if (!capabilities_.write_window || !writable_) return {};
  if (!range_fits(lba.value, count.value, capacity_)) return {};
  if (frozen_.any() && frozen_.overlaps({lba, count})) return {};
  return channel_.write_window(lba, count);
}

engine::Task<void> Front::stop() {
  co_await channel_.stop();
  co_await in_flight_.close();
}

void Front::keep_lent_data(std::span<const iovec> memory) {
  for (const Borrowing& borrowing : borrowings_) {
    for (const iovec& piece : memory) {
      borrowing.borrower.keep_lent_data(
          {static_cast<const std::byte*>(piece.iov_base), piece.iov_len});
    }
  }
}

// ---- Exclusive ranges

engine::Task<void> Front::freeze(Range range, Exclusion exclusion) {
  in_flight_.enter_standing();
  frozen_.add(range, exclusion);
  if (capabilities_.write_window) {
    engine::Gate leases;
    for (FrontUser& user : users_) leases.spawn(user.leases_ended(range));
    co_await leases.close();
  }
  co_await in_flight_.drain();
  in_flight_.leave_standing();
}

void Front::thaw(const Range& range, Exclusion exclusion) {
  frozen_.remove(range, exclusion);
  List<Request> waiting;
  waiting.splice_back(parked_);
  while (!waiting.empty()) {
    Request& request = waiting.pop_front();
    if (frozen_.any() && must_wait(request)) {
      parked_.push_back(request);
    } else {
      start(request, in_flight_.start_standing());
    }
  }
}

bool Front::must_wait(const Request& request) {
  if (!frozen_.holds(request)) return false;
  if (request.op != Op::write || !capabilities_.write_window || request.iov_count != 1) return true;
  if (!range_fits(request.lba.value, request.count.value, capacity_)) return false;
  // What has come into a write window is on the medium already; freeze() waits for it.
  return request.iov->iov_base != channel_.write_window(request.lba, request.count).data();
}

}  // namespace lunar::block

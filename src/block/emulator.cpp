#include "block/emulator.h"

#include <algorithm>
#include <cstring>

#include "block/await_request.h"
#include "block/iov.h"
#include "block/zero_area.h"

namespace lunar::block {
namespace {

constexpr std::uint64_t or_unlimited(BlockCount limit) {
  return limit.value == 0 ? UINT64_MAX : limit.value;
}

}  // namespace

// One emulated request and the step that it is at. Lives in the frame of run().
class Emulator::Job : public ListHook {
 public:
  Job(Emulator& emulator, Request& request) : emulator_(emulator), request_(request) {
    step_.shard = &emulator.shard_;
    emulator.jobs_.push_back(*this);
  }

  // co_await: Status::aborted without a try when the request has been aborted.
  class Step {
   public:
    explicit Step(Job& job) : job_(job), submission_(job.step_, job.emulator_.channel_) {}
    [[nodiscard]] bool await_ready() const { return job_.aborted_; }
    void await_suspend(std::coroutine_handle<> waiter) {
      job_.in_flight_ = true;
      submission_.await_suspend(waiter);
    }
    [[nodiscard]] Status await_resume() const {
      if (!std::exchange(job_.in_flight_, false)) return Status::aborted;
      if (job_.step_.status != Status::ok) job_.request_.error_number = job_.step_.error_number;
      return job_.step_.status;
    }

   private:
    Job& job_;
    AwaitableRequest::Submission<ChannelSlot> submission_;
  };

  // `done` blocks from the start of the request, `count` blocks.
  Step step(Op op, std::uint64_t done, std::uint64_t count, std::span<iovec> buffers = {},
            RequestFlags flags = 0) {
    step_.prepare(op, request_.lba + BlockCount(done), BlockCount(count), flags);
    step_.iov = buffers.data();
    step_.iov_count = static_cast<std::uint32_t>(buffers.size());
    return Step(*this);
  }
  Step step(Op op, std::uint64_t done, std::uint64_t count, MutableBytes buffer,
            RequestFlags flags = 0) {
    step_.prepare(op, request_.lba + BlockCount(done), BlockCount(count), flags);
    step_.set_buffer(buffer.data(), buffer.size());
    return Step(*this);
  }
  // co_await: memory to work with; of nothing when the request has been aborted meanwhile.
  class Memory {
   public:
    explicit Memory(Job& job)
        : job_(job),
          take_(job.emulator_.work_buffers_.take(job.emulator_.work_bytes(job.request_))) {}
    Memory(const Memory&) = delete;
    Memory& operator=(const Memory&) = delete;
    [[nodiscard]] bool await_ready() { return take_.await_ready(); }
    void await_suspend(std::coroutine_handle<> waiter) {
      job_.taking_ = &take_;
      take_.await_suspend(waiter);
    }
    [[nodiscard]] WorkBuffers::Lease await_resume() {
      job_.taking_ = nullptr;
      return take_.await_resume();
    }

   private:
    Job& job_;
    WorkBuffers::Take take_;
  };
  Memory memory() { return Memory(*this); }

  void abort() {
    aborted_ = true;
    if (in_flight_) emulator_.channel_.abort(step_);
    if (taking_ != nullptr) taking_->cancel();
  }
  [[nodiscard]] Request& request() const { return request_; }

 private:
  Emulator& emulator_;
  Request& request_;
  AwaitableRequest step_;
  WorkBuffers::Take* taking_ = nullptr;  // waits for memory
  bool in_flight_ = false;
  bool aborted_ = false;
};

Emulator::Emulator(Device& device, ChannelSlot& channel, engine::Shard& shard)
    : channel_(channel),
      shard_(shard),
      limits_(device.limits()),
      capabilities_(device.capabilities()),
      block_size_(limits_.block_size),
      max_transfer_(or_unlimited(limits_.max_transfer)),
      max_unmap_(or_unlimited(limits_.max_unmap)),
      work_buffers_(shard) {}

Emulator::~Emulator() = default;

void Emulator::start(Request& request, bool refused) { run(request, refused).detach(); }

bool Emulator::abort(Request& request) {
  for (Job& job : jobs_) {
    if (&job.request() != &request) continue;
    job.abort();
    return true;
  }
  return false;
}

engine::Task<void> Emulator::run(Request& request, bool refused) {
  Job job(*this, request);
  Status status = co_await perform(job, refused);
  // FUA of what the medium does not do durably by itself: write, then flush.
  const bool durable = request.op == Op::write && capabilities_.fua;
  if (status == Status::ok && request.is_write() && (request.flags & kFua) != 0 && !durable &&
      capabilities_.volatile_cache) {
    status = co_await job.step(Op::flush, 0, 0);
  }
  request.complete(status);
}

engine::Task<Status> Emulator::perform(Job& job, bool refused) {
  const auto first = [&](Clearing native) { return refused ? after(native) : native; };
  switch (job.request().op) {
    case Op::read:
    case Op::write:
      return can_transfer_in_place(job.request()) ? transfer(job) : transfer_misaligned(job);
    case Op::unmap: return clear(job, first(Clearing::unmap));
    case Op::write_zeroes:
      return clear(job,
                   first(capabilities_.write_zeroes ? Clearing::write_zeroes : Clearing::write));
    case Op::write_same: return write_same(job);
    case Op::compare: return compare(job);
    case Op::flush: break;
  }
  assert(false && "a flush is never emulated");
  return transfer(job);
}

// Whether the parts of max_transfer_ blocks still lie as the channel wants: cut at a block, a
// buffer may lose an alignment that is coarser than a block.
bool Emulator::can_transfer_in_place(const Request& request) const {
  const bool cuts_keep_alignment =
      limits_.buffer_alignment <= block_size_ || request.count.value <= max_transfer_;
  return cuts_keep_alignment && is_aligned(request, limits_);
}

// Too large for the medium in one piece, or FUA that it does not know.
engine::Task<Status> Emulator::transfer(Job& job) {
  Request& request = job.request();
  const RequestFlags flags = capabilities_.fua ? request.flags & kFua : 0;
  IovWindow window({request.iov, request.iov_count});
  std::uint64_t done = 0;
  while (done != request.count.value) {
    const std::uint64_t count = std::min(max_transfer_, request.count.value - done);
    const Status status =
        co_await job.step(request.op, done, count, window.peek(bytes(count)), flags);
    if (status != Status::ok) co_return status;
    window.skip(bytes(count));
    done += count;
  }
  co_return Status::ok;
}

engine::Task<Status> Emulator::transfer_misaligned(Job& job) {
  Request& request = job.request();
  const RequestFlags flags = capabilities_.fua ? request.flags & kFua : 0;
  const WorkBuffers::Lease work = co_await job.memory();
  if (work.bytes().empty()) co_return Status::aborted;
  IovCursor cursor(request.buffers());
  std::uint64_t done = 0;
  while (done != request.count.value) {
    const std::uint64_t count = std::min(step_blocks(work.bytes()), request.count.value - done);
    const MutableBytes part = work.bytes().first(bytes(count));
    if (request.op == Op::write) cursor.copy_to(part);
    const Status status = co_await job.step(request.op, done, count, part, flags);
    if (status != Status::ok) co_return status;
    if (request.op == Op::read) cursor.copy_from(part);
    done += count;
  }
  co_return Status::ok;
}

Emulator::Clearing Emulator::after(Clearing refused) const {
  const bool try_write_zeroes = refused == Clearing::unmap && capabilities_.write_zeroes;
  return try_write_zeroes ? Clearing::write_zeroes : Clearing::write;
}

engine::Task<Status> Emulator::clear(Job& job, Clearing how) {
  Request& request = job.request();
  const Bytes zeroes = zero_area().first(kMaxStepBytes);
  const MutableBytes source(const_cast<std::byte*>(zeroes.data()), zeroes.size());  // only read
  std::uint64_t done = 0;
  while (done != request.count.value) {
    // Without the promise that unmapped blocks read as zeroes, unmap is a hint that may be ignored.
    if (request.op == Op::unmap && how != Clearing::unmap && !capabilities_.unmap_reads_zeroes)
      break;
    const std::uint64_t limit = how == Clearing::write ? step_blocks(source) : max_unmap_;
    const std::uint64_t count = std::min(limit, request.count.value - done);
    Status status = Status::ok;
    switch (how) {
      case Clearing::unmap: status = co_await job.step(Op::unmap, done, count); break;
      case Clearing::write_zeroes:
        status = co_await job.step(Op::write_zeroes, done, count, std::span<iovec>{},
                                   request.flags & kMayUnmap);
        break;
      case Clearing::write:
        status = co_await job.step(Op::write, done, count, source.first(bytes(count)));
        break;
    }
    if (status == Status::unsupported && how != Clearing::write) {
      how = after(how);
      continue;
    }
    if (status != Status::ok) co_return status;
    done += count;
  }
  co_return Status::ok;
}

engine::Task<Status> Emulator::write_same(Job& job) {
  Request& request = job.request();
  const WorkBuffers::Lease work = co_await job.memory();
  if (work.bytes().empty()) co_return Status::aborted;
  const MutableBytes block = work.bytes().first(block_size_);
  IovCursor(request.buffers()).copy_to(block);
  if (is_zero(block)) {
    co_return co_await clear(job,
                             capabilities_.write_zeroes ? Clearing::write_zeroes : Clearing::write);
  }
  const std::uint64_t pattern_blocks = std::min(step_blocks(work.bytes()), request.count.value);
  for (std::uint64_t i = 1; i < pattern_blocks; ++i) {
    std::memcpy(work.bytes().data() + bytes(i), block.data(), block.size());
  }
  std::uint64_t done = 0;
  while (done != request.count.value) {
    const std::uint64_t count = std::min(pattern_blocks, request.count.value - done);
    const Status status =
        co_await job.step(Op::write, done, count, work.bytes().first(bytes(count)));
    if (status != Status::ok) co_return status;
    done += count;
  }
  co_return Status::ok;
}

engine::Task<Status> Emulator::compare(Job& job) {
  Request& request = job.request();
  const WorkBuffers::Lease work = co_await job.memory();
  if (work.bytes().empty()) co_return Status::aborted;
  IovCursor cursor(request.buffers());
  std::uint64_t done = 0;
  while (done != request.count.value) {
    const std::uint64_t count = std::min(step_blocks(work.bytes()), request.count.value - done);
    const MutableBytes part = work.bytes().first(bytes(count));
    const Status status = co_await job.step(Op::read, done, count, part);
    if (status != Status::ok) co_return status;
    if (const auto offset = cursor.mismatch(part)) {
      request.miscompare_offset = bytes(done) + *offset;
      co_return Status::miscompare;
    }
    done += count;
  }
  co_return Status::ok;
}

std::size_t Emulator::work_bytes(const Request& request) const {
  const std::uint64_t blocks = std::min(request.count.value, kMaxStepBytes / block_size_);
  return static_cast<std::size_t>(bytes(blocks));
}

std::uint64_t Emulator::step_blocks(MutableBytes work) const {
  return std::min<std::uint64_t>(max_transfer_, work.size() / block_size_);
}

}  // namespace lunar::block

#include "far_disk.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

using namespace lunar;
using block::Status;

// ---- The far end

FarEnd::FarEnd(std::size_t bytes) : medium_(bytes), thread_([this] { serve(); }) {}

FarEnd::~FarEnd() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void FarEnd::send(std::move_only_function<void()> work) {
  const std::chrono::nanoseconds latency(random_latency_ns());
  {
    const std::scoped_lock lock(mutex_);
    works_.emplace(std::chrono::steady_clock::now() + latency, std::move(work));
  }
  changed_.notify_one();
}

std::uint64_t FarEnd::random_latency_ns() {
  const std::scoped_lock lock(mutex_);
  return std::uniform_int_distribution<std::uint64_t>(100'000, 5'000'000)(random_);
}

void FarEnd::serve() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (works_.empty()) {
      changed_.wait(lock);
    } else if (const auto due = works_.begin()->first; due > std::chrono::steady_clock::now()) {
      changed_.wait_until(lock, due);
    } else {
      auto work = std::move(works_.begin()->second);
      works_.erase(works_.begin());
      lock.unlock();
      work();
      lock.lock();
    }
  }
}

Status FarEnd::perform(block::Request& request) {
  const std::scoped_lock lock(mutex_);
  if (broken_) return Status::hardware_error;  // also a write that may have arrived: never ok
  std::byte* at = medium_.data() + request.lba.value * 512;
  for (const iovec& piece : request.buffers()) {
    if (request.op == block::Op::read) {
      std::memcpy(piece.iov_base, at, piece.iov_len);
    } else {
      std::memcpy(at, piece.iov_base, piece.iov_len);
    }
    at += piece.iov_len;
  }
  return Status::ok;
}

void FarEnd::set_broken(bool broken) {
  const std::scoped_lock lock(mutex_);
  broken_ = broken;
}
void FarEnd::set_size(std::size_t bytes) {
  const std::scoped_lock lock(mutex_);
  medium_.resize(bytes);
}
std::size_t FarEnd::size() {
  const std::scoped_lock lock(mutex_);
  return medium_.size();
}

// ---- A channel: one shard's way there

namespace {

class FarChannel final : public block::Channel, engine::Timer {
 public:
  FarChannel(engine::Shard& shard, FarEnd& far_end)
      : Timer([](Runnable& self) noexcept { static_cast<FarChannel&>(self).finish_reads(); }),
        shard_(shard),
        far_end_(far_end) {}

  void submit(block::Request& request) override {
    switch (request.op) {
      case block::Op::read: start_read(request); return;
      case block::Op::write:
        // Nothing here keeps it, so that abort() cannot find what another thread completes.
        far_end_.send([&request, &far_end = far_end_] {
          request.complete_from_any_thread(far_end.perform(request));
        });
        return;
      default: request.complete(Status::unsupported); return;  // lunar does it by writes
    }
  }

  void abort(block::Request& request) override {
    const auto found = std::ranges::find_if(
        reads_, [&](const auto& waiting) { return waiting.second == &request; });
    if (found == reads_.end()) return;
    reads_.erase(found);
    request.complete(Status::aborted);
  }

 private:
  void start_read(block::Request& request) {
    reads_.emplace(engine::now_ns(shard_) + far_end_.random_latency_ns(), &request);
    engine::arm(shard_, *this, reads_.begin()->first);
  }

  void finish_reads() {
    while (!reads_.empty() && reads_.begin()->first <= engine::now_ns(shard_)) {
      block::Request& request = *reads_.begin()->second;
      reads_.erase(reads_.begin());
      request.complete(far_end_.perform(request));
    }
    if (!reads_.empty()) engine::arm(shard_, *this, reads_.begin()->first);
  }

  engine::Shard& shard_;
  FarEnd& far_end_;
  std::multimap<std::uint64_t, block::Request*> reads_;  // by when they end
};

}  // namespace

// ---- The device

FarDisk::FarDisk(const std::string& name, std::size_t bytes)
    : Device(name, Uuid::from_name("lunar example: far " + name)), far_end_(bytes) {
  limits_.capacity = BlockCount(bytes / limits_.block_size);
}

void FarDisk::begin_open_channel(engine::Shard& shard,
                                 block::Reply<std::unique_ptr<block::Channel>> reply) {
  far_end_.send([this, &shard, reply = std::move(reply)]() mutable {
    reply.send(std::make_unique<FarChannel>(shard, far_end_));
  });
}

// Only looks at what the disk has become by itself.
void FarDisk::begin_resize(std::optional<ByteCount> size, block::Reply<BlockCount> reply) {
  if (size) return reply.send(fail(ErrorCode::unsupported, "it grows at the far end"));
  far_end_.send([this, reply = std::move(reply)]() mutable {
    limits_.capacity = BlockCount(far_end_.size() / limits_.block_size);
    reply.send(limits_.capacity);
  });
}

void FarDisk::begin_close(block::Reply<void> reply) {
  far_end_.send([reply = std::move(reply)]() mutable { reply.send({}); });
}

void FarDisk::break_line() {
  far_end_.set_broken(true);
  tell(block::DeviceEvent::lost);
}
void FarDisk::mend_line() {
  far_end_.set_broken(false);
  tell(block::DeviceEvent::back);
}
void FarDisk::grow(std::size_t bytes) {
  far_end_.set_size(std::max(bytes, far_end_.size()));
  tell(block::DeviceEvent::resized);
}

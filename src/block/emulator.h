// Does a request by other requests: what the backend lacks, what is too large, what lies
// misaligned.
#pragma once

#include "block/channel_slot.h"
#include "block/work_buffer.h"
#include "engine/shard.h"
#include "engine/task.h"
#include "lunar/block/device.h"
#include "lunar/list.h"

namespace lunar::block {

// The largest single step of an emulated write_zeroes, write_same, compare or misaligned transfer.
constexpr std::uint64_t kMaxStepBytes = kMiB;

// Whether the channel can take the request's buffers as they lie: O_DIRECT wants the address of
// each piece aligned, and whole blocks in it.
[[nodiscard]] inline bool is_aligned(const Request& request, const Limits& limits) {
  if (limits.buffer_alignment <= 1) return true;
  std::uintptr_t misfits = 0;
  for (const iovec& piece : request.buffers()) {
    misfits |= reinterpret_cast<std::uintptr_t>(piece.iov_base) & (limits.buffer_alignment - 1);
    misfits |= piece.iov_len & (limits.block_size - 1);
  }
  return misfits == 0;
}

// One shard. Outlives its jobs: the owner waits until each started request is complete.
class Emulator {
 public:
  Emulator(Device& device, ChannelSlot& channel, engine::Shard& shard);
  Emulator(const Emulator&) = delete;
  Emulator& operator=(const Emulator&) = delete;
  ~Emulator();

  // Completes `request` with the outcome, later. `refused`: the channel has just said
  // Status::unsupported.
  void start(Request& request, bool refused);
  // Stops the request before its next step. False: it is none of ours.
  bool abort(Request& request);
  [[nodiscard]] WorkBuffers& work_buffers() { return work_buffers_; }

 private:
  class Job;
  // The ways to make blocks read as zeroes, each the fallback of the one before.
  enum class Clearing : std::uint8_t { unmap, write_zeroes, write };

  engine::Task<void> run(Request& request, bool refused);
  engine::Task<Status> perform(Job& job, bool refused);
  [[nodiscard]] bool can_transfer_in_place(const Request& request) const;
  engine::Task<Status> transfer(Job& job);
  engine::Task<Status> transfer_misaligned(Job& job);
  engine::Task<Status> clear(Job& job, Clearing how);
  engine::Task<Status> write_same(Job& job);
  engine::Task<Status> compare(Job& job);
  [[nodiscard]] Clearing after(Clearing refused) const;
  [[nodiscard]] std::uint64_t bytes(std::uint64_t blocks) const { return blocks * block_size_; }
  [[nodiscard]] std::size_t work_bytes(const Request& request) const;
  [[nodiscard]] std::uint64_t step_blocks(MutableBytes work) const;

  ChannelSlot& channel_;
  engine::Shard& shard_;
  const Limits& limits_;
  const Capabilities& capabilities_;
  const std::uint64_t block_size_;
  const std::uint64_t max_transfer_;  // blocks
  const std::uint64_t max_unmap_;     // blocks
  WorkBuffers work_buffers_;
  List<Job> jobs_;
};

}  // namespace lunar::block

// Front: the waist's upper side, one per device and shard. Consumers (SCSI, later NVMe and vhost) submit
// here and nowhere else. It checks the range, counts, and emulates what the backend lacks, so that
// consumers meet one kind of device: one that does every Op, with FUA, at any size and alignment.
#pragma once

#include <memory>

#include "block/statistics.h"
#include "engine/gate.h"
#include "engine/shard.h"
#include "engine/task.h"
#include "lunar/block/device.h"

namespace lunar::block {

// Created, used and destroyed on its shard. The Device outlives it.
class Front {
 public:
  static Result<std::unique_ptr<Front>> open(Device& device, engine::Shard& shard, DeviceStatistics& statistics);
  Front(const Front&) = delete;
  Front& operator=(const Front&) = delete;
  ~Front();

  // Starts `request`; its `done` is called from the shard's loop, never from inside. Any op is welcome.
  // `out_of_range`, `write_protected` and the emulated outcomes come back the same way.
  void submit(Request& request);
  // See Channel::abort.
  void abort(Request& request);
  // See Channel::write_window; empty when the device has none.
  [[nodiscard]] std::span<std::byte> write_window(Lba lba, BlockCount count);

  [[nodiscard]] Device& device() { return device_; }
  [[nodiscard]] const Limits& limits() const { return limits_; }
  [[nodiscard]] const Capabilities& capabilities() const { return capabilities_; }
  [[nodiscard]] engine::Shard& shard() { return shard_; }

  // Completes when no request is in flight; then the Front can be destroyed. No submit afterwards.
  engine::Task<void> stop();

 private:
  // (implementation: helper "block")
};

}  // namespace lunar::block

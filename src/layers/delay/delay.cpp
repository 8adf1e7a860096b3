#include "layers/delay/delay.h"

#include "block/layer.h"
#include "engine/shard.h"

namespace lunar::layers {
namespace {

// In the frame of a waiting request.
struct Waiting {
  std::uint64_t due_ns = 0;
};

class DelayChannel final : public block::LayerChannel {
 public:
  DelayChannel(std::unique_ptr<block::Channel> base, engine::Shard& shard,
               const DelayOptions& options)
      : LayerChannel(std::move(base)), shard_(shard), options_(options), alarm_(*this) {}

  void submit(block::Request& request) override {
    const std::uint64_t wait_ns = draw(options_.average_ns[static_cast<std::size_t>(request.op)]);
    if (wait_ns == 0 && waiting_.empty()) {
      base().submit(request);
      return;
    }
    request.push_layer<Waiting>(nullptr).due_ns = shard_.now_ns() + wait_ns;
    insert(request);
    arm();
  }

  void abort(block::Request& request) override {
    for (block::Request& waiting : waiting_) {
      if (&waiting != &request) continue;
      request.unlink();
      request.pop_layer();
      request.complete(block::Status::aborted);
      return;
    }
    base().abort(request);
  }

 private:
  struct Alarm : engine::Timer {
    explicit Alarm(DelayChannel& owner)
        : Timer(
              [](engine::Runnable& self) noexcept { static_cast<Alarm&>(self).channel.release(); }),
          channel(owner) {}
    DelayChannel& channel;
  };

  static std::uint64_t due(block::Request& request) {
    return request.layer_state<Waiting>().due_ns;
  }

  std::uint64_t draw(std::uint64_t average_ns) {
    const std::uint64_t spread_ns = average_ns / 1000 * options_.spread_per_mille;
    if (spread_ns == 0) return average_ns;
    return average_ns - spread_ns + shard_.prng().below(2 * spread_ns + 1);
  }
  // Behind all that are due no later. Usually the last.
  void insert(block::Request& request) {
    if (!waiting_.empty() && due(waiting_.back()) > due(request)) {
      for (block::Request& later : waiting_) {
        if (due(later) <= due(request)) continue;
        waiting_.insert_before(later, request);
        return;
      }
    }
    waiting_.push_back(request);
  }
  void arm() {
    const std::uint64_t first_due = due(waiting_.front());
    if (!alarm_.is_armed() || alarm_.deadline_ns() != first_due) shard_.arm(alarm_, first_due);
  }
  void release() {
    while (!waiting_.empty() && due(waiting_.front()) <= shard_.now_ns()) {
      block::Request& request = waiting_.pop_front();
      request.pop_layer();
      base().submit(request);
    }
    if (!waiting_.empty()) arm();
  }

  engine::Shard& shard_;
  const DelayOptions& options_;
  List<block::Request> waiting_;  // by due time, linked by their own hook: nobody else has them now
  Alarm alarm_;
};

class DelayDevice final : public block::LayerDevice {
 public:
  DelayDevice(std::string name, block::Claim base, const DelayOptions& options)
      : LayerDevice(std::move(name), std::move(base)), options_(options) {
    // The medium's memory is there at once, which is not what this layer is for.
    capabilities_ = this->base().capabilities();
    capabilities_.write_window = false;
    capabilities_.takes_writes_at_once = false;
  }
  [[nodiscard]] const char* kind() const override { return "delay"; }
  [[nodiscard]] const block::Capabilities& capabilities() const override { return capabilities_; }

 protected:
  Opened put_channel_on(std::unique_ptr<block::Channel> base, engine::Shard& shard) override {
    return std::make_unique<DelayChannel>(std::move(base), shard, options_);
  }

 private:
  const DelayOptions options_;
  block::Capabilities capabilities_;
};

}  // namespace

Result<std::unique_ptr<block::Device>> create_delay(std::string name, block::Claim base,
                                                    const DelayOptions& options) {
  if (options.spread_per_mille > 1000) {
    return fail(ErrorCode::invalid_argument, "delay: a spread above 1000 per mille");
  }
  return std::make_unique<DelayDevice>(std::move(name), std::move(base), options);
}

}  // namespace lunar::layers

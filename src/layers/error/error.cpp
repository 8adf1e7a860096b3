#include "layers/error/error.h"

#include <algorithm>
#include <mutex>
#include <vector>

#include "block/iov.h"
#include "block/layer.h"
#include "engine/shard.h"

namespace lunar::layers {
namespace {

// The rules of one channel, touched on its shard only. Shared, so that a message which arrives
// after the channel has closed still finds something to write to.
struct ShardRules {
  explicit ShardRules(engine::Shard& owner) : shard(owner) {}
  engine::Shard& shard;
  std::vector<ErrorRule> rules;
};

bool matches(const ErrorRule& rule, const block::Request& request) {
  if ((rule.ops & op_bit(request.op)) == 0) return false;
  if (!request.has_range()) return true;
  const std::uint64_t begin = request.lba.value;
  const std::uint64_t rule_begin = rule.first.value;
  // Overlap of two ranges without sums that could overflow.
  return begin < rule_begin ? rule_begin - begin < request.count.value
                            : begin - rule_begin < rule.count.value;
}

class ErrorChannel final : public block::LayerChannel {
 public:
  ErrorChannel(std::unique_ptr<block::Channel> base, std::shared_ptr<ShardRules> rules,
               std::uint32_t block_size)
      : LayerChannel(std::move(base)), rules_(std::move(rules)), block_size_(block_size) {}

  void submit(block::Request& request) override {
    const auto rule =
        std::ranges::find_if(rules_->rules, [&](const auto& r) { return matches(r, request); });
    if (rule == rules_->rules.end()) {
      base().submit(request);
      return;
    }
    const ErrorRule chosen = *rule;
    const bool last_time = rule->times == 1;
    if (rule->times != 0) --rule->times;
    if (last_time) rules_->rules.erase(rule);
    apply(chosen, request);
  }

  void abort(block::Request& request) override {
    for (block::Request& hung : hung_) {
      if (&hung != &request) continue;
      request.unlink();
      request.complete(block::Status::aborted);
      return;
    }
    base().abort(request);
  }

 private:
  struct Corruption {
    std::uint64_t offset_bytes = 0;  // from the start of the request
  };

  void apply(const ErrorRule& rule, block::Request& request) {
    switch (rule.action) {
      case ErrorAction::fail: request.complete(rule.status); return;
      case ErrorAction::hang: hung_.push_back(request); return;
      case ErrorAction::corrupt:
        request.push_layer<Corruption>(&corrupt).offset_bytes =
            rule.offset_bytes - request.lba.value * block_size_;
        base().submit(request);
        return;
    }
  }
  static void corrupt(block::Request& request) noexcept {
    std::uint64_t offset = request.layer_state<Corruption>().offset_bytes;
    for (const iovec& piece : request.buffers()) {
      if (offset < piece.iov_len) {
        static_cast<std::byte*>(piece.iov_base)[offset] ^= std::byte{0xff};
        break;
      }
      offset -= piece.iov_len;
    }
    request.pop_layer();
    request.finish();
  }

  std::shared_ptr<ShardRules> rules_;
  List<block::Request> hung_;
  const std::uint32_t block_size_;
};

class ErrorDevice final : public block::LayerDevice, public ErrorControl {
 public:
  ErrorDevice(std::string name, block::Claim base) : LayerDevice(std::move(name), std::move(base)) {
    // No way around the rules, and no medium's own memory to corrupt.
    capabilities_ = this->base().capabilities();
    capabilities_.lend = false;
    capabilities_.write_window = false;
    capabilities_.takes_writes_at_once = false;
  }
  [[nodiscard]] const char* kind() const override { return "error"; }
  [[nodiscard]] const block::Capabilities& capabilities() const override { return capabilities_; }

  Opened put_channel_on(std::unique_ptr<block::Channel> base, engine::Shard& shard) override {
    auto rules = std::make_shared<ShardRules>(shard);
    {
      const std::lock_guard lock(mutex_);
      rules->rules = rules_;
      std::erase_if(channels_, [](const auto& weak) { return weak.expired(); });
      channels_.push_back(rules);
    }
    return std::make_unique<ErrorChannel>(std::move(base), std::move(rules), limits().block_size);
  }

  Result<void> add(const ErrorRule& rule) override {
    ErrorRule checked = rule;
    if (rule.action == ErrorAction::corrupt) {
      if (rule.ops != op_bit(block::Op::read)) {
        return fail(ErrorCode::invalid_argument, "error: only reads can be corrupted");
      }
      checked.first = Lba(rule.offset_bytes / limits().block_size);
      checked.count = BlockCount(1);
    }
    const std::lock_guard lock(mutex_);
    rules_.push_back(checked);
    for_each_channel([checked](ShardRules& channel) { channel.rules.push_back(checked); });
    return {};
  }
  void clear() override {
    const std::lock_guard lock(mutex_);
    rules_.clear();
    for_each_channel([](ShardRules& channel) { channel.rules.clear(); });
  }

 private:
  template <class Change>
  void for_each_channel(Change change) {
    for (const auto& weak : channels_) {
      if (const auto channel = weak.lock()) {
        channel->shard.post_foreign([channel, change] { change(*channel); });
      }
    }
  }

  block::Capabilities capabilities_;
  std::mutex mutex_;  // of control and put_channel_on; no request comes here
  std::vector<ErrorRule> rules_;
  std::vector<std::weak_ptr<ShardRules>> channels_;
};

}  // namespace

ErrorLayer create_error(std::string name, block::Claim base) {
  auto device = std::make_unique<ErrorDevice>(std::move(name), std::move(base));
  ErrorControl* control = device.get();
  return {std::move(device), control};
}

}  // namespace lunar::layers

#include "layers/passthru/passthru.h"

#include "block/layer.h"

namespace lunar::layers {
namespace {

// A layer that wants to see each request on its way back pushes a frame; this one could do without.
struct Frame {};

class PassthruChannel final : public block::LayerChannel {
 public:
  using LayerChannel::LayerChannel;

  void submit(block::Request& request) override {
    request.push_layer<Frame>([](block::Request& back) noexcept {
      back.pop_layer();
      back.finish();
    });
    base().submit(request);
  }
};

class PassthruDevice final : public block::LayerDevice {
 public:
  using LayerDevice::LayerDevice;
  [[nodiscard]] const char* kind() const override { return "passthru"; }

 protected:
  Opened put_channel_on(std::unique_ptr<block::Channel> base, engine::Shard& /*shard*/) override {
    return std::make_unique<PassthruChannel>(std::move(base));
  }
};

}  // namespace

std::unique_ptr<block::Device> create_passthru(std::string name, block::Claim base) {
  return std::make_unique<PassthruDevice>(std::move(name), std::move(base));
}

}  // namespace lunar::layers

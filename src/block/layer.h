// A device on top of a device. Derive LayerDevice and LayerChannel, override what the layer
// changes; all else passes through, what the base tells of itself, too. See layers/passthru for the
// least one.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "block/ask.h"
#include "block/claim.h"
#include "lunar/block/device.h"

namespace lunar::block {

// Claims its base for as long as it lives (Access::exclusive), and shows the base's identity: it is
// the same medium.
class LayerDevice : public Device, DeviceListener {
 public:
  LayerDevice(std::string name, Claim base)
      : Device(std::move(name), base.device().uuid()), base_(std::move(base)) {
    this->base().add_listener(*this);
  }
  ~LayerDevice() override { base().remove_listener(*this); }

  [[nodiscard]] const Limits& limits() const override { return base().limits(); }
  [[nodiscard]] const Capabilities& capabilities() const override { return base().capabilities(); }
  [[nodiscard]] std::size_t layers() const override { return base().layers() + 1; }
  [[nodiscard]] std::string location() const override { return base().location(); }
  // The base's own: what a layer does to blocks does not reach what protects them.
  [[nodiscard]] ProtectionRoom protection_room() override { return base().protection_room(); }
  // busy when others use the base, too: they would not learn of it.
  void begin_resize(std::optional<ByteCount> size, Reply<BlockCount> reply) override {
    base_.begin_resize(size, std::move(reply));
  }
  void begin_extents(Lba lba, BlockCount count, Reply<std::vector<Extent>> reply) const override {
    base().begin_extents(lba, count, std::move(reply));
  }
  void begin_open_channel(engine::Shard& shard, Reply<std::unique_ptr<Channel>> reply) override {
    const auto put_on = [this, &shard](Opened opened) -> Opened {
      if (!opened || *opened == nullptr) return opened;
      return without_exceptions<std::unique_ptr<Channel>>(
          [&] { return put_channel_on(std::move(*opened), shard); });
    };
    base().begin_open_channel(shard,
                              reply_through<std::unique_ptr<Channel>>(std::move(reply), put_on));
  }

 protected:
  using Opened = Result<std::unique_ptr<Channel>>;

  [[nodiscard]] Device& base() const { return base_.device(); }
  // The layer's channel, which stands on `base`. On that shard.
  virtual Opened put_channel_on(std::unique_ptr<Channel> base, engine::Shard& shard) = 0;

 private:
  void heard(DeviceEvent event) override { tell(event); }

  Claim base_;
};

class LayerChannel : public Channel {
 public:
  explicit LayerChannel(std::unique_ptr<Channel> base) : base_(std::move(base)) {}

  void submit(Request& request) override { base_->submit(request); }
  void abort(Request& request) override { base_->abort(request); }
  std::span<std::byte> write_window(Lba lba, BlockCount count) override {
    return base_->write_window(lba, count);
  }

 protected:
  [[nodiscard]] Channel& base() { return *base_; }

 private:
  std::unique_ptr<Channel> base_;
};

}  // namespace lunar::block

// A device on top of a device. Derive LayerDevice and LayerChannel, override what the layer
// changes; all else passes through. See layers/passthru for the least one.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "block/check_device.h"
#include "block/claim.h"
#include "lunar/block/device.h"

namespace lunar::block {

// Claims its base for as long as it lives (Access::exclusive), and shows the base's identity: it is
// the same medium.
class LayerDevice : public Device {
 public:
  LayerDevice(std::string name, Claim base)
      : Device(std::move(name), base.device().uuid()), base_(std::move(base)) {}

  [[nodiscard]] const Limits& limits() const override { return base().limits(); }
  [[nodiscard]] const Capabilities& capabilities() const override { return base().capabilities(); }
  [[nodiscard]] std::size_t layers() const override { return base().layers() + 1; }
  [[nodiscard]] std::string location() const override { return base().location(); }
  // The base's own: what a layer does to blocks does not reach what protects them.
  [[nodiscard]] ProtectionRoom protection_room() override { return base().protection_room(); }
  // busy when others use the base, too: they would not learn of it.
  Result<BlockCount> resize(std::optional<ByteCount> size) override { return base_.resize(size); }
  [[nodiscard]] Result<Extent> extent_at(Lba lba, BlockCount count) const override {
    return base().extent_at(lba, count);
  }

 protected:
  [[nodiscard]] Device& base() const { return base_.device(); }
  // The base's channel: what open_channel() begins with.
  Result<std::unique_ptr<Channel>> open_base(engine::Shard& shard) {
    return block::open_channel(base(), shard);
  }

 private:
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

// A device for tests that answers when the test says so.
#pragma once

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "block/testing/fake_device.h"

namespace lunar::block::testing {

class FarDevice : public FakeDevice {
 public:
  using FakeDevice::FakeDevice;

  void begin_open_channel(engine::Shard& shard, Reply<std::unique_ptr<Channel>> reply) override {
    if (!far) return Device::begin_open_channel(shard, std::move(reply));
    opens.push_back({&shard, std::move(reply)});
  }
  void begin_resize(std::optional<ByteCount> size, Reply<BlockCount> reply) override {
    if (!far) return Device::begin_resize(size, std::move(reply));
    resizes.push_back({size, std::move(reply)});
  }
  void begin_extents(Lba lba, BlockCount count, Reply<std::vector<Extent>> reply) const override {
    if (!far) return Device::begin_extents(lba, count, std::move(reply));
    maps.push_back(std::move(reply));
  }
  void begin_close(Reply<void> reply) override {
    if (!far) return reply.send({});
    closes.push_back(std::move(reply));
  }

  // The first that has been asked and not been answered. From any shard.
  void answer_open() {
    Open first = std::move(opens.front());
    opens.erase(opens.begin());
    first.reply.send(open_channel(*first.shard));
  }
  void refuse_open() {
    Open first = std::move(opens.front());
    opens.erase(opens.begin());
    first.reply.send(fail(ErrorCode::io, "the cluster cannot be reached"));
  }
  void answer_resize() {
    Resize first = std::move(resizes.front());
    resizes.erase(resizes.begin());
    first.reply.send(resize(first.size));
  }
  // Unanswered.
  void drop_all() {
    opens.clear();
    resizes.clear();
    maps.clear();
    closes.clear();
  }

  struct Open {
    engine::Shard* shard;
    Reply<std::unique_ptr<Channel>> reply;
  };
  struct Resize {
    std::optional<ByteCount> size;
    Reply<BlockCount> reply;
  };
  bool far = true;  // unset: all answers come at once
  std::vector<Open> opens;
  std::vector<Resize> resizes;
  mutable std::vector<Reply<std::vector<Extent>>> maps;
  std::vector<Reply<void>> closes;
};

}  // namespace lunar::block::testing

// A device for tests: memory in a vector, capabilities and limits as the test wants them, a log of
// what it was asked, and answers that can be dictated or withheld.
#pragma once

#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "block/iov.h"
#include "engine/shard.h"
#include "lunar/block/device.h"

namespace lunar::block::testing {

struct FakeCall {
  Op op;
  std::uint64_t lba;
  std::uint64_t count;
  RequestFlags flags;
  bool operator==(const FakeCall&) const = default;
};

class FakeDevice : public Device {
 public:
  explicit FakeDevice(std::uint64_t blocks, std::uint32_t block_size = 512,
                      std::string name = "fake")
      : Device(std::move(name), Uuid::from_name("fake")), medium(blocks * block_size) {
    the_limits.block_size = block_size;
    the_limits.physical_block_size = block_size;
    the_limits.capacity = BlockCount(blocks);
  }
  ~FakeDevice() override = default;
  using Device::tell;

  // With room for protection information, in a device of the same kind.
  [[nodiscard]] static std::unique_ptr<FakeDevice> with_protection(std::uint64_t blocks,
                                                                   std::uint8_t type,
                                                                   std::uint32_t block_size = 512) {
    auto device = std::make_unique<FakeDevice>(blocks, block_size);
    device->make_protection_room(type);
    return device;
  }
  void make_protection_room(std::uint8_t type) {
    const ByteCount bytes = protection_area_size(the_limits.capacity);
    protection_type = type;
    protection_area = std::make_unique<FakeDevice>(bytes.value / kProtectionAreaBlockBytes,
                                                   kProtectionAreaBlockBytes, "area");
  }

  [[nodiscard]] const char* kind() const override { return "fake"; }
  [[nodiscard]] const Limits& limits() const override { return the_limits; }
  [[nodiscard]] const Capabilities& capabilities() const override { return the_capabilities; }
  [[nodiscard]] ProtectionRoom protection_room() override {
    return {protection_area.get(), protection_type};
  }
  Result<std::unique_ptr<Channel>> open_channel(engine::Shard&) override {
    if (open_fails) return fail(ErrorCode::io, "it does not open");
    return std::make_unique<FakeChannel>(*this);
  }
  Result<BlockCount> resize(std::optional<ByteCount> size) override {
    if (!resizable) return Device::resize(size);
    if (size) {
      medium.resize(size->value);
      the_limits.capacity = BlockCount(size->value / the_limits.block_size);
    }
    return the_limits.capacity;
  }

  // Completes one of those that `hold` withholds.
  void release_one(std::size_t index) {
    Request* request = held[index];
    held.erase(held.begin() + static_cast<std::ptrdiff_t>(index));
    complete_at_home(*request);
  }
  // Completes what was withheld by `hold`.
  void release() {
    hold = false;
    held_ops.clear();
    std::vector<Request*> all;
    all.swap(held);
    for (Request* request : all) complete_at_home(*request);
  }

  Limits the_limits;
  Capabilities the_capabilities;
  std::vector<std::byte> medium;
  std::vector<FakeCall> calls;
  std::map<Op, Status> answers;  // instead of doing the op
  bool deaf = false;      // what is withheld does not hear an abort: the medium is busy with it
  bool hold = false;      // requests wait for release() or abort
  std::set<Op> held_ops;  // only these do
  std::vector<Request*> held;
  bool saw_misaligned = false;  // a piece that limits().buffer_alignment forbids
  std::size_t open_channels = 0;
  bool open_fails = false;
  bool resizable = false;
  std::unique_ptr<FakeDevice> protection_area;
  std::uint8_t protection_type = 0;

 private:
  // On the shard of the request, whichever the test is on.
  void complete_at_home(Request& request) {
    engine::Shard* const here = engine::Shard::current();
    engine::Shard::bind(request.shard);
    request.complete(perform(request));
    engine::Shard::bind(here);
  }

  class FakeChannel final : public Channel {
   public:
    explicit FakeChannel(FakeDevice& device) : device_(device) { ++device.open_channels; }
    ~FakeChannel() override { --device_.open_channels; }
    void submit(Request& request) override {
      device_.calls.push_back({request.op, request.lba.value, request.count.value, request.flags});
      if (device_.hold || device_.held_ops.contains(request.op)) {
        device_.held.push_back(&request);
      } else {
        request.complete(device_.perform(request));
      }
    }
    void abort(Request& request) override {
      if (device_.deaf) return;
      if (std::erase(device_.held, &request) != 0) request.complete(Status::aborted);
    }
    std::span<std::byte> write_window(Lba lba, BlockCount count) override {
      const std::size_t block_size = device_.the_limits.block_size;
      return MutableBytes(device_.medium).subspan(lba.value * block_size, count.value * block_size);
    }

   private:
    FakeDevice& device_;
  };

  Status perform(Request& request) {
    if (const auto answer = answers.find(request.op); answer != answers.end())
      return answer->second;
    std::byte* at = medium.data() + request.lba.value * the_limits.block_size;
    const std::size_t length = request.count.value * the_limits.block_size;
    switch (request.op) {
      case Op::read:
      case Op::write:
        if ((request.flags & kLend) != 0) {
          request.set_buffer(at, length);
          return Status::ok;
        }
        for (const iovec& piece : request.buffers()) {
          note_alignment(piece);
          if (request.op == Op::read) {
            std::memcpy(piece.iov_base, at, piece.iov_len);
          } else {
            std::memmove(at, piece.iov_base, piece.iov_len);
          }
          at += piece.iov_len;
        }
        return Status::ok;
      case Op::unmap:
      case Op::write_zeroes: std::memset(at, 0, length); return Status::ok;
      case Op::flush: return Status::ok;
      case Op::write_same:
      case Op::compare: return Status::unsupported;
    }
    return Status::unsupported;
  }
  void note_alignment(const iovec& piece) {
    if (reinterpret_cast<std::uintptr_t>(piece.iov_base) % the_limits.buffer_alignment != 0 ||
        (the_limits.buffer_alignment > 1 && piece.iov_len % the_limits.block_size != 0)) {
      saw_misaligned = true;
    }
  }
};

}  // namespace lunar::block::testing

// One I/O on its way down the waist and back.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>

#include "lunar/block/status.h"
#include "lunar/runnable.h"
#include "lunar/types.h"

namespace lunar::block {

enum class Op : std::uint8_t {
  read,   // count blocks into the buffers, or (kLend) the buffers become the medium's own memory
  write,  // count blocks from the buffers
  flush,  // every write completed before this was submitted is durable when it completes
  unmap,  // the blocks need no storage; they read as zeroes if Capabilities::unmap_reads_zeroes
  write_zeroes,  // the blocks read as zeroes afterwards; kMayUnmap allows to free them
  write_same,    // the buffers hold one block, which is written count times
  compare,       // the buffers are compared with the medium: ok or miscompare
};
constexpr std::size_t kOpCount = 7;
[[nodiscard]] std::string_view to_string(Op op);

// Bits of Request::flags.
using RequestFlags = std::uint8_t;
constexpr RequestFlags kFua = 1;  // write*: durable before it completes (FUA, Force Unit Access)
constexpr RequestFlags kMayUnmap = 2;  // write_zeroes: deallocation is welcome
// read: the submitter takes memory of the device instead of a copy. On completion `iov` describes
// it; it stays readable until the Channel closes, and later writes show through it. Blocks have the
// same memory on every shard.
constexpr RequestFlags kLend = 4;

// How many frames a request has room for, and how much a frame may remember. The waist takes one;
// the others are for layers, so at most kMaxDeviceLayers stand on each other (Device::layers()).
constexpr std::size_t kMaxLayers = 6;
constexpr std::size_t kMaxDeviceLayers = kMaxLayers - 1;
constexpr std::size_t kLayerStateBytes = 48;

// Owned by its submitter, from a pool of the submitter's or embedded in its own task; alive and
// unmoved from submit() to `done`. Lives on one shard. Derive from it to find your own task again
// in `done`.
//
// A backend: reads op, flags, lba, count and the buffers, and calls complete() exactly once, now or
// later, on the same shard, or complete_from_any_thread(). A layer: calls push_layer() before it
// passes the request on, and pop_layer() in its function when the request comes back.
struct Request : engine::Runnable {
  using Done = void (*)(Request&) noexcept;

  Op op = Op::read;
  Status status = Status::ok;
  RequestFlags flags = 0;
  std::uint8_t layers = 0;  // frames in use
  std::uint32_t iov_count = 0;
  Lba lba;
  BlockCount count;
  iovec* iov = nullptr;  // iov_count pieces, together count blocks (one block for write_same)
  iovec single_iov{};    // room for the common case of one piece: see set_buffer
  std::uint64_t miscompare_offset =
      0;                           // bytes from the start of the buffers, after Status::miscompare
  engine::Shard* shard = nullptr;  // set by Front::submit
  Done done = nullptr;             // called on the shard, never inside submit()
  // Why a status is not ok, for the log: an errno that the backend has set, or 0. Whoever reads it
  // makes it 0 again.
  std::int32_t error_number = 0;

  void set_buffer(void* data, std::size_t bytes) {
    single_iov = {data, bytes};
    iov = &single_iov;
    iov_count = 1;
  }
  [[nodiscard]] std::span<const iovec> buffers() const { return {iov, iov_count}; }
  [[nodiscard]] bool is_write() const {
    return op != Op::read && op != Op::flush && op != Op::compare;
  }
  [[nodiscard]] bool has_range() const { return op != Op::flush; }

  // Ends this level's work with `result`. Returns at once: whoever waits is called from the shard's
  // loop. On that shard's thread, and once: anything else ends the process with a line that says
  // so, in release builds too.
  void complete(Status result);
  // The same from whichever thread, which costs an atomic exchange, and wakes a shard that sleeps.
  // The request is not the device's any more when this begins: so abort() must not find it.
  void complete_from_any_thread(Status result);

  // A layer's memory of one request: T is trivially destructible and at most kLayerStateBytes.
  template <class T>
  T& push_layer(Done back) {
    static_assert(sizeof(T) <= kLayerStateBytes && std::is_trivially_destructible_v<T>);
    if (layers >= kMaxLayers) [[unlikely]]
      too_many_layers();
    Layer& layer = layer_[layers++];
    layer.back = back;
    return *new (layer.state.data()) T{};
  }
  template <class T>
  [[nodiscard]] T& layer_state() {
    return *std::launder(reinterpret_cast<T*>(layer_[layers - 1].state.data()));
  }
  // That of the first of the layers, from whichever is on top.
  template <class T>
  [[nodiscard]] T& bottom_layer_state() {
    return *std::launder(reinterpret_cast<T*>(layer_[0].state.data()));
  }
  // Forgets the top layer. Then either finish() to hand the status up, or submit again.
  void pop_layer() { --layers; }
  // Calls whoever is next above: the top layer's function, or `done`.
  void finish() noexcept {
    if (layers != 0) {
      layer_[layers - 1].back(*this);
    } else {
      done(*this);
    }
  }

 private:
  [[noreturn]] static void too_many_layers();

  struct Layer {
    Done back;
    alignas(std::max_align_t) std::array<std::byte, kLayerStateBytes> state;
  };
  std::array<Layer, kMaxLayers>
      layer_;  // deliberately not initialised: only used frames are touched
};

}  // namespace lunar::block

// The narrow waist's lower side: what a backend or a layer implements. It knows of blocks only;
// every protocol above it is somebody else's business.
//
//   class Mine : public lunar::block::Device { ... open_channel() returns a MineChannel ... };
//   class MineChannel : public lunar::block::Channel {
//     void submit(Request& r) { ...; r.complete(Status::ok); }
//   };
#pragma once

#include <atomic>
#include <cstddef>
#include <forward_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lunar/block/limits.h"
#include "lunar/block/protection.h"
#include "lunar/block/request.h"
#include "lunar/result.h"
#include "lunar/runnable.h"
#include "lunar/types.h"
#include "lunar/uuid.h"

namespace lunar::block {

// A device as one shard sees it. Created, used and destroyed on that shard only; destroyed when no
// request is in flight.
class Channel {
 public:
  Channel() = default;
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  virtual ~Channel() = default;

  // Starts a request; must not block. The waist has checked range, alignment, size limits and
  // capabilities. Each request is complete()d exactly once; a short transfer is an error, never ok.
  virtual void submit(Request& request) = 0;

  // The submitter of an earlier request, not yet complete, no longer wants it. A channel that may
  // hold requests for long completes it soon, with Status::aborted if it had no effect; others do
  // nothing. A request that the channel does not hold (it is on its way up already) is ignored.
  virtual void abort(Request& request) { (void)request; }

  // The medium's own memory for these blocks, to receive write data straight into it, or empty. The
  // caller then submits the write of exactly that memory, which costs no copy. Optional.
  virtual std::span<std::byte> write_window(Lba lba, BlockCount count) {
    (void)lba, (void)count;
    return {};
  }
};

// A run of blocks in the allocation map.
struct Extent {
  Lba lba;
  BlockCount count;
  bool allocated = true;
};

// A medium: thread-safe in all its const methods and in open_channel, which each shard calls for
// itself. Outlives its channels.
class Device {
 public:
  Device(std::string name, Uuid uuid) : uuid_(uuid) { rename(std::move(name)); }
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  virtual ~Device() = default;

  // Unique in a Registry, which may give it another: what this has given stays valid.
  [[nodiscard]] const std::string& name() const { return *name_.load(std::memory_order_acquire); }
  // For the Registry: one call at a time.
  void rename(std::string name) {
    names_.push_front(std::move(name));
    name_.store(&names_.front(), std::memory_order_release);
  }
  // The identity that initiators see (NAA designator, serial number); the same over restarts where
  // the medium can keep it.
  [[nodiscard]] const Uuid& uuid() const { return uuid_; }
  // "ram", "file", …
  [[nodiscard]] virtual const char* kind() const = 0;
  [[nodiscard]] virtual const Limits& limits() const = 0;
  [[nodiscard]] virtual const Capabilities& capabilities() const = 0;
  // How many layers a request passes on its way to the medium, this device among them: how often
  // Request::push_layer() may be called. At most kMaxDeviceLayers. Constant. By default it is the
  // medium.
  [[nodiscard]] virtual std::size_t layers() const { return 0; }
  // Where the medium is, for people: a path. Empty where that has no name.
  [[nodiscard]] virtual std::string location() const { return {}; }

  // Room for protection information, which its user reads and writes himself. Constant. By default
  // there is none. A device that has some keeps its size.
  [[nodiscard]] virtual ProtectionRoom protection_room() { return {}; }

  // This shard's channel, not null. Called on the shard.
  virtual Result<std::unique_ptr<Channel>> open_channel(engine::Shard& shard) = 0;

  // Makes the medium `size` bytes large, or, without it, looks at how large the medium has become
  // by itself. Gives the capacity that limits() tells from then on; nothing else of them changes.
  // What is beyond a smaller size is lost, and reads as zeroes when it grows again.
  //
  // Blocking, so not on a shard; one call at a time, and none of open_channel() meanwhile. Channels
  // that are open serve on: nobody asks them for a block beyond the smaller of the two sizes until
  // this has returned. invalid_argument: no whole blocks, or none; unsupported: the medium has its
  // size from elsewhere (and by default); no_resource, io. Then nothing has changed.
  virtual Result<BlockCount> resize(std::optional<ByteCount> size) {
    (void)size;
    return fail(ErrorCode::unsupported, "this kind of device keeps its size");
  }

  // The run of equally allocated blocks that starts at `lba`, at most `count` long. May block: not
  // for the I/O path. Default: all of it is allocated.
  [[nodiscard]] virtual Result<Extent> extent_at(Lba lba, BlockCount count) const {
    return Extent{lba, count, true};
  }

 private:
  // All that it ever had, as a shard may be reading an old one; renaming is rare, and by hand.
  std::forward_list<std::string> names_;
  std::atomic<const std::string*> name_{nullptr};
  Uuid uuid_;
};

}  // namespace lunar::block

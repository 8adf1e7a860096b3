// The narrow waist's lower side: what a backend or a layer implements. It knows of blocks only;
// every protocol above it is somebody else's business.
//
//   class Mine : public lunar::block::Device { ... open_channel() returns a MineChannel ... };
//   class MineChannel : public lunar::block::Channel {
//     void submit(Request& r) { ...; r.complete(Status::ok); }
//   };
//
// A device whose medium is far away overrides the begin_ forms of what takes long, which answer by
// a Reply, and tells what becomes of the medium: tell().
#pragma once

#include <atomic>
#include <cstddef>
#include <forward_list>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lunar/block/limits.h"
#include "lunar/block/protection.h"
#include "lunar/block/reply.h"
#include "lunar/block/request.h"
#include "lunar/result.h"
#include "lunar/runnable.h"
#include "lunar/shard.h"
#include "lunar/types.h"
#include "lunar/uuid.h"

namespace lunar::block {

// A device as one shard sees it. Used and destroyed on that shard only; destroyed when no request
// is in flight. When the device has been lost, its channels get no more requests, end those that
// they have, and are replaced when it is back.
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

// How long one who asks a device something waits for the answer.
constexpr std::uint64_t kDeviceDeadlineNs = 20'000'000'000;
// Of one answer of begin_extents().
constexpr std::size_t kMaxExtents = 256;

// What a device tells of its medium.
enum class DeviceEvent : std::uint8_t {
  // It cannot be reached. New requests wait a while for it to come back.
  lost,
  // The same medium can be reached again: each shard that serves it opens a new channel. One that
  // has another identity is another device: it is not back.
  back,
  // It has another size by itself. The waist asks for it: begin_resize() without a size.
  resized,
};

// Hears the events of a device, on whichever thread tells them, one at a time. For the waist.
class DeviceListener {
 public:
  virtual void heard(DeviceEvent event) = 0;

 protected:
  ~DeviceListener() = default;
};

// A medium: thread-safe in all its const methods and in open_channel, which each shard calls for
// itself. Outlives its channels, and every Reply that it has not sent.
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

  // ---- What it is asked to do. A device whose answers are at hand overrides the first form of
  // each; one that has to wait for them the second, which must not block. Nobody waits longer than
  // kDeviceDeadlineNs for an answer, but it is taken also later. While one is missing, the device
  // is not asked the same again (by that shard, where a shard asks), and is not destroyed.

  // This shard's channel, not null. Called on the shard. An error is final for who has asked, if it
  // comes at once; later, or after the device was lost, the device is asked again from time to
  // time, and its requests end with Status::not_ready meanwhile.
  virtual Result<std::unique_ptr<Channel>> open_channel(engine::Shard& shard);
  virtual void begin_open_channel(engine::Shard& shard, Reply<std::unique_ptr<Channel>> reply) {
    reply.send(open_channel(shard));
  }

  // Makes the medium `size` bytes large, or, without it, looks at how large the medium has become
  // by itself. Gives the capacity that limits() tells from then on; nothing else of them changes.
  // What is beyond a smaller size is lost, and reads as zeroes when it grows again.
  //
  // One call at a time, and none of open_channel() meanwhile. Channels that are open serve on:
  // nobody asks them for a block beyond the smaller of the two sizes until there is an answer.
  // invalid_argument: no whole blocks, or none; unsupported: the medium has its size from elsewhere
  // (and by default); no_resource, io. Then nothing has changed.
  //
  // The first form may block, and is called on a thread for that; the second on a shard.
  virtual Result<BlockCount> resize(std::optional<ByteCount> size);
  virtual void begin_resize(std::optional<ByteCount> size, Reply<BlockCount> reply);

  // The run of equally allocated blocks that starts at `lba`, at most `count` long. May block, and
  // is called on a thread for that. Default: all of it is allocated.
  [[nodiscard]] virtual Result<Extent> extent_at(Lba lba, BlockCount count) const {
    return Extent{lba, count, true};
  }
  // The runs from `lba` on, in order and without a gap, none empty: as many as are at hand, at
  // least one, at most kMaxExtents; none beyond `count` blocks. Called on a shard, any number of
  // times at once.
  virtual void begin_extents(Lba lba, BlockCount count, Reply<std::vector<Extent>> reply) const;

  // Nobody uses the device any more, and it is about to be destroyed. Called on a shard, once. Not
  // called before the end of a process that does not wait. Default: there is nothing to do.
  virtual void begin_close(Reply<void> reply) { reply.send({}); }

  // ---- For the waist.

  void add_listener(DeviceListener& listener);
  // Returns when it hears nothing any more.
  void remove_listener(DeviceListener& listener);
  // How many questions it has not answered.
  [[nodiscard]] std::size_t unanswered() const { return unanswered_.load(); }
  void has_been_asked() const { ++unanswered_; }
  void has_answered() const { --unanswered_; }

 protected:
  // From any thread, also one that calls this device; nobody is called back before it returns.
  void tell(DeviceEvent event);

 private:
  // All that it ever had, as a shard may be reading an old one; renaming is rare, and by hand.
  std::forward_list<std::string> names_;
  std::atomic<const std::string*> name_{nullptr};
  Uuid uuid_;
  std::mutex listening_;
  std::vector<DeviceListener*> listeners_;
  mutable std::atomic<std::size_t> unanswered_{0};
};

}  // namespace lunar::block

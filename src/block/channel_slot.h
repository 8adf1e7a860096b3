// Where a Front has the channel of its device: none yet, one, none any more, the next one.
//
//   opening ──> connected ──lose()──> lost ──reopen()──> opening
//
// While there is none, requests wait for it, but no longer than a device's patience: then all that
// wait end with Status::not_ready, and so does what comes later, until there is a channel again.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "block/ask.h"
#include "block/in_flight.h"
#include "engine/clock.h"
#include "engine/gate.h"
#include "engine/shard.h"
#include "lunar/block/device.h"

namespace lunar::block {

// How long requests wait for a device that cannot be reached. Shorter than the 30 s after which
// initiators give a command up, so that they hear of it.
constexpr std::uint64_t kDevicePatienceNs = 20 * engine::kSecond;
// How often a device is asked again that could not be opened.
constexpr std::uint64_t kReopenIntervalNs = 1 * engine::kSecond;

// How the device that a Front belongs to is reached.
struct Reach {
  std::uint64_t patience_ns = kDevicePatienceNs;
  bool lost = false;                            // it is not asked before reopen()
  std::atomic<std::size_t>* without = nullptr;  // counts the Fronts that have no channel; or null
};

// One shard.
class ChannelSlot {
 public:
  ChannelSlot(Device& device, engine::Shard& shard, InFlight& in_flight, const Reach& reach);
  ChannelSlot(const ChannelSlot&) = delete;
  ChannelSlot& operator=(const ChannelSlot&) = delete;
  ~ChannelSlot();

  // Asks the device for a channel. An error that comes at once is final, and is given here.
  Result<void> open();
  // The device is lost, and back. Its old channel goes when the requests that it has have ended.
  void lose();
  void reopen();
  // Completes when no old channel is left.
  engine::Task<void> stop() { return retiring_.close(); }

  void submit(Request& request) { current_->submit(request); }
  // By whichever channel has it.
  void abort(Request& request);
  [[nodiscard]] std::span<std::byte> write_window(Lba lba, BlockCount count) {
    return current_->write_window(lba, count);
  }
  // Requests end with not_ready.
  [[nodiscard]] bool is_given_up() const { return current_ == &absent_ && absent_.is_given_up(); }

 private:
  // Stands for the channel that is missing.
  class Absent final : public Channel {
   public:
    explicit Absent(engine::Shard& shard) : shard_(shard), deadline_(*this) {}
    void begin(std::uint64_t deadline_ns);
    // All that wait go to `channel`.
    void end(Channel& channel);
    void submit(Request& request) override;
    void abort(Request& request) override;
    [[nodiscard]] bool is_given_up() const { return given_up_; }

   private:
    struct Deadline : engine::Timer {
      explicit Deadline(Absent& owner)
          : Timer([](Runnable& self) noexcept { static_cast<Deadline&>(self).absent.give_up(); }),
            absent(owner) {}
      Absent& absent;
    };
    void give_up();

    engine::Shard& shard_;
    Deadline deadline_;
    List<Request> waiting_;
    bool given_up_ = false;
  };
  struct Answered : engine::Runnable {
    explicit Answered(ChannelSlot& owner)
        : Runnable([](Runnable& self) noexcept { static_cast<Answered&>(self).slot.answered(); }),
          slot(owner) {}
    ChannelSlot& slot;
  };
  struct Retry : engine::Timer {
    explicit Retry(ChannelSlot& owner)
        : Timer([](Runnable& self) noexcept { static_cast<Retry&>(self).slot.ask(); }),
          slot(owner) {}
    ChannelSlot& slot;
  };

  void ask();
  void answered();
  void try_again(const Error& error);
  Result<void> connect(Result<std::unique_ptr<Channel>> opened);
  void be_without();
  engine::Task<void> retire(std::unique_ptr<Channel> channel);

  Device& device_;
  engine::Shard& shard_;
  InFlight& in_flight_;
  const Reach reach_;
  Channel* current_;
  Absent absent_;
  std::unique_ptr<Channel> channel_;            // null: absent_ is the current one
  std::vector<std::unique_ptr<Channel>> kept_;  // lost, but its memory is lent
  std::vector<Channel*> retired_;               // lost, with requests
  engine::Gate retiring_;
  std::unique_ptr<Ask<std::unique_ptr<Channel>>> ask_;  // without an answer, or null
  bool asked_before_loss_ = false;                      // its answer is of no use
  bool lost_;
  Answered answered_{*this};
  Retry retry_{*this};
};

}  // namespace lunar::block

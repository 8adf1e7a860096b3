// Brings what a device tells, on whichever thread, to its Disk's home shard, in one piece at a
// time.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "block/disk.h"

namespace lunar::block {

// Shared by the Disk and the message that is on its way to the shard.
class Disk::Events final : public DeviceListener,
                           engine::Runnable,
                           public std::enable_shared_from_this<Disk::Events> {
 public:
  struct News {
    bool lost = false;  // also when it is back by now
    bool back = false;
    bool resized = false;
  };

  explicit Events(Disk& disk)
      : Runnable([](Runnable& self) noexcept { static_cast<Events&>(self).arrived(); }),
        disk_(&disk) {}

  // Only where it ends counts, and whether it has been lost on the way.
  void heard(DeviceEvent event) override {
    const std::scoped_lock lock(mutex_);
    if (disk_ == nullptr) return;
    switch (event) {
      case DeviceEvent::lost:
        news_.lost = true;
        news_.back = false;
        break;
      case DeviceEvent::back: news_.back = true; break;
      case DeviceEvent::resized: news_.resized = true; break;
    }
    if (handling_ || in_flight_ != nullptr) return;
    in_flight_ = shared_from_this();
    disk_->home().post_foreign(*this);
  }

  // Nothing: then it is over.
  std::optional<News> take() {
    const std::scoped_lock lock(mutex_);
    const News news = std::exchange(news_, {});
    if (news.lost || news.back || news.resized) return news;
    handling_ = false;
    idle_.notify_all();
    return std::nullopt;
  }

  // Waits until nothing is being handled: not on a shard while something is.
  void stop() {
    std::unique_lock lock(mutex_);
    idle_.wait(lock, [this] { return !handling_; });
    disk_ = nullptr;
  }

 private:
  void arrived() {
    std::shared_ptr<Events> self;
    {
      const std::scoped_lock lock(mutex_);
      self = std::move(in_flight_);
      if (disk_ == nullptr) return;
      handling_ = true;
    }
    disk_->handle_events(std::move(self)).detach();
  }

  std::mutex mutex_;
  std::condition_variable idle_;
  Disk* disk_;  // null: gone
  News news_;
  bool handling_ = false;
  std::shared_ptr<Events> in_flight_;
};

}  // namespace lunar::block

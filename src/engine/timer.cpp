#include "engine/timer.h"

#include <algorithm>

namespace lunar::engine {
namespace {
constexpr std::size_t kArity = 4;
}

void Timer::cancel() {
  if (queue_ != nullptr) queue_->remove(*this);
  unlink();
}

TimerQueue::~TimerQueue() {
  for (Timer* timer : heap_) timer->queue_ = nullptr;
}

void TimerQueue::arm(Timer& timer, std::uint64_t deadline_ns) {
  timer.cancel();
  timer.queue_ = this;
  timer.deadline_ns_ = deadline_ns;
  heap_.push_back(&timer);
  timer.slot_ = heap_.size() - 1;
  sift_up(timer.slot_);
}

Timer* TimerQueue::pop_expired(std::uint64_t now_ns) {
  if (heap_.empty() || heap_.front()->deadline_ns_ > now_ns) return nullptr;
  Timer* timer = heap_.front();
  remove(*timer);
  return timer;
}

void TimerQueue::remove(Timer& timer) {
  const std::size_t slot = timer.slot_;
  timer.queue_ = nullptr;
  Timer* last = heap_.back();
  heap_.pop_back();
  if (last == &timer) return;
  place(*last, slot);
  sift_up(slot);
  sift_down(last->slot_);
}

void TimerQueue::place(Timer& timer, std::size_t slot) {
  heap_[slot] = &timer;
  timer.slot_ = slot;
}

void TimerQueue::sift_up(std::size_t slot) {
  Timer& timer = *heap_[slot];
  while (slot != 0) {
    const std::size_t parent = (slot - 1) / kArity;
    if (heap_[parent]->deadline_ns_ <= timer.deadline_ns_) break;
    place(*heap_[parent], slot);
    slot = parent;
  }
  place(timer, slot);
}

void TimerQueue::sift_down(std::size_t slot) {
  Timer& timer = *heap_[slot];
  for (;;) {
    const std::size_t first = slot * kArity + 1;
    if (first >= heap_.size()) break;
    const std::size_t end = std::min(first + kArity, heap_.size());
    std::size_t best = first;
    for (std::size_t child = first + 1; child < end; ++child) {
      if (heap_[child]->deadline_ns_ < heap_[best]->deadline_ns_) best = child;
    }
    if (heap_[best]->deadline_ns_ >= timer.deadline_ns_) break;
    place(*heap_[best], slot);
    slot = best;
  }
  place(timer, slot);
}

}  // namespace lunar::engine

#include "block/channel_slot.h"

#include <fmt/format.h>

#include <utility>

#include "base/log.h"

namespace lunar::block {

// ---- No channel

void ChannelSlot::Absent::begin(std::uint64_t deadline_ns) {
  given_up_ = false;
  shard_.arm(deadline_, deadline_ns);
}

void ChannelSlot::Absent::end(Channel& channel) {
  deadline_.cancel();
  List<Request> waiting;
  waiting.splice_back(waiting_);
  while (!waiting.empty()) channel.submit(waiting.pop_front());
}

void ChannelSlot::Absent::give_up() {
  given_up_ = true;
  while (!waiting_.empty()) waiting_.pop_front().complete(Status::not_ready);
}

void ChannelSlot::Absent::submit(Request& request) {
  if (given_up_) return request.complete(Status::not_ready);
  waiting_.push_back(request);
}

void ChannelSlot::Absent::abort(Request& request) {
  for (Request& waiting : waiting_) {
    if (&waiting != &request) continue;
    request.unlink();
    request.complete(Status::aborted);
    return;
  }
}

// ---- One, or none

ChannelSlot::ChannelSlot(Device& device, engine::Shard& shard, InFlight& in_flight,
                         const Reach& reach)
    : device_(device),
      shard_(shard),
      in_flight_(in_flight),
      reach_(reach),
      current_(&absent_),
      absent_(shard),
      lost_(reach.lost) {
  be_without();
}

ChannelSlot::~ChannelSlot() {
  if (current_ == &absent_ && reach_.without != nullptr) --*reach_.without;
}

void ChannelSlot::be_without() {
  current_ = &absent_;
  if (reach_.without != nullptr) ++*reach_.without;
  absent_.begin(shard_.now_ns() + reach_.patience_ns);
}

Result<void> ChannelSlot::open() {
  if (lost_) return {};
  ask_ = std::make_unique<Ask<std::unique_ptr<Channel>>>(device_, shard_);
  ask_->begin([this](auto reply) { device_.begin_open_channel(shard_, std::move(reply)); });
  if (!ask_->has_answer()) {
    ask_->when_answered(answered_);
    return {};
  }
  Result<void> connected = connect(ask_->take());
  ask_.reset();
  return connected;
}

void ChannelSlot::lose() {
  lost_ = true;
  retry_.cancel();
  asked_before_loss_ = ask_ != nullptr;
  if (channel_ == nullptr) return;
  std::unique_ptr<Channel> old = std::move(channel_);
  be_without();
  retired_.push_back(old.get());
  // A loan or a lease of its memory has no end that is known here.
  if (device_.capabilities().lend || device_.capabilities().write_window) {
    kept_.push_back(std::move(old));
    return;
  }
  auto retiring = retire(std::move(old));
  retiring_.spawn(std::move(retiring));
}

void ChannelSlot::reopen() {
  lost_ = false;
  if (channel_ == nullptr && ask_ == nullptr) ask();
}

void ChannelSlot::ask() {
  retry_.cancel();  // a device may tell that it is back before it was lost
  if (Result<void> opened = open(); !opened) try_again(opened.error());
}

void ChannelSlot::try_again(const Error& error) {
  log::limited(log::Level::error, device_.name(), "open", "{}", error.message);
  shard_.arm(retry_, shard_.now_ns() + kReopenIntervalNs);
}

void ChannelSlot::answered() {
  Result<std::unique_ptr<Channel>> opened = ask_->take();
  ask_.reset();
  if (std::exchange(asked_before_loss_, false)) {
    opened = nullptr;  // gone before the device is asked for another
    if (!lost_) ask();
    return;
  }
  if (Result<void> connected = connect(std::move(opened)); !connected) try_again(connected.error());
}

Result<void> ChannelSlot::connect(Result<std::unique_ptr<Channel>> opened) {
  if (opened && *opened == nullptr)
    opened = fail(ErrorCode::invalid_argument, "open_channel() gave a null channel");
  if (!opened)
    return wrap(opened.error(), fmt::format("device {} ({})", device_.name(), device_.kind()));
  channel_ = std::move(*opened);
  current_ = channel_.get();
  if (reach_.without != nullptr) --*reach_.without;
  absent_.end(*channel_);
  return {};
}

// Requests that came before the loss may be in it, or on their way up through it.
engine::Task<void> ChannelSlot::retire(std::unique_ptr<Channel> channel) {
  co_await in_flight_.drain();
  std::erase(retired_, channel.get());
}

void ChannelSlot::abort(Request& request) {
  current_->abort(request);
  for (Channel* old : retired_) old->abort(request);
}

}  // namespace lunar::block

#include "iscsi/connection/connection.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/log.h"
#include "base/memory_reserve.h"

namespace lunar::iscsi {
namespace {

// How many receives one poll may do before others have their turn. Only bulk data needs more than
// one: commands that fill the buffer are answered before more of them are read, so that the peer
// has work while we do ours.
constexpr int kReceivesPerPoll = 4;
// Pieces of one send: two or three a PDU.
constexpr std::size_t kSendPieces = 512;
thread_local std::array<iovec, kSendPieces> send_pieces;
// How much one connection may send before others have their turn: a fifth of a millisecond or so.
constexpr std::size_t kTurnBytes = 1 * kMiB;

std::size_t total(std::span<const iovec> pieces) {
  std::size_t sum = 0;
  for (const iovec& piece : pieces) sum += piece.iov_len;
  return sum;
}

}  // namespace

Connection::Connection(ConnectionOwner& owner, std::unique_ptr<engine::Stream> stream,
                       const Arrival& arrival)
    : owner_(owner),
      shard_(owner.shard()),
      stream_(std::move(stream)),
      arrival_(arrival),
      protocol_({.shard = shard_,
                 .pools = owner.pools(),
                 .host = *this,
                 .policy = owner.policy(),
                 .lister = *this,
                 .initiator_address = stream_->remote().address},
                *this),
      login_(std::make_unique<LoginNegotiation>(owner.policy(),
                                                static_cast<const TargetDirectory&>(*this))),
      peer_(fmt::format("{}:{}", stream_->remote().address, stream_->remote().port)) {
  on_readable_.connection = on_writable_.connection = on_close_.connection = this;
  alarm_.connection = this;
  buffer_waiter_.connection = this;
  on_readable_.run = [](engine::Runnable& self) noexcept {
    Connection& connection = *static_cast<Callback&>(self).connection;
    connection.last_bytes_ns_ = connection.shard_.now_ns();
    connection.wake_reader();
  };
  on_writable_.run = [](engine::Runnable& self) noexcept {
    Connection& connection = *static_cast<Callback&>(self).connection;
    connection.waits_writable_ = false;
    connection.guarded([&] { connection.flush(); });
  };
  on_close_.run = [](engine::Runnable& self) noexcept {
    Connection& connection = *static_cast<Callback&>(self).connection;
    connection.owner_.spawn(connection.finish_closing());
  };
  alarm_.run = [](engine::Runnable& self) noexcept {
    Connection& connection = *static_cast<Alarm&>(self).connection;
    connection.guarded([&] { connection.on_alarm(); });
  };
  buffer_waiter_.run = [](engine::Runnable& self) noexcept {
    Connection& connection = *static_cast<Waiter&>(self).connection;
    connection.protocol_.receiver().give_buffer(std::move(connection.buffer_waiter_.buffer));
    connection.wake_reader();
  };
}

Connection::~Connection() = default;

void Connection::start() {
  protocol_.receiver().set_max_data_segment_length(kMaxLoginSegmentLength);
  shard_.arm(alarm_, shard_.now_ns() + kLoginTimeoutNs);
  last_bytes_ns_ = shard_.now_ns();
  wake_reader();
}

void Connection::transition(State next) { state_ = next; }

// ---- Receiving.

bool Connection::reads() const {
  if (protocol_.receiver().is_stalled() || is_full(protocol_.queue())) return false;
  return state_ == State::login || state_ == State::full_feature || state_ == State::draining;
}

void Connection::wake_reader() {
  if (reads() && !engine::Poller::is_linked()) shard_.add_poller(*this);
}

bool Connection::poll() {
  bool worked = true;
  guarded([&] { worked = receive(); });
  return worked;
}

bool Connection::receive() {
  bool worked = sends_more_;
  if (sends_more_) [[unlikely]]
    flush();
  for (int i = 0; i < kReceivesPerPoll; ++i) {
    if (!reads()) {
      waits_for_room_ = true;
      if (!sends_more_) shard_.remove_poller(*this);
      return worked;
    }
    const std::span<iovec> into = protocol_.receiver().receive_into();
    if (into.empty()) {
      if (!sends_more_) shard_.remove_poller(*this);
      if (!buffer_waiter_.is_linked()) {
        buffer_waiter_.bytes = kReceiveBufferBytes;
        shard_.buffers().wait(buffer_waiter_);
      }
      return worked;
    }
    const std::size_t room = total(into);
    const std::int64_t count = stream_->receive(into);
    if (count <= 0) {
      receive_failed(count);
      return worked;
    }
    worked = true;
    last_bytes_ns_ = shard_.now_ns();
    protocol_.receiver().received(static_cast<std::size_t>(count));
    if (memory_reserve::ran_short()) [[unlikely]]
      close("the process has no more memory");
    // The socket is empty, or it is time to answer.
    if (static_cast<std::size_t>(count) < room || !protocol_.receiver().in_bulk()) break;
  }
  return worked;
}

void Connection::receive_failed(std::int64_t result) {
  if (result == -EAGAIN) {
    if (!sends_more_ && shard_.now_ns() - last_bytes_ns_ >= kHotNs) go_cold();
  } else if (result == 0) {
    end("closed by the initiator");
  } else {
    end(std::strerror(static_cast<int>(-result)));
  }
}

void Connection::park() {
  if (std::exchange(sends_more_, false)) {
    waits_writable_ = true;
    stream_->when_writable(on_writable_);
  }
  go_cold();
}

void Connection::go_cold() {
  shard_.remove_poller(*this);
  // Data that is awaited frees buffers of the pool when it comes: it must not have to wait for one.
  if (!protocol_.awaits_data()) protocol_.receiver().release_idle_buffer();
  stream_->when_readable(on_readable_);
}

void Connection::input_unblocked() { wake_reader(); }

// ---- Sending.

void Connection::output_ready() {
  if (!waits_writable_ && !sends_more_) shard_.at_batch_end(on_writable_);
}

void Connection::flush() {
  sends_more_ = false;
  if (state_ == State::closing) return;
  std::size_t turn = kTurnBytes;
  for (;;) {
    protocol_.make_data_in_for_send();
    if (protocol_.queue().empty()) break;
    if (turn == 0) {
      sends_more_ = true;
      if (!engine::Poller::is_linked()) shard_.add_poller(*this);
      go_on_reading();
      return;
    }
    const std::span<iovec> pieces = protocol_.queue().gather(send_pieces, turn);
    const std::int64_t count = stream_->send(pieces);
    if (count == -EAGAIN) {
      waits_writable_ = true;
      stream_->when_writable(on_writable_);
      go_on_reading();
      return;
    }
    if (count < 0) {
      end(std::strerror(static_cast<int>(-count)));
      return;
    }
    turn -= static_cast<std::size_t>(count);
    protocol_.queue().sent(static_cast<std::size_t>(count),
                           [this](Task& task) { protocol_.on_task_sent(task); });
  }
  if (state_ == State::flushing) {
    end("closed after the last response");
  } else if (state_ == State::draining && protocol_.active_tasks() == 0) {
    close(drain_reason_);
  } else {
    go_on_reading();
    wake_reader();
  }
}

// There may be room for more responses.
void Connection::go_on_reading() {
  if (!waits_for_room_ && !protocol_.receiver().is_stalled()) return;
  waits_for_room_ = is_full(protocol_.queue());
  protocol_.receiver().resume();
  wake_reader();
}

// ---- The end.

// Without its port, which changes with each connection.
std::string_view Connection::peer_address() const {
  return std::string_view(peer_).substr(0, peer_.rfind(':'));
}

void Connection::close_now(std::string_view why) { close(why); }

void Connection::close_after_output() {
  if (state_ == State::closing) return;
  transition(State::flushing);
  protocol_.receiver().stop();
  (void)shows_life();
  shard_.arm(alarm_, shard_.now_ns() + kLoginTimeoutNs);
  output_ready();
}

void Connection::drain(std::string_view why) {
  if (state_ == State::full_feature) {
    drain_reason_ = why;
    transition(State::draining);
    protocol_.drain();
    output_ready();  // closes if nothing is in flight
  } else if (state_ == State::login || state_ == State::establishing) {
    close(why);
  }
}

std::string_view Connection::target_name() const {
  if (const Session* session = protocol_.session()) return session->identity().target_name;
  return login_ ? std::string_view(login_->identity().target_name) : std::string_view();
}

void Connection::target_cold_reset() {
  close_after_output();
  owner_.end_other_sessions(protocol_.session()->identity().target_name, tsih_);
}

void Connection::close(std::string_view why) { end_at(log::Level::info, why); }

void Connection::end(std::string_view why) {
  end_at(is_of_no_interest() ? log::Level::debug : log::Level::info, why);
}

// A discovery is over when it is over, by whichever end (iscsiadm resets the connection), and has
// left its line at login. And who connects and says nothing looks whether somebody listens.
bool Connection::is_of_no_interest() const {
  if (const Session* session = protocol_.session(); session != nullptr)
    return session->identity().session_type == SessionType::discovery;
  return login_ && !login_->has_begun();
}

void Connection::end_at(log::Level level, std::string_view why) {
  if (state_ == State::closing) return;
  // Every `why` is one of our own: so many causes there are.
  log::limited(level, peer_address(), why, "{}: connection closed: {}", peer_, why);
  transition(State::closing);
  protocol_.receiver().stop();
  shard_.remove_poller(*this);
  alarm_.cancel();
  shard_.enqueue(on_close_);  // not here: callers below us are still at work
}

engine::Task<void> Connection::finish_closing() {
  on_readable_.unlink();
  on_writable_.unlink();
  buffer_waiter_.cancel();
  stream_.reset();
  co_await gate_.close();
  co_await protocol_.stop();
  auto leaving = owner_.leave(tsih_);
  co_await leaving;
  owner_.closed(*this);  // deletes this
}

}  // namespace lunar::iscsi

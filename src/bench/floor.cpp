#include "bench/floor.h"

#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <cerrno>
#include <climits>
#include <cstring>

#include "base/log.h"
#include "base/start_thread.h"

namespace lunar::bench {
namespace {

constexpr std::size_t kReceiveBytes = 256 * kKiB;

}  // namespace

Result<> pin_to(unsigned cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (cpu < CPU_SETSIZE) CPU_SET(cpu, &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("cannot run on core {}: {}", cpu, std::strerror(errno)));
  }
  return {};
}

Result<std::unique_ptr<Floor>> Floor::start(const Shape& shape) {
  std::unique_ptr<Floor> floor(new Floor(shape));
  LUNAR_TRY_ASSIGN(floor->listener_, listen_on_loopback());
  void* memory = mmap(nullptr, shape.size_bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (memory == MAP_FAILED) {
    return fail(ErrorCode::no_resource, fmt::format("no memory for a disk of {} bytes: {}",
                                                    shape.size_bytes, std::strerror(errno)));
  }
  floor->medium_ = {static_cast<std::byte*>(memory), shape.size_bytes};
  floor->url_ = {.host = "127.0.0.1",
                 .port = floor->listener_.port,
                 .target = "iqn.2026-11.io.lunar:floor",
                 .lun = Lun(0)};
  std::promise<Result<>> started;
  auto outcome = started.get_future();
  auto body = [raw = floor.get(), started = std::move(started)]() mutable {
    raw->run(std::move(started));
  };
  LUNAR_TRY_ASSIGN(floor->thread_, start_thread("floor", std::move(body)));
  LUNAR_TRY(outcome.get());
  return floor;
}

Floor::~Floor() {
  state_.store(State::stopped);
  state_.notify_all();
  // Wakes an accept() that waits for further logins.
  if (listener_.socket.fd() >= 0) shutdown(listener_.socket.fd(), SHUT_RDWR);
  if (thread_.joinable()) thread_.join();
  if (!medium_.empty()) munmap(medium_.data(), medium_.size());
}

void Floor::pause() { state_.store(State::paused); }

void Floor::resume() {
  state_.store(State::running);
  state_.notify_all();
}

bool Floor::keep_going() {
  const State state = state_.load(std::memory_order_relaxed);
  if (state == State::running) return true;
  if (state == State::paused) state_.wait(State::paused);
  return state_.load() != State::stopped;
}

void Floor::run(std::promise<Result<>> started) {
  Result<> pinned = pin_to(shape_.cpu);
  const bool good = pinned.has_value();
  started.set_value(std::move(pinned));
  if (!good) return;
  while (connections_.size() < shape_.connections) {
    auto socket = accept_from(listener_);
    if (!socket) return;
    auto connection =
        std::make_unique<FloorConnection>(std::move(*socket), medium_, shape_.queue_depth);
    if (const auto done = connection->serve_login(); !done) {
      log::error("floor: {}", done.error().message);
      return;
    }
    connections_.push_back(std::move(connection));
  }
  shape_.form == FloorForm::uring ? serve_by_uring() : serve_by_readiness();
}

void Floor::serve_by_readiness() {
  std::vector<std::byte> buffer(kReceiveBytes);
  while (keep_going()) {
    bool worked = false;
    for (const auto& connection : connections_) {
      if (connection->pending().empty()) {
        const ssize_t got = recv(connection->fd(), buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (got <= 0) continue;
        connection->consume({buffer.data(), static_cast<std::size_t>(got)});
      }
      const std::span<iovec> pieces = connection->pending();
      if (pieces.empty()) continue;
      worked = true;
      msghdr message{};
      message.msg_iov = pieces.data();
      message.msg_iovlen = std::min<std::size_t>(pieces.size(), IOV_MAX);
      const ssize_t sent = sendmsg(connection->fd(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent > 0) connection->sent(static_cast<std::size_t>(sent));
    }
    if (!worked && shape_.form == FloorForm::sleeping) wait_readable();
  }
}

void Floor::wait_readable() const {
  constexpr int kLookMs = 20;  // interval of checks for pause and stop
  std::vector<pollfd> all;
  for (const auto& connection : connections_) {
    all.push_back({.fd = connection->fd(), .events = POLLIN, .revents = 0});
  }
  poll(all.data(), all.size(), kLookMs);
}

}  // namespace lunar::bench

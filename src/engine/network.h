// Interface to byte streams, so that tests can simulate them.
//
// Based on readiness, not completion. A busy connection calls non-blocking receive() in each loop,
// which has the lowest latency and scales best with sessions (docs/PERFORMANCE.md). An idle one
// arms when_readable() once and costs nothing until bytes arrive.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "lunar/result.h"
#include "lunar/runnable.h"

namespace lunar::engine {

struct Endpoint {
  std::string address;  // numeric: "127.0.0.1", "::1"
  std::uint16_t port = 0;
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

// An accepted connection without a shard. It can be passed to the shard that will own it.
class Socket {
 public:
  virtual ~Socket() = default;
};

// A connected stream. Used and destroyed on one shard.
class Stream {
 public:
  virtual ~Stream() = default;

  // Both return the bytes moved (> 0); 0: the peer has closed its direction (receive only);
  // -EAGAIN: not now; -errno: the connection is broken.
  virtual std::int64_t receive(std::span<const iovec> into) = 0;
  virtual std::int64_t send(std::span<const iovec> from) = 0;

  // Bytes that send() has accepted but the peer's machine has not acknowledged.
  [[nodiscard]] virtual std::size_t unacknowledged() const = 0;

  // Enqueues `runnable` once receive() (or send()) can proceed: bytes, end of stream, or an error.
  // May be early. One of each at a time. Only destroying the Stream cancels it.
  virtual void when_readable(Runnable& runnable) = 0;
  virtual void when_writable(Runnable& runnable) = 0;

  // Whether the peer has closed its direction or the connection is broken, even if bytes are still
  // to be received.
  [[nodiscard]] virtual bool is_over() const = 0;

  [[nodiscard]] virtual const Endpoint& local() const = 0;
  // As reported by accept(), so valid also after the peer has gone.
  [[nodiscard]] virtual const Endpoint& remote() const = 0;
};

using AcceptHandler = std::function<void(std::unique_ptr<Socket>)>;

// Holds its address until destroyed. Used on one shard.
class Listener {
 public:
  virtual ~Listener() = default;
  [[nodiscard]] virtual const Endpoint& local()
      const = 0;  // contains the port that was chosen for port 0
  // Starts accepting; call once. `accepted` is called on this shard for each connection in order of
  // arrival, including those that arrived before.
  virtual void start(AcceptHandler accepted) = 0;
};

struct ListenOptions {
  // For the address "::": accepts IPv4, too. IPv4 peers keep their IPv4 addresses.
  bool ipv4_too = false;
};

// One per shard.
class Network {
 public:
  virtual ~Network() = default;
  // Errors: busy (address in use), permission, no_resource, invalid_argument.
  virtual Result<std::unique_ptr<Listener>> open_listener(const Endpoint& at,
                                                          const ListenOptions& options) = 0;
  // open_listener() and start() in one.
  Result<std::unique_ptr<Listener>> listen(const Endpoint& at, AcceptHandler accepted) {
    auto listener = open_listener(at, {});
    if (listener) (*listener)->start(std::move(accepted));
    return listener;
  }
  // Turns a Socket, accepted on any shard, into a Stream of this shard.
  virtual std::unique_ptr<Stream> adopt(std::unique_ptr<Socket> socket) = 0;
};

}  // namespace lunar::engine

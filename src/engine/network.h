// The seam for byte streams.
//
// Readiness, not completion: a busy connection is polled by plain non-blocking receive() each loop,
// which has the least latency and scales best with sessions (docs/PERFORMANCE.md); an idle one arms
// when_readable() once and costs nothing until bytes come.
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

// An accepted connection that belongs to no shard yet, so that it can travel to the one that will
// own it.
class Socket {
 public:
  virtual ~Socket() = default;
};

// A connected stream. One shard; destroy it there.
class Stream {
 public:
  virtual ~Stream() = default;

  // Both: bytes moved (> 0); 0: the peer has closed (receive only); -EAGAIN: not now; -errno:
  // broken.
  virtual std::int64_t receive(std::span<const iovec> into) = 0;
  virtual std::int64_t send(std::span<const iovec> from) = 0;

  // Bytes that send() has taken and that have not reached the peer's machine.
  [[nodiscard]] virtual std::size_t unacknowledged() const = 0;

  // Enqueues `runnable` once receive() (send()) may get on: bytes, end of stream or error. One of
  // each at a time; may be early. Cancelled by unlinking nothing: by the Stream's destruction only.
  virtual void when_readable(Runnable& runnable) = 0;
  virtual void when_writable(Runnable& runnable) = 0;

  // The peer has closed its direction, or the connection is broken, whatever is still to be
  // received.
  [[nodiscard]] virtual bool is_over() const = 0;

  [[nodiscard]] virtual const Endpoint& local() const = 0;
  // As accept told it: also of a peer that has gone since.
  [[nodiscard]] virtual const Endpoint& remote() const = 0;
};

using AcceptHandler = std::function<void(std::unique_ptr<Socket>)>;

// Holds its address until destroyed. One shard.
class Listener {
 public:
  virtual ~Listener() = default;
  [[nodiscard]] virtual const Endpoint& local()
      const = 0;  // with the port that was chosen for port 0
  // Once. `accepted` is called on this shard for each connection, in the order in which they came;
  // those that came before wait for it.
  virtual void start(AcceptHandler accepted) = 0;
};

struct ListenOptions {
  // Of "::", which otherwise takes IPv6 alone. IPv4 peers keep their IPv4 addresses.
  bool ipv4_too = false;
};

// One per shard.
class Network {
 public:
  virtual ~Network() = default;
  // Errors: busy, the address is in use; permission; no_resource; invalid_argument.
  virtual Result<std::unique_ptr<Listener>> open_listener(const Endpoint& at,
                                                          const ListenOptions& options) = 0;
  // The same, started.
  Result<std::unique_ptr<Listener>> listen(const Endpoint& at, AcceptHandler accepted) {
    auto listener = open_listener(at, {});
    if (listener) (*listener)->start(std::move(accepted));
    return listener;
  }
  // Makes a Socket, accepted on any shard, a Stream of this shard.
  virtual std::unique_ptr<Stream> adopt(std::unique_ptr<Socket> socket) = 0;
};

}  // namespace lunar::engine

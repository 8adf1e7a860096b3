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

  [[nodiscard]] virtual const Endpoint& local() const = 0;
  [[nodiscard]] virtual const Endpoint& remote() const = 0;
};

// Accepts until destroyed. One shard.
class Listener {
 public:
  virtual ~Listener() = default;
  [[nodiscard]] virtual const Endpoint& local()
      const = 0;  // with the port that was chosen for port 0
};

using AcceptHandler = std::function<void(std::unique_ptr<Socket>)>;

// One per shard.
class Network {
 public:
  virtual ~Network() = default;
  // `accepted` is called on this shard for each new connection.
  virtual Result<std::unique_ptr<Listener>> listen(const Endpoint& at, AcceptHandler accepted) = 0;
  // Makes a Socket, accepted on any shard, a Stream of this shard.
  virtual std::unique_ptr<Stream> adopt(std::unique_ptr<Socket> socket) = 0;
};

}  // namespace lunar::engine

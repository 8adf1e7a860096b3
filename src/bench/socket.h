// The bench's own TCP sockets: blocking while a session logs in, never afterwards.
#pragma once

#include <string>
#include <utility>

#include "base/bytes.h"
#include "lunar/result.h"

namespace lunar::bench {

class Socket {
 public:
  explicit Socket(int fd = -1) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Socket();

  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_;
};

// Without Nagle's delay, and with a bound of kLoginTimeoutS on each blocking call.
constexpr int kLoginTimeoutS = 10;
Result<Socket> connect_to(const std::string& host, const std::string& port);
// A listener on a free port of 127.0.0.1, which it tells.
struct Listener {
  Socket socket;
  std::string port;
};
Result<Listener> listen_on_loopback();
Result<Socket> accept_from(const Listener& listener);

// All of it, blocking. ErrorCode::io when the peer is gone or silent.
Result<> send_all(const Socket& socket, Bytes bytes);
Result<> receive_all(const Socket& socket, MutableBytes into);

}  // namespace lunar::bench

// TCP sockets of the bench: blocking during login, non-blocking afterwards.
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

// Connects, with TCP_NODELAY and a limit of kLoginTimeoutS for each blocking call.
constexpr int kLoginTimeoutS = 10;
Result<Socket> connect_to(const std::string& host, const std::string& port);
// A listener on a free port of 127.0.0.1.
struct Listener {
  Socket socket;
  std::string port;
};
Result<Listener> listen_on_loopback();
Result<Socket> accept_from(const Listener& listener);

// Transfer all bytes. Blocking. ErrorCode::io: the peer has gone or is silent.
Result<> send_all(const Socket& socket, Bytes bytes);
Result<> receive_all(const Socket& socket, MutableBytes into);

}  // namespace lunar::bench

#include "bench/socket.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace lunar::bench {
namespace {

std::unexpected<Error> io_error(std::string_view what, int error) {
  const bool silent = error == EAGAIN || error == EINPROGRESS;
  return fail(ErrorCode::io, fmt::format("{}: {}", what,
                                         silent ? fmt::format("no answer for {} s", kLoginTimeoutS)
                                                : std::strerror(error)));
}

void prepare(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const timeval limit{.tv_sec = kLoginTimeoutS, .tv_usec = 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

}  // namespace

Socket::~Socket() {
  if (fd_ >= 0) close(fd_);
}

Result<Socket> connect_to(const std::string& host, const std::string& port) {
  const std::string where = fmt::format("cannot connect to {}:{}", host, port);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(host.c_str(), port.c_str(), &hints, &found); error != 0) {
    return fail(ErrorCode::not_found, fmt::format("{}: {}", where, gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, &freeaddrinfo);
  int last_error = 0;
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    Socket socket(::socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (socket.fd() < 0) {
      last_error = errno;
      continue;
    }
    prepare(socket.fd());
    if (connect(socket.fd(), at->ai_addr, at->ai_addrlen) == 0) return socket;
    last_error = errno;
  }
  return io_error(where, last_error);
}

Result<Listener> listen_on_loopback() {
  Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (socket.fd() < 0 || bind(socket.fd(), generic, sizeof address) != 0 ||
      listen(socket.fd(), SOMAXCONN) != 0 || getsockname(socket.fd(), generic, &length) != 0) {
    return io_error("cannot listen on 127.0.0.1", errno);
  }
  prepare(socket.fd());  // accepted sockets inherit it
  return Listener{std::move(socket), std::to_string(ntohs(address.sin_port))};
}

Result<Socket> accept_from(const Listener& listener) {
  Socket socket(accept4(listener.socket.fd(), nullptr, nullptr, SOCK_CLOEXEC));
  if (socket.fd() < 0) return io_error("cannot accept", errno);
  prepare(socket.fd());
  return socket;
}

Result<> send_all(const Socket& socket, Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return io_error("cannot send", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(sent));
  }
  return {};
}

Result<> receive_all(const Socket& socket, MutableBytes into) {
  while (!into.empty()) {
    const ssize_t got = recv(socket.fd(), into.data(), into.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return io_error("cannot receive", errno);
    if (got == 0) return fail(ErrorCode::io, "the target closed the connection");
    into = into.subspan(static_cast<std::size_t>(got));
  }
  return {};
}

}  // namespace lunar::bench

#include "engine/uring_network.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <new>

#include "base/log.h"
#include "base/medium_access.h"
#include "engine/descriptor.h"
#include "engine/shard.h"

namespace lunar::engine {
namespace {

constexpr int kListenBacklog = 4096;  // bounded further by net.core.somaxconn
constexpr std::uint64_t kAcceptRetryNs = 100 * kMillisecond;  // after EMFILE and similar errors

Endpoint endpoint_of(const sockaddr_storage& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
    return {text.data(), ntohs(v4.sin_port)};
  }
  if (address.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {  // an IPv4 peer of a listener for both families
      constexpr std::size_t kPrefixBytes = 12;
      inet_ntop(AF_INET, &v6.sin6_addr.s6_addr[kPrefixBytes], text.data(), text.size());
      return {text.data(), ntohs(v6.sin6_port)};
    }
    inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
    return {text.data(), ntohs(v6.sin6_port)};
  }
  return {};
}

Endpoint local_endpoint_of(int fd) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) return {};
  return endpoint_of(address);
}

struct TcpSocket final : Socket {
  TcpSocket(int fd, const sockaddr_storage& address) : descriptor(fd), peer(address) {}
  Descriptor descriptor;
  sockaddr_storage peer;
};

// One-shot readiness of one direction. On the heap, as it outlives its Stream while the kernel
// refers to it.
struct Readiness : RingOp {
  UringDriver* driver = nullptr;
  Runnable* waiter = nullptr;
  bool armed = false;
  bool orphan = false;

  explicit Readiness(UringDriver& owner) : driver(&owner) { complete = &on_complete; }

  void arm(int fd, unsigned events, Runnable& runnable) {
    waiter = &runnable;
    if (armed) return;
    armed = true;
    io_uring_sqe* entry = driver->sqe();
    io_uring_prep_poll_add(entry, fd, events);
    UringDriver::own(entry, *this);
  }
  static void release(std::unique_ptr<Readiness> self) {
    if (!self->armed) return;
    self->orphan = true;
    self->waiter = nullptr;
    self->driver->orphan_added();
    self->driver->cancel(*self);
    (void)self.release();  // on_complete deletes it
  }

 private:
  static void on_complete(RingOp& op, std::int32_t, std::uint32_t) noexcept {
    auto& self = static_cast<Readiness&>(op);
    self.armed = false;
    if (self.orphan) {
      self.driver->orphan_completed();
      delete &self;
      return;
    }
    // Errors and hang-ups count as ready: receive() or send() then reports them.
    if (Runnable* waiter = std::exchange(self.waiter, nullptr);
        waiter != nullptr && !waiter->is_linked()) {
      Shard::current()->enqueue(*waiter);
    }
  }
};

// Calls the kernel directly. recv() and similar functions are cancellation points: once a process
// has a second thread, glibc enables and disables cancellation with four locked instructions per
// call. Nobody cancels threads here.
class TcpStream final : public Stream {
 public:
  TcpStream(UringDriver& driver, Descriptor descriptor, Endpoint remote)
      : descriptor_(std::move(descriptor)),
        readable_(std::make_unique<Readiness>(driver)),
        writable_(std::make_unique<Readiness>(driver)),
        local_(local_endpoint_of(descriptor_.get())),
        remote_(std::move(remote)) {}
  ~TcpStream() override {
    Readiness::release(std::move(readable_));
    Readiness::release(std::move(writable_));
  }

  std::int64_t receive(std::span<const iovec> into) override {
    const MediumAccess access;  // data may be read from, or written to, a medium's own memory
    if (into.size() == 1) {
      return result(syscall(SYS_recvfrom, fd(), into[0].iov_base, into[0].iov_len, MSG_DONTWAIT,
                            nullptr, nullptr));
    }
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(into.data());
    message.msg_iovlen = into.size();
    return result(syscall(SYS_recvmsg, fd(), &message, MSG_DONTWAIT));
  }
  std::int64_t send(std::span<const iovec> from) override {
    const MediumAccess access;
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(from.data());
    message.msg_iovlen = from.size();
    return result(syscall(SYS_sendmsg, fd(), &message, MSG_DONTWAIT | MSG_NOSIGNAL));
  }
  [[nodiscard]] std::size_t unacknowledged() const override {
    int bytes = 0;
    return ioctl(fd(), SIOCOUTQ, &bytes) == 0 ? static_cast<std::size_t>(bytes) : 0;
  }
  void when_readable(Runnable& runnable) override {
    readable_->arm(fd(), POLLIN | POLLRDHUP, runnable);
  }
  void when_writable(Runnable& runnable) override { writable_->arm(fd(), POLLOUT, runnable); }
  [[nodiscard]] bool is_over() const override {
    pollfd look{fd(), POLLRDHUP, 0};  // POLLERR and POLLHUP are always reported
    return ::poll(&look, 1, 0) == 1;
  }
  [[nodiscard]] const Endpoint& local() const override { return local_; }
  [[nodiscard]] const Endpoint& remote() const override { return remote_; }

 private:
  [[nodiscard]] int fd() const { return descriptor_.get(); }
  static std::int64_t result(long moved) {
    if (moved >= 0) return moved;
    return errno == EINTR ? -EAGAIN : -errno;
  }

  Descriptor descriptor_;
  std::unique_ptr<Readiness> readable_;
  std::unique_ptr<Readiness> writable_;
  Endpoint local_;
  Endpoint remote_;
};

class TcpListener final : public Listener {
 public:
  TcpListener(UringDriver& driver, Descriptor descriptor)
      : state_(new State(driver, std::move(descriptor))),
        local_(local_endpoint_of(state_->descriptor.get())) {}
  ~TcpListener() override { State::release(state_); }
  [[nodiscard]] const Endpoint& local() const override { return local_; }
  void start(AcceptHandler accepted) override {
    state_->accepted = std::move(accepted);
    state_->arm();
  }

 private:
  // One accept at a time, each with the peer's address. A multishot accept has one address buffer
  // for all, and getpeername() fails for a peer that has reset its connection meanwhile. Outlives
  // the Listener while the kernel refers to it.
  struct State : RingOp {
    State(UringDriver& owner, Descriptor fd) : driver(owner), descriptor(std::move(fd)) {
      complete = &on_complete;
      retry.state = this;
      retry.run = [](Runnable& self) noexcept { static_cast<Retry&>(self).state->arm(); };
    }
    void arm() {
      armed = true;
      length = sizeof peer;
      io_uring_sqe* entry = driver.sqe();
      io_uring_prep_accept(entry, descriptor.get(), reinterpret_cast<sockaddr*>(&peer), &length,
                           SOCK_CLOEXEC);
      UringDriver::own(entry, *this);
    }
    static void release(State* self) {
      if (!self->armed) {
        delete self;
        return;
      }
      self->orphan = true;
      self->retry.cancel();
      self->driver.orphan_added();
      self->driver.cancel(*self);
    }
    static void on_complete(RingOp& op, std::int32_t result, std::uint32_t) noexcept {
      auto& self = static_cast<State&>(op);
      std::unique_ptr<Socket> socket;
      if (result >= 0) {
        socket.reset(new (std::nothrow) TcpSocket(result, self.peer));
        if (!socket) close(result);  // no memory for another connection
      }
      if (self.orphan) {
        self.driver.orphan_completed();
        delete &self;
        return;
      }
      // Armed before the handler runs, which may destroy the listener.
      self.armed = false;
      if (result >= 0 || result == -ECONNABORTED || result == -EINTR) {
        self.arm();
        if (socket) self.accepted(std::move(socket));
      } else {
        log::limited(log::Level::warning, "listener", "cannot accept",
                     "cannot accept a connection: {}; trying again", std::strerror(-result));
        Shard& shard = *Shard::current();
        shard.arm(self.retry, shard.now_ns() + kAcceptRetryNs);
      }
    }

    struct Retry : Timer {
      State* state = nullptr;
    };
    UringDriver& driver;
    Descriptor descriptor;
    AcceptHandler accepted;
    sockaddr_storage peer{};  // for the current accept
    socklen_t length = 0;
    Retry retry;
    bool armed = false;
    bool orphan = false;
  };

  State* state_;
  Endpoint local_;
};

ErrorCode listen_error_code(int error) {
  switch (error) {
    case EADDRINUSE: return ErrorCode::busy;
    case EACCES: return ErrorCode::permission;  // ports below 1024
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM: return ErrorCode::no_resource;
    default: return ErrorCode::invalid_argument;
  }
}

Result<Descriptor> listening_socket(const Endpoint& at, const ListenOptions& options) {
  const auto failed = [&](const char* what, ErrorCode code, const char* why) {
    return fail(code, fmt::format("cannot {} {}:{}: {}", what, at.address, at.port, why));
  };
  const auto os_failed = [&](const char* what) {
    const int error = errno;
    return failed(what, listen_error_code(error),
                  error == EADDRNOTAVAIL ? "no interface of this machine has this address"
                                         : std::strerror(error));
  };
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error =
          getaddrinfo(at.address.c_str(), std::to_string(at.port).c_str(), &hints, &found);
      error != 0) {
    return failed("listen on", ErrorCode::invalid_argument, "not a numeric IPv4 or IPv6 address");
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> address(found, &freeaddrinfo);
  Descriptor descriptor(socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (descriptor.get() < 0) return os_failed("make a socket for");
  const int on = 1;
  // SO_REUSEADDR, because old connections in TIME_WAIT are harmless. Not SO_REUSEPORT: a second
  // daemon, or the socket of a killed one that the kernel has not closed yet, would take a share of
  // the new connections.
  setsockopt(descriptor.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  // Accepted sockets inherit it: responses must not wait for more data.
  setsockopt(descriptor.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const int ipv6_only = options.ipv4_too ? 0 : 1;
  if (address->ai_family == AF_INET6)
    setsockopt(descriptor.get(), IPPROTO_IPV6, IPV6_V6ONLY, &ipv6_only, sizeof ipv6_only);
  if (bind(descriptor.get(), address->ai_addr, address->ai_addrlen) != 0) {
    return os_failed("listen on");
  }
  if (listen(descriptor.get(), kListenBacklog) != 0) return os_failed("listen on");
  return descriptor;
}

}  // namespace

Result<std::unique_ptr<Listener>> UringNetwork::open_listener(const Endpoint& at,
                                                              const ListenOptions& options) {
  LUNAR_TRY_ASSIGN(Descriptor descriptor, listening_socket(at, options));
  return std::make_unique<TcpListener>(driver_, std::move(descriptor));
}

std::unique_ptr<Stream> UringNetwork::adopt(std::unique_ptr<Socket> socket) {
  auto& tcp = static_cast<TcpSocket&>(*socket);
  return std::make_unique<TcpStream>(driver_, std::move(tcp.descriptor), endpoint_of(tcp.peer));
}

}  // namespace lunar::engine

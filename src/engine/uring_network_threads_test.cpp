// TCP of the kernel, against a plain blocking socket of the test on loopback.
#include "engine/uring_network.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/shard_group.h"

namespace lunar::engine {
namespace {

// A blocking client.
class Client {
 public:
  explicit Client(std::uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() { close(fd_); }
  [[nodiscard]] bool is_connected() const { return connected_; }
  void write(std::string_view text) const {
    EXPECT_EQ(::send(fd_, text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
  }
  // `count` bytes, or fewer at the end of the stream.
  [[nodiscard]] std::string read(std::size_t count) const {
    std::string text(count, '\0');
    const ssize_t got = recv(fd_, text.data(), count, MSG_WAITALL);
    text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return text;
  }
  // Makes close() send RST.
  void reset_on_close() const {
    const linger now{1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }
  void half_close() const { shutdown(fd_, SHUT_WR); }
  [[nodiscard]] std::uint16_t port() const {
    sockaddr_in address{};
    socklen_t length = sizeof address;
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &length);
    return ntohs(address.sin_port);
  }

 private:
  int fd_;
  bool connected_ = false;
};

// A Runnable to await: readiness of a stream, or an accepted connection.
struct Wakeup : Runnable {
  Wakeup() {
    run = [](Runnable& self) noexcept { static_cast<Wakeup&>(self).event.set(); };
  }
  Event event;
};

// The shard's side. Everything in it, except start and stop, runs there.
struct Server {
  std::unique_ptr<Listener> listener;
  std::unique_ptr<Stream> stream;
  Event accepted;
  std::string received;
  std::int64_t last = 0;
};

Task<void> listen_on(Server* server, Shard* shard, std::uint16_t* port) {
  auto listener =
      shard->network().listen({"127.0.0.1", 0}, [server](std::unique_ptr<Socket> socket) {
        server->stream = Shard::current()->network().adopt(std::move(socket));
        server->accepted.set();
      });
  EXPECT_TRUE(listener);
  server->listener = std::move(*listener);
  *port = server->listener->local().port;
  co_return;
}

// Receives until `count` bytes, the end or an error. 0: until the end.
Task<void> receive(Server* server, std::size_t count) {
  co_await server->accepted;
  std::array<char, 4096> buffer;
  while (count == 0 || server->received.size() < count) {
    const iovec into{buffer.data(), buffer.size()};
    server->last = server->stream->receive({&into, 1});
    if (server->last == -EAGAIN) {
      Wakeup readable;
      server->stream->when_readable(readable);
      co_await readable.event;
      continue;
    }
    if (server->last <= 0) break;
    server->received.append(buffer.data(), static_cast<std::size_t>(server->last));
  }
}

Task<void> send_all(Server* server, std::string text) {
  for (std::size_t sent = 0; sent < text.size();) {
    const std::size_t half = (text.size() - sent) / 2;
    const std::array<iovec, 2> from{iovec{text.data() + sent, half},
                                    iovec{text.data() + sent + half, text.size() - sent - half}};
    server->last = server->stream->send(from);
    if (server->last == -EAGAIN) {
      Wakeup writable;
      server->stream->when_writable(writable);
      co_await writable.event;
      continue;
    }
    if (server->last <= 0) co_return;
    sent += static_cast<std::size_t>(server->last);
  }
}

Task<void> tear_down(Server* server) {
  server->stream.reset();
  server->listener.reset();
  co_return;
}

class UringNetworkTest : public testing::Test {
 protected:
  UringNetworkTest() {
    ShardGroupOptions options;
    options.pool_bytes = 8 * kMiB;
    group_ = std::move(*ShardGroup::start(options));
    on_shard([this] { return listen_on(&server_, &group_->shard(0), &port_); });
  }
  ~UringNetworkTest() override {
    on_shard([this] { return tear_down(&server_); });
  }
  void on_shard(const std::function<Task<void>()>& make) { group_->run_on(0, make); }
  void receive_on_shard(std::size_t count) {
    on_shard([this, count] { return receive(&server_, count); });
  }

  std::unique_ptr<ShardGroup> group_;
  Server server_;
  std::uint16_t port_ = 0;
};

TEST_F(UringNetworkTest, EchoesAndKnowsBothEnds) {
  const Client client(port_);
  ASSERT_TRUE(client.is_connected());
  client.write("hello");
  receive_on_shard(5);
  EXPECT_EQ(server_.received, "hello");
  EXPECT_EQ(server_.stream->local(), (Endpoint{"127.0.0.1", port_}));
  EXPECT_EQ(server_.stream->remote(), (Endpoint{"127.0.0.1", client.port()}));
  on_shard([this] { return send_all(&server_, server_.received); });
  EXPECT_EQ(client.read(5), "hello");
}

TEST_F(UringNetworkTest, SendsMoreThanTheSocketTakes) {
  const Client client(port_);
  client.write("x");
  receive_on_shard(1);
  const std::string large(16 << 20, 'y');
  std::thread reader([&] { EXPECT_EQ(client.read(large.size()), large); });
  on_shard([&] { return send_all(&server_, large); });
  reader.join();
}

TEST_F(UringNetworkTest, PeerCloseIsTheEndOfTheStream) {
  {
    const Client client(port_);
    client.write("bye");
  }
  receive_on_shard(0);
  EXPECT_EQ(server_.received, "bye");
  EXPECT_EQ(server_.last, 0);
}

TEST_F(UringNetworkTest, HalfClosedPeerStillReads) {
  const Client client(port_);
  client.write("question");
  client.half_close();
  receive_on_shard(0);
  EXPECT_EQ(server_.last, 0);
  on_shard([this] { return send_all(&server_, "answer"); });
  EXPECT_EQ(client.read(6), "answer");
}

TEST_F(UringNetworkTest, ResetIsAnErrorOfReceiveAndSend) {
  {
    const Client client(port_);
    client.write("x");
    receive_on_shard(1);
    client.reset_on_close();
  }
  receive_on_shard(0);
  EXPECT_EQ(server_.last, -ECONNRESET);
  on_shard([this] { return send_all(&server_, "y"); });
  EXPECT_EQ(server_.last, -EPIPE);
}

TEST_F(UringNetworkTest, IsOverOncePeerHasClosedWhateverIsStillThere) {
  const Client client(port_);
  client.write("xy");
  receive_on_shard(1);
  EXPECT_FALSE(server_.stream->is_over());
  client.half_close();
  EXPECT_TRUE(server_.stream->is_over());
}

Task<void> open_listener(Server* server, Shard* shard, Endpoint at, ListenOptions options,
                         std::uint16_t* port) {
  auto listener = shard->network().open_listener(at, options);
  EXPECT_TRUE(listener);
  server->listener = std::move(*listener);
  *port = server->listener->local().port;
  co_return;
}

Task<void> accept_one(Server* server) {
  server->listener->start([server](std::unique_ptr<Socket> socket) {
    server->stream = Shard::current()->network().adopt(std::move(socket));
    server->accepted.set();
  });
  co_await server->accepted;
}

// As in the backlog of a daemon that was stopped for a while.
TEST_F(UringNetworkTest, AcceptTellsThePeerThatHasResetMeanwhile) {
  Server server;
  std::uint16_t port = 0;
  std::uint16_t peer_port = 0;
  on_shard([&] { return open_listener(&server, &group_->shard(0), {"127.0.0.1", 0}, {}, &port); });
  {
    const Client client(port);
    ASSERT_TRUE(client.is_connected()) << "it waits for start()";
    client.write("x");
    client.reset_on_close();
    peer_port = client.port();
  }
  on_shard([&] { return accept_one(&server); });
  EXPECT_EQ(server.stream->remote(), (Endpoint{"127.0.0.1", peer_port}));
  EXPECT_EQ(server.stream->local(), (Endpoint{"127.0.0.1", port}));
  EXPECT_TRUE(server.stream->is_over());
  on_shard([&] { return tear_down(&server); });
}

TEST_F(UringNetworkTest, ListenerOfBothFamiliesKeepsIPv4Addresses) {
  Server server;
  std::uint16_t port = 0;
  const ListenOptions options{.ipv4_too = true};
  on_shard([&] { return open_listener(&server, &group_->shard(0), {"::", 0}, options, &port); });
  const Client client(port);
  ASSERT_TRUE(client.is_connected());
  on_shard([&] { return accept_one(&server); });
  EXPECT_EQ(server.stream->remote(), (Endpoint{"127.0.0.1", client.port()}));
  EXPECT_EQ(server.stream->local(), (Endpoint{"127.0.0.1", port}));
  on_shard([&] { return tear_down(&server); });
}

struct CountRuns : Runnable {
  CountRuns() {
    run = [](Runnable& self) noexcept { ++static_cast<CountRuns&>(self).runs; };
  }
  int runs = 0;
};

Task<void> arm_and_destroy(Server* server, Shard* shard, CountRuns* waiter, bool submitted) {
  co_await server->accepted;
  server->stream->when_readable(*waiter);
  // Or destroyed before the kernel has even seen it.
  if (submitted) co_await sleep_for(*shard, kMillisecond);
  server->stream.reset();
  co_await sleep_for(*shard, kMillisecond);
}

TEST_F(UringNetworkTest, DestroyedStreamClosesAndTellsNobody) {
  for (const bool submitted : {false, true}) {
    on_shard([this] {
      server_.accepted.reset();
      return tear_down(&server_);
    });
    on_shard([this] { return listen_on(&server_, &group_->shard(0), &port_); });
    const Client client(port_);
    CountRuns waiter;
    on_shard([&] { return arm_and_destroy(&server_, &group_->shard(0), &waiter, submitted); });
    EXPECT_EQ(client.read(1), "") << "the end of the stream";
    EXPECT_EQ(waiter.runs, 0);
  }
}

TEST_F(UringNetworkTest, DestroyedListenerRefuses) {
  on_shard([this] { return tear_down(&server_); });
  // The port closes when the kernel has processed the cancellation, one loop later.
  on_shard([this] {
    return [](Shard* shard) -> Task<void> {
      co_await sleep_for(*shard, kMillisecond);
    }(&group_->shard(0));
  });
  EXPECT_FALSE(Client(port_).is_connected());
}

Task<void> listen_result(Shard* shard, Endpoint at, ErrorCode* code, std::string* message) {
  const auto listener = shard->network().listen(at, [](std::unique_ptr<Socket>) {});
  EXPECT_FALSE(listener);
  if (listener) co_return;
  *code = listener.error().code;
  *message = listener.error().message;
}

TEST_F(UringNetworkTest, ListenNamesWhatIsWrong) {
  const auto fails = [&](const Endpoint& at) {
    ErrorCode code{};
    std::string message;
    on_shard([&] { return listen_result(&group_->shard(0), at, &code, &message); });
    EXPECT_NE(message.find(at.address), std::string::npos) << message;
    return code;
  };
  EXPECT_EQ(fails({"127.0.0.1", port_}), ErrorCode::busy);
  EXPECT_EQ(fails({"localhost", 0}), ErrorCode::invalid_argument) << "after a busy one too";
  EXPECT_EQ(fails({"", 0}), ErrorCode::invalid_argument);
  EXPECT_EQ(fails({"192.0.2.1", 0}), ErrorCode::invalid_argument) << "no address of ours";
}

std::size_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

TEST(UringNetwork, LeavesNoDescriptorBehind) {
  const std::size_t before = open_descriptors();
  for (int i = 0; i < 5; ++i) {
    ShardGroupOptions options;
    options.pool_bytes = 8 * kMiB;
    const auto group = std::move(*ShardGroup::start(options));
    Server server;
    std::uint16_t port = 0;
    group->run_on(0, [&] { return listen_on(&server, &group->shard(0), &port); });
    const Client client(port);
    client.write("x");
    group->run_on(0, [&] { return receive(&server, 1); });
    CountRuns waiter;
    group->run_on(0, [&]() -> Task<void> {
      server.stream->when_readable(waiter);
      return tear_down(&server);  // stopped with both cancellations on their way
    });
  }
  EXPECT_EQ(open_descriptors(), before);
}

}  // namespace
}  // namespace lunar::engine

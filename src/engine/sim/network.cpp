#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>

#include "engine/sim/world.h"

namespace lunar::engine::sim {
namespace {

struct SimSocket final : Socket {
  std::shared_ptr<Pipe> in;
  std::shared_ptr<Pipe> out;
  Endpoint local;
};

class SimStream final : public Stream {
 public:
  SimStream(World& world, SimDriver& driver, SimSocket& socket)
      : world_(world), driver_(driver), in_(socket.in), out_(socket.out), local_(socket.local) {
    in_->on_bytes = [this] { notify(reader_); };
    out_->on_room = [this] { notify(writer_); };
  }
  ~SimStream() override {
    in_->on_bytes = nullptr;
    in_->broken = true;
    out_->on_room = nullptr;
    out_->closed = true;
    *alive_ = false;
    if (out_->on_bytes) out_->on_bytes();
  }

  std::int64_t receive(std::span<const iovec> into) override {
    if (in_->bytes.empty()) return in_->closed ? 0 : -EAGAIN;
    if (world_.chance(world_.faults().would_block)) return -EAGAIN;
    std::size_t limit = limited(in_->bytes.size());
    std::size_t moved = 0;
    for (const iovec& piece : into) {
      const std::size_t count = std::min(piece.iov_len, limit - moved);
      if (count == 0) continue;
      std::memcpy(piece.iov_base, in_->bytes.data() + moved, count);
      moved += count;
    }
    in_->bytes.erase(in_->bytes.begin(), in_->bytes.begin() + static_cast<std::ptrdiff_t>(moved));
    if (in_->on_room) in_->on_room();
    return static_cast<std::int64_t>(moved);
  }

  std::int64_t send(std::span<const iovec> from) override {
    if (out_->broken) return -EPIPE;
    const std::size_t room = Pipe::kCapacity - std::min(Pipe::kCapacity, out_->bytes.size());
    if (room == 0 || world_.chance(world_.faults().would_block)) return -EAGAIN;
    const std::size_t limit = limited(room);
    std::size_t moved = 0;
    for (const iovec& piece : from) {
      const std::size_t count = std::min(piece.iov_len, limit - moved);
      const auto* data = static_cast<const std::byte*>(piece.iov_base);
      out_->bytes.insert(out_->bytes.end(), data, data + count);
      moved += count;
    }
    if (out_->on_bytes) out_->on_bytes();
    return static_cast<std::int64_t>(moved);
  }

  [[nodiscard]] std::size_t unacknowledged() const override { return out_->bytes.size(); }

  void when_readable(Runnable& runnable) override {
    reader_ = &runnable;
    if (!in_->bytes.empty() || in_->closed) notify(reader_);
  }
  void when_writable(Runnable& runnable) override {
    writer_ = &runnable;
    if (out_->bytes.size() < Pipe::kCapacity || out_->broken) notify(writer_);
  }
  [[nodiscard]] bool is_over() const override { return in_->closed; }
  [[nodiscard]] const Endpoint& local() const override { return local_; }
  [[nodiscard]] const Endpoint& remote() const override { return remote_; }

 private:
  // In a later loop, as with the kernel.
  void notify(Runnable*& waiter) {
    Runnable* runnable = std::exchange(waiter, nullptr);
    if (runnable == nullptr) return;
    driver_.at(0, [runnable, alive = alive_] {
      if (*alive && !runnable->is_linked()) Shard::current()->enqueue(*runnable);
    });
  }
  std::size_t limited(std::size_t count) {
    if (count > 1 && world_.chance(world_.faults().short_transfer)) {
      return 1 + static_cast<std::size_t>(world_.prng().below(count - 1));
    }
    return count;
  }

  World& world_;
  SimDriver& driver_;
  std::shared_ptr<Pipe> in_;
  std::shared_ptr<Pipe> out_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  Runnable* reader_ = nullptr;
  Runnable* writer_ = nullptr;
  Endpoint local_;
  Endpoint remote_{"10.0.0.9", 50000};
};

}  // namespace

class SimListener final : public Listener {
 public:
  SimListener(World& world, Endpoint at) : world_(world), at_(std::move(at)) {}
  ~SimListener() override { world_.listeners_.erase({at_.address, at_.port}); }
  [[nodiscard]] const Endpoint& local() const override { return at_; }
  void start(AcceptHandler accepted) override {
    World::Listening& listening = world_.listeners_.at({at_.address, at_.port});
    listening.accepted = std::move(accepted);
    for (auto& socket : std::exchange(listening.waiting, {})) listening.accepted(std::move(socket));
  }

 private:
  World& world_;
  Endpoint at_;
};

Result<std::unique_ptr<Listener>> SimNetwork::open_listener(const Endpoint& at,
                                                            const ListenOptions&) {
  const auto [where, fresh] =
      world_.listeners_.try_emplace({at.address, at.port}, World::Listening{.driver = &driver_});
  if (!fresh) return fail(ErrorCode::busy, "the address is in use");
  return std::make_unique<SimListener>(world_, at);
}

std::unique_ptr<Stream> SimNetwork::adopt(std::unique_ptr<Socket> socket) {
  return std::make_unique<SimStream>(world_, driver_, static_cast<SimSocket&>(*socket));
}

Peer World::connect(const Endpoint& to) {
  const auto found = listeners_.find({to.address, to.port});
  assert(found != listeners_.end() && "nobody listens there");
  auto in = std::make_shared<Pipe>();
  auto out = std::make_shared<Pipe>();
  found->second.driver->at(0, [this, to, in, out] {
    const auto still = listeners_.find({to.address, to.port});
    if (still == listeners_.end()) return;
    auto socket = std::make_unique<SimSocket>();
    socket->in = in;
    socket->out = out;
    socket->local = to;
    if (still->second.accepted) {
      still->second.accepted(std::move(socket));
    } else {
      still->second.waiting.push_back(std::move(socket));
    }
  });
  return Peer(in, out);
}

Peer::Peer(std::shared_ptr<Pipe> to_shard, std::shared_ptr<Pipe> from_shard)
    : to_shard_(std::move(to_shard)), from_shard_(std::move(from_shard)) {}

Peer::~Peer() {
  if (to_shard_) close();
}

void Peer::send(Bytes bytes) {
  to_shard_->bytes.insert(to_shard_->bytes.end(), bytes.begin(), bytes.end());
  if (to_shard_->on_bytes) to_shard_->on_bytes();
}

std::vector<std::byte> Peer::take(std::size_t count) {
  auto& bytes = from_shard_->bytes;
  count = std::min(count, bytes.size());
  std::vector<std::byte> head(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
  bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
  if (from_shard_->on_room) from_shard_->on_room();
  return head;
}

void Peer::close() {
  to_shard_->closed = true;
  if (to_shard_->on_bytes) to_shard_->on_bytes();
}

}  // namespace lunar::engine::sim

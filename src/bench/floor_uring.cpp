// The floor on io_uring: multishot receives into provided buffers, one sendmsg in flight per
// connection, one io_uring_enter per loop (deferred task run).
#include <liburing.h>
#include <sys/socket.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/log.h"
#include "bench/floor.h"

namespace lunar::bench {
namespace {

constexpr unsigned kRingEntries = 4096;
constexpr unsigned kBuffers = 64;  // a power of two
constexpr std::size_t kBufferBytes = 32 * kKiB;
constexpr int kGroup = 0;

class UringFloor {
 public:
  explicit UringFloor(std::span<const std::unique_ptr<FloorConnection>> connections)
      : connections_(connections), messages_(connections.size()), sending_(connections.size()) {}
  ~UringFloor() {
    if (open_) io_uring_queue_exit(&ring_);
    std::free(buffers_);
  }

  // Returns 0 or a negative errno.
  int open() {
    io_uring_params parameters{};
    parameters.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
    int error = io_uring_queue_init_params(kRingEntries, &ring_, &parameters);
    if (error < 0) return error;
    open_ = true;
    constexpr std::size_t kPage = 4096;
    buffers_ = static_cast<io_uring_buf_ring*>(std::aligned_alloc(kPage, kPage));
    if (buffers_ == nullptr) return -ENOMEM;
    io_uring_buf_ring_init(buffers_);
    io_uring_buf_reg registration{};
    registration.ring_addr = reinterpret_cast<std::uint64_t>(buffers_);
    registration.ring_entries = kBuffers;
    registration.bgid = kGroup;
    error = io_uring_register_buf_ring(&ring_, &registration, 0);
    if (error < 0) return error;
    memory_.resize(kBuffers * kBufferBytes);
    for (unsigned i = 0; i < kBuffers; ++i) give_back(i);
    io_uring_buf_ring_advance(buffers_, std::exchange(given_, 0));
    for (std::size_t i = 0; i < connections_.size(); ++i) receive(i);
    return 0;
  }

  void run_once() {
    io_uring_submit_and_get_events(&ring_);
    unsigned head = 0;
    unsigned count = 0;
    io_uring_cqe* entry = nullptr;
    io_uring_for_each_cqe(&ring_, head, entry) {
      ++count;
      complete(*entry);
    }
    if (count == 0) return;
    io_uring_cq_advance(&ring_, count);
    if (given_ != 0) io_uring_buf_ring_advance(buffers_, std::exchange(given_, 0));
    for (std::size_t i = 0; i < connections_.size(); ++i) send(i);
  }

 private:
  // user_data: the connection's index, and one bit for the kind of operation.
  static constexpr std::uint64_t kSendBit = std::uint64_t{1} << 63;

  void give_back(unsigned id) {
    io_uring_buf_ring_add(buffers_, &memory_[id * kBufferBytes], kBufferBytes,
                          static_cast<unsigned short>(id), io_uring_buf_ring_mask(kBuffers),
                          given_++);
  }
  void receive(std::size_t index) {
    io_uring_sqe* entry = io_uring_get_sqe(&ring_);
    io_uring_prep_recv_multishot(entry, connections_[index]->fd(), nullptr, 0, 0);
    entry->flags |= IOSQE_BUFFER_SELECT;
    entry->buf_group = kGroup;
    io_uring_sqe_set_data64(entry, index);
  }
  void send(std::size_t index) {
    const std::span<iovec> pieces = connections_[index]->pending();
    if (sending_[index] || pieces.empty()) return;
    msghdr& message = messages_[index];
    message = {};
    message.msg_iov = pieces.data();
    message.msg_iovlen = std::min<std::size_t>(pieces.size(), IOV_MAX);
    io_uring_sqe* entry = io_uring_get_sqe(&ring_);
    io_uring_prep_sendmsg(entry, connections_[index]->fd(), &message, MSG_NOSIGNAL);
    io_uring_sqe_set_data64(entry, index | kSendBit);
    sending_[index] = true;
  }
  void complete(const io_uring_cqe& entry) {
    const auto index = static_cast<std::size_t>(entry.user_data & ~kSendBit);
    if ((entry.user_data & kSendBit) != 0) {
      sending_[index] = false;
      if (entry.res > 0) connections_[index]->sent(static_cast<std::size_t>(entry.res));
      return;
    }
    if (entry.res > 0) {
      const unsigned id = entry.flags >> IORING_CQE_BUFFER_SHIFT;
      connections_[index]->consume(
          {&memory_[id * kBufferBytes], static_cast<std::size_t>(entry.res)});
      give_back(id);
    }
    const bool gone = entry.res == 0 || (entry.res < 0 && entry.res != -ENOBUFS);
    if ((entry.flags & IORING_CQE_F_MORE) == 0 && !gone) receive(index);
  }

  std::span<const std::unique_ptr<FloorConnection>> connections_;
  io_uring ring_{};
  bool open_ = false;
  io_uring_buf_ring* buffers_ = nullptr;
  std::vector<std::byte> memory_;
  int given_ = 0;
  std::vector<msghdr> messages_;
  std::vector<char> sending_;
};

}  // namespace

void Floor::serve_by_uring() {
  UringFloor floor(connections_);
  if (const int error = floor.open(); error < 0) {
    log::error("floor: io_uring: {}", std::strerror(-error));
    return;
  }
  while (keep_going()) floor.run_once();
}

}  // namespace lunar::bench

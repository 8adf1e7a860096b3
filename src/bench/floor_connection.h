// The least that an iSCSI target can do with the bytes of one connection: the measure that real
// targets are compared with. It believes its initiator, which is the bench beside it, in
// everything.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "bench/socket.h"
#include "iscsi/spec/pdu.h"
#include "lunar/result.h"

namespace lunar::bench {

constexpr std::uint32_t kFloorBlockBytes = 512;

// Takes received bytes, and gives the pieces of the answers. Of a READ(10) or WRITE(10) it looks at
// opcode, task tag, LBA and length; reads are answered with pieces of the medium itself, write data
// are copied into it. Not thread-safe.
class FloorConnection {
 public:
  // `medium` outlives the connection. `max_commands`: how many may wait for their answer at once.
  FloorConnection(Socket socket, MutableBytes medium, std::uint32_t max_commands);

  // Blocking: answers login requests until the full feature phase.
  Result<> serve_login();

  // Handles `bytes`; the answers wait for pending().
  void consume(Bytes bytes);
  // What is to be sent next; stays as it is until sent() has taken all of it.
  [[nodiscard]] std::span<iovec> pending();
  // The first `bytes` of pending() have gone out.
  void sent(std::size_t bytes);

  [[nodiscard]] int fd() const { return socket_.fd(); }

 private:
  void command(const iscsi::spec::ScsiCommand& command);
  void answer_read(const iscsi::spec::ScsiCommand& command);
  void answer(std::uint32_t tag);
  void answer_rare(const iscsi::spec::ScsiCommand& command);

  // Answers on their way out. Two: one is being sent while the other fills, which holds commands
  // without an answer only, and so never more than max_commands.
  struct Batch {
    explicit Batch(std::uint32_t max_commands);
    [[nodiscard]] bool empty() const { return first == count; }
    // A copy of 48 bytes; one piece with the header before it when nothing lies between them.
    void add_header(const void* header);
    void add(const void* data, std::size_t length) {
      pieces[count++] = {const_cast<void*>(data), length};
    }
    std::unique_ptr<std::byte[]> headers;
    std::unique_ptr<iovec[]> pieces;
    std::size_t header_count = 0;
    std::size_t first = 0;
    std::size_t count = 0;
  };

  Socket socket_;
  MutableBytes medium_;
  iscsi::spec::DataIn data_in_;
  iscsi::spec::ScsiResponse response_;
  Batch filling_;
  Batch sending_;
  // The write whose data are coming.
  std::byte* write_at_ = nullptr;
  std::size_t write_left_ = 0;
  std::uint32_t write_tag_ = 0;
  std::vector<std::byte> carry_;  // of a header whose end has not come
  std::array<std::byte, 32> capacity_;
};

}  // namespace lunar::bench

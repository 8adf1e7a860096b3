// The least an iSCSI target can do with the bytes of one connection: the reference for real
// targets. It trusts its initiator, which is the bench in the same process.
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

// Takes received bytes and produces answers. Of a READ(10) or WRITE(10) it uses the opcode, task
// tag, LBA and length. Read answers point into the medium; write data are copied to it. Not
// thread-safe.
class FloorConnection {
 public:
  // `medium` outlives the connection. `max_commands`: most commands in progress at once.
  FloorConnection(Socket socket, MutableBytes medium, std::uint32_t max_commands);

  // Answers login requests until the full feature phase. Blocking.
  Result<> serve_login();

  // Handles received `bytes`. pending() gives the answers.
  void consume(Bytes bytes);
  // What to send next. Stays the same until sent() has covered all of it.
  [[nodiscard]] std::span<iovec> pending();
  // The first `bytes` of pending() have been sent.
  void sent(std::size_t bytes);

  [[nodiscard]] int fd() const { return socket_.fd(); }

 private:
  void command(const iscsi::spec::ScsiCommand& command);
  void answer_read(const iscsi::spec::ScsiCommand& command);
  void answer(std::uint32_t tag);
  void answer_rare(const iscsi::spec::ScsiCommand& command);

  // Outgoing answers. There are two batches: one is sent while the other fills. Each holds at most
  // max_commands answers, as it holds only commands not yet answered.
  struct Batch {
    explicit Batch(std::uint32_t max_commands);
    [[nodiscard]] bool empty() const { return first == count; }
    // Copies a header of 48 bytes. Joins the previous piece if that is a header directly before it.
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
  // The write whose data is being received.
  std::byte* write_at_ = nullptr;
  std::size_t write_left_ = 0;
  std::uint32_t write_tag_ = 0;
  std::vector<std::byte> carry_;  // an incomplete header
  std::array<std::byte, 32> capacity_;
};

}  // namespace lunar::bench

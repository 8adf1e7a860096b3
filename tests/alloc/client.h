// A plain iSCSI initiator on a blocking socket. Keeps a number of READs or WRITEs in flight.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "iscsi/spec/pdu.h"

namespace lunar::alloc_test {

struct Workload {
  bool write = false;
  std::uint32_t bytes = 4096;  // of each I/O
  std::uint32_t depth = 32;
};

// Outcomes of commands.
struct Tally {
  std::uint64_t good = 0;
  std::uint64_t other = 0;
};

class Client {
 public:
  // Connects to "127.0.0.1:PORT" and logs in. `immediate`: sends data with the commands; otherwise
  // waits for R2Ts.
  Client(const std::string& address, const std::string& target, bool immediate);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();

  // Runs `count` I/Os on the first `span` bytes of LUN 0. False: one failed.
  bool run(const Workload& workload, std::uint64_t count, std::uint64_t span);
  // Reads and writes LUNs 0 to `luns` - 1 in turn until `stop`, then waits for commands in flight.
  // Accepts any status. False: a command got no status, or the connection ended.
  bool churn(const Workload& workload, unsigned luns, std::uint64_t span,
             const std::atomic<bool>& stop, Tally& tally);

 private:
  struct Received {
    iscsi::spec::Bhs bhs;
    std::size_t data_bytes = 0;
  };
  void send(Bytes header, Bytes data);
  bool receive(Received& pdu);
  bool read_exactly(std::byte* to, std::size_t count);
  void start(const Workload& workload, std::uint32_t tag, std::uint64_t lba, std::uint8_t lun = 0);
  // The next status. Nothing: the connection has ended, or the target has broken the protocol.
  std::optional<std::uint8_t> receive_status(std::uint32_t& tag);
  void answer(const iscsi::spec::R2T& r2t);
  bool log_in(const std::string& target);

  int fd_ = -1;
  bool immediate_;
  std::uint32_t cmd_sn_ = 1;
  std::vector<std::byte> out_;
  std::vector<std::byte> in_;
};

}  // namespace lunar::alloc_test

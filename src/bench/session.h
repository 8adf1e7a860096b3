// One session of the bench in the full feature phase. Keeps a queue of reads and writes in flight
// over a non-blocking socket.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "bench/login.h"
#include "bench/payload.h"
#include "bench/recorder.h"
#include "bench/socket.h"
#include "bench/transmit_queue.h"
#include "iscsi/spec/pdu.h"
#include "iscsi/spec/serial.h"
#include "lunar/result.h"
#include "scsi/spec/sense.h"
#include "scsi/spec/status.h"

namespace lunar::bench {

// What all sessions of a run share.
struct SessionContext {
  Recorder& recorder;
  MutableBytes scratch;  // receive buffer; holds nothing between calls of a session
  const Payload& payload;
  Lun lun;
  std::uint32_t queue_depth = 0;
  std::uint32_t io_bytes = 0;
  // Start commands only when the whole queue has been answered.
  bool burst = false;
  bool verify = false;    // writes carry the pattern
  bool compare = false;   // reads are checked for it; changes only while nothing is in flight
  std::uint64_t run = 0;  // identifies the pattern of --verify
};

// Used by one thread. Its loop calls receive(), then start() while can_start(), then flush(). After
// Progress::failed the session is dead and error() gives the reason in one line.
class Session {
 public:
  Session(Socket socket, SessionParameters parameters, const SessionContext& context);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  enum class Progress : std::uint8_t { none, some, failed };
  // Receives once and processes the bytes. Updates the recorder's clock if there were any.
  Progress receive();
  // Sends queued data, as far as the socket takes it.
  Progress flush();

  // Whether a slot is free and the target's command window is open (RFC 7143 §4.2.2.1).
  [[nodiscard]] bool can_start() const {
    return startable_ != 0 && iscsi::spec::sn_less_equal(cmd_sn_, max_cmd_sn_) &&
           transmit_.has_room();
  }
  // Starts a read or write of io_bytes at block `lba`. `block_bytes`: size of a block. `start_ns`:
  // start of its latency.
  void start(bool write, std::uint64_t lba, std::uint32_t block_bytes, std::uint64_t start_ns);

  // Executes a command outside the measurement. Blocking. Receives at most kMaxAdminBytes.
  struct CommandResult {
    scsi::spec::Status status = scsi::spec::Status::good;
    std::string reason;  // the sense data in words, if the status is CHECK CONDITION
    std::vector<std::byte> data;
  };
  static constexpr std::uint32_t kMaxAdminBytes = 256;
  Result<CommandResult> execute(Bytes cdb, std::uint32_t expected_bytes);

  // The socket is full: wait until it is writable.
  [[nodiscard]] bool is_blocked() const { return !transmit_.drained(); }
  [[nodiscard]] Digests digests() const { return digests_; }
  [[nodiscard]] std::uint32_t in_flight() const { return slot_count_ - free_count_; }
  [[nodiscard]] int fd() const { return socket_.fd(); }
  [[nodiscard]] const Error& error() const { return error_; }

 private:
  // One command in flight. Its index is the initiator task tag.
  struct Slot {
    std::uint64_t start_ns = 0;
    std::uint64_t offset_bytes = 0;  // on the disk
    std::uint32_t expected_bytes = 0;
    std::uint32_t received_bytes = 0;
    bool write = false;
    bool busy = false;
  };
  // Data to be sent without a command: the rest of an unsolicited burst, or the answer to an R2T.
  struct Burst {
    std::uint32_t slot = 0;
    std::uint32_t target_transfer_tag = iscsi::spec::kReservedTag;
    std::uint32_t offset = 0;
    std::uint32_t left = 0;
    std::uint32_t data_sn = 0;
  };
  // Data segment of the Data-In PDU that is being received.
  struct Incoming {
    std::uint32_t slot = 0;
    std::uint32_t offset = 0;        // in the command's data
    std::uint32_t data_left = 0;     // bytes of data
    std::uint32_t trailer_left = 0;  // bytes of padding and digest after it
    std::uint8_t status = 0;
    bool ends_command = false;
    std::uint32_t crc = 0;
  };

  bool consume(Bytes bytes);
  bool begin_data_in(const iscsi::spec::Bhs& header);
  bool take_data(Bytes& bytes);
  bool end_data_in();
  bool handle(const iscsi::spec::Bhs& header, Bytes data);
  bool handle_response(const iscsi::spec::ScsiResponse& response, Bytes data);
  bool handle_r2t(const iscsi::spec::R2T& r2t);
  bool handle_nop_in(const iscsi::spec::NopIn& nop);
  bool finish(std::uint32_t tag, scsi::spec::Status status, Bytes sense);
  void note_window(const iscsi::spec::Bhs& header);
  void send_bursts();
  bool fail_with(ErrorCode code, std::string message);
  [[nodiscard]] MutableBytes slot_buffer(std::uint32_t slot) const;
  [[nodiscard]] Bytes slot_payload(std::uint32_t slot) const;
  [[nodiscard]] std::size_t header_length() const {
    return iscsi::spec::kBhsLength + (digests_.header ? iscsi::spec::kDigestLength : 0);
  }
  [[nodiscard]] std::uint32_t data_digest_length(std::uint32_t data) const {
    return digests_.data && data != 0 ? iscsi::spec::kDigestLength : 0;
  }

  const Socket socket_;
  const SessionContext& context_;
  Recorder& recorder_;
  const Digests digests_;
  const SessionParameters parameters_;
  const std::uint32_t slot_count_;
  // Command PDUs, complete except tag, sequence numbers and LBA.
  iscsi::spec::ScsiCommand read_command_;
  iscsi::spec::ScsiCommand write_command_;
  std::uint32_t immediate_bytes_ = 0;    // per write
  std::uint32_t unsolicited_bytes_ = 0;  // after the immediate ones

  std::uint32_t cmd_sn_;
  std::uint32_t max_cmd_sn_;
  std::uint32_t exp_stat_sn_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::uint32_t free_count_;
  std::uint32_t startable_;  // usable entries of free_; with burst none until all are free
  TransmitQueue transmit_;
  std::vector<Burst> bursts_;  // in order; almost always empty
  Incoming incoming_;
  std::vector<std::byte> carry_;          // an incomplete PDU
  std::unique_ptr<std::byte[]> buffers_;  // --verify: data of each slot
  CommandResult* admin_ = nullptr;        // result of execute(), which uses slot 0
  bool admin_done_ = false;
  Error error_;
};

}  // namespace lunar::bench

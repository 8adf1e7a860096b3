// One TCP connection: moves bytes between its Stream and the protocol, from login to close.
//
// While busy it is a Poller of its shard and receives by a plain call each loop; after kHotNs
// without bytes it gives its buffer back and waits for the stream to become readable. What one
// receive began is answered in one send, before the shard looks at the next connection. Who has
// much to send does so in turns, so that others have theirs.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <new>
#include <string>

#include "base/cache_line.h"
#include "base/log.h"
#include "engine/gate.h"
#include "engine/network.h"
#include "engine/shard.h"
#include "engine/timer.h"
#include "iscsi/connection/connection_owner.h"
#include "iscsi/login/login_negotiation.h"
#include "iscsi/session/pdu_receiver.h"
#include "iscsi/session/session_connection.h"

namespace lunar::iscsi {

constexpr std::uint64_t kHotNs = 50 * engine::kMicrosecond;
constexpr std::uint64_t kLoginTimeoutNs = 15 * engine::kSecond;
// Silence after which an initiator is asked whether it is there, and for how long its answer is
// awaited.
constexpr std::uint64_t kNopIntervalNs = 30 * engine::kSecond;
constexpr std::uint64_t kNopTimeoutNs = 30 * engine::kSecond;
// Who takes fewer bytes between two alarms does not show by it that it reads.
constexpr std::uint64_t kLifeBytes = 4 * kKiB;
// An alarm that comes so much later than it should shows that the process did not run.
constexpr std::uint64_t kLateAlarmNs = 1 * engine::kSecond;

// A connection's place in its shard's list, beside its place among the pollers.
struct ConnectionHook : ListHook {};

class alignas(kCacheLine) Connection final : public engine::Poller,
                                             public ConnectionHook,
                                             private SessionConnection::Host,
                                             private PduReceiver::Handler,
                                             private TargetDirectory,
                                             private TargetLister {
 public:
  Connection(ConnectionOwner& owner, std::unique_ptr<engine::Stream> stream,
             const Arrival& arrival);
  ~Connection() override;

  // Starts to read.
  void start();
  // Ends it as soon as possible; its owner destroys it. Idempotent. `why` is a text of ours that
  // stays, for the log.
  void close(std::string_view why);
  // Takes no more commands; closes when those in flight have been answered. Idempotent.
  void drain(std::string_view why);

  [[nodiscard]] const Arrival& arrival() const { return arrival_; }
  // Of its session, or of the one that it logs in to; empty when it has named none.
  [[nodiscard]] std::string_view target_name() const;

 private:
  enum class State : std::uint8_t {
    login,         // Login Requests only
    establishing,  // login accepted, its session is being registered
    full_feature,
    draining,  // finishes the commands in flight, with their data, then closes
    flushing,  // sends what is queued, then closes
    closing,   // waits for what still uses it
  };
  struct Callback : engine::Runnable {
    Connection* connection = nullptr;
  };
  struct Alarm : engine::Timer {
    Connection* connection = nullptr;
  };

  // ---- engine::Poller
  bool poll() override;
  bool receive();
  void park() override;

  // ---- SessionConnection::Host
  void output_ready() override;
  void close_after_output() override;
  void close_now(std::string_view why) override;
  void input_unblocked() override;
  void target_cold_reset() override;

  // ---- PduReceiver::Handler, during login
  Placement on_header(InboundPdu& pdu, bool whole) override;
  void on_pdu(InboundPdu& pdu) override;
  void on_format_error(std::string_view what) override;

  // ---- TargetDirectory, TargetLister: the targets as this connection's portal shows them
  [[nodiscard]] std::expected<TargetLogin, spec::LoginStatus> find_target(
      std::string_view target_name, std::string_view initiator_name) const override;
  [[nodiscard]] AuthPolicy discovery_auth(std::string_view initiator_name) const override;
  [[nodiscard]] std::vector<TargetRecord> list_targets(
      std::string_view initiator_name) const override;
  [[nodiscard]] std::optional<TargetRecord> find_record(
      std::string_view target_name, std::string_view initiator_name) const override;

  // Runs `work`. Memory that cannot be had ends the connection, never the shard.
  template <class Work>
  void guarded(const Work& work) noexcept {
    try {
      work();
    } catch (const std::bad_alloc&) {
      close("no memory");
    }
  }
  void transition(State next);
  [[nodiscard]] bool reads() const;
  void wake_reader();
  void go_cold();
  void receive_failed(std::int64_t result);
  void flush();
  void go_on_reading();
  void send_login_reply(LoginReply reply);
  engine::Task<void> establish(LoginReply reply);
  engine::Task<std::expected<OpenSession, LoginRefusal>> register_session();
  void begin_full_feature(const OpenSession& session);
  void log_login(const LoginIdentity& identity, const OpenSession& session) const;
  engine::Task<void> finish_closing();
  void on_alarm();
  void keep_alive(bool alive);
  [[nodiscard]] bool shows_life();
  [[nodiscard]] std::uint64_t taken_bytes() const;
  [[nodiscard]] std::string_view peer_address() const;
  // The peer ends it, or it has been answered to the end.
  void end(std::string_view why);
  [[nodiscard]] bool is_of_no_interest() const;
  void end_at(log::Level level, std::string_view why);
  [[nodiscard]] std::vector<TargetRecord::Portal> portal_records() const;

  ConnectionOwner& owner_;
  engine::Shard& shard_;
  std::unique_ptr<engine::Stream> stream_;
  const Arrival arrival_;
  State state_ = State::login;
  SessionConnection protocol_;  // what it says and hears, here and in its session
  std::unique_ptr<LoginNegotiation> login_;
  std::uint16_t tsih_ = 0;  // of the registered session
  bool waits_writable_ = false;
  bool sends_more_ = false;      // the socket may take more, but it was others' turn
  bool waits_for_room_ = false;  // nothing is read: too much is queued
  std::string_view drain_reason_;
  std::uint64_t last_bytes_ns_ = 0;
  // At the last alarm.
  struct SignsOfLife {
    std::uint64_t received_pdus = 0;
    std::uint64_t taken_bytes = 0;
    bool is_full = false;  // more waited than the socket took
  } signs_;
  bool nop_outstanding_ = false;
  engine::Gate gate_;  // establish()
  Callback on_readable_;
  Callback on_writable_;
  Callback on_close_;
  Alarm alarm_;
  struct Waiter : engine::BufferWaiter {
    Connection* connection = nullptr;
  } buffer_waiter_;
  std::string peer_;  // for the log
};

}  // namespace lunar::iscsi

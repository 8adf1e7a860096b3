// The alarms of a connection: whether its peer is alive, and does its part in time.
#include "iscsi/connection/connection.h"

namespace lunar::iscsi {

// What the peer's machine has of all that was sent.
std::uint64_t Connection::taken_bytes() const {
  return protocol_.queue().sent_bytes() - stream_->unacknowledged();
}

// Whether the peer has done something since this was asked last: sent a PDU, or taken data while
// more waited for it than the socket holds. The latter means that it reads, since its machine alone
// takes only so much; what goes into an empty socket, as a ping does, says nothing.
bool Connection::shows_life() {
  const SignsOfLife before = signs_;
  signs_ = {.received_pdus = protocol_.received_pdus(),
            .taken_bytes = taken_bytes(),
            .is_full = waits_writable_};
  const bool took =
      (before.is_full || signs_.is_full) && signs_.taken_bytes >= before.taken_bytes + kLifeBytes;
  return signs_.received_pdus != before.received_pdus || took;
}

void Connection::on_alarm() {
  const bool late = shard_.now_ns() >= alarm_.deadline_ns() + kLateAlarmNs;
  // What the peer has sent in time may be in the socket still.
  const bool heard = reads() && poll();
  if (state_ == State::closing || alarm_.is_armed()) return;
  // Nobody reads meanwhile, so nobody else would see it; a session that it reinstates may take
  // long.
  if (state_ == State::establishing && stream_->is_over()) {
    end("the initiator has left before its login took effect");
    return;
  }
  const bool logs_in = state_ == State::establishing || (state_ == State::login && heard);
  if (late || logs_in) {
    // The process was stopped, or its machine asleep: nobody could be heard, or answered. Or the
    // peer has done its part in time, and we have not.
    shard_.arm(alarm_, shard_.now_ns() + kLoginTimeoutNs);
    return;
  }
  const bool alive = shows_life();
  owner_.pools().trim();
  if (state_ == State::login) {
    close("no login within the time limit");
  } else if (state_ == State::full_feature) {
    keep_alive(alive);
  } else if (alive) {
    shard_.arm(alarm_, shard_.now_ns() + kLoginTimeoutNs);
  } else {
    close("the last responses were not taken within the time limit");
  }
}

void Connection::keep_alive(bool alive) {
  // While it is we who do not read, for want of a buffer, it cannot be heard.
  const bool silent = !alive && (is_full(protocol_.queue()) || !protocol_.receiver().is_stalled());
  // Nor is its end read then, and there may never be as long a buffer as it asked for.
  if (protocol_.receiver().is_stalled() && stream_->is_over()) {
    end("closed by the initiator");
    return;
  }
  if (silent && nop_outstanding_) {
    close("no answer to NOP-In");
    return;
  }
  if (protocol_.misses_data_out(signs_.taken_bytes)) {
    close("the data of a command does not come");
    return;
  }
  nop_outstanding_ = silent;
  if (silent) protocol_.send_nop_in();
  shard_.arm(alarm_, shard_.now_ns() + (silent ? kNopTimeoutNs : kNopIntervalNs));
}

}  // namespace lunar::iscsi

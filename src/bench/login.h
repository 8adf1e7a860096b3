// Blocking login of one session (RFC 7143 §6.3), without authentication and with the operational
// keys of a fast initiator.
#pragma once

#include <cstdint>
#include <string>

#include "bench/options.h"
#include "bench/socket.h"
#include "iscsi/spec/pdu.h"
#include "lunar/result.h"

namespace lunar::bench {

constexpr std::uint32_t kMaxRecvDataSegmentLength = 262'144;  // ours

// What was negotiated, by the keys of RFC 7143 §13, and where the sequence numbers start.
struct SessionParameters {
  Digests digests;
  std::uint32_t max_recv_data_segment_length = 8192;  // the target's, RFC 7143 §13.12
  std::uint32_t max_burst_length = 262'144;
  std::uint32_t first_burst_length = 65'536;
  bool initial_r2t = true;
  bool immediate_data = true;
  std::uint32_t cmd_sn = 0;
  std::uint32_t exp_stat_sn = 0;
  std::uint32_t max_cmd_sn = 0;

  // Bytes of a write that may be sent with its command, and before any R2T.
  [[nodiscard]] std::uint32_t immediate_limit() const {
    if (!immediate_data) return 0;
    return std::min(first_burst_length, max_recv_data_segment_length);
  }
  [[nodiscard]] std::uint32_t unsolicited_limit() const {
    return initial_r2t ? immediate_limit() : first_burst_length;
  }
};

struct LoginRequestOptions {
  std::string initiator_name;
  std::string target;
  Digests digests;
  iscsi::spec::Isid isid;
  std::uint64_t largest_write = 0;  // proposed as FirstBurstLength, within the RFC's bounds
};

Result<SessionParameters> log_in(const Socket& socket, const LoginRequestOptions& options);

}  // namespace lunar::bench

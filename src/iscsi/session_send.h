// Session's templates for sending, and names of its ports. Private to session*.cpp.
#pragma once

#include <fmt/format.h>

#include <new>

#include "iscsi/session.h"

namespace lunar::iscsi {

template <class Work>
void Session::guarded(const Work& work) noexcept {
  try {
    work();
  } catch (const std::bad_alloc&) {
    host_.close_now("no memory");
  }
}

template <class Pdu>
void Session::send_begun(OutboundPdu& out, Pdu& pdu) {
  pdu.stat_sn = stat_sn_++;
  pdu.exp_cmd_sn = exp_cmd_sn_;
  pdu.max_cmd_sn = max_cmd_sn();
  queue_.push(out);
  host_.output_ready();
}

template <class Pdu>
void Session::send(OutboundPdu& out, const Pdu& pdu) {
  send_begun(out, out.begin(pdu));
}

template <class Pdu>
void Session::send_without_status(OutboundPdu& out, const Pdu& bhs) {
  Pdu& pdu = out.begin(bhs);
  pdu.stat_sn = stat_sn_;
  pdu.exp_cmd_sn = exp_cmd_sn_;
  pdu.max_cmd_sn = max_cmd_sn();
  queue_.push(out);
  host_.output_ready();
}

// SCSI port names (RFC 7143 §4.4.1).
inline std::string initiator_port_name(const LoginIdentity& identity) {
  const auto& i = identity.isid.bytes;
  return fmt::format("{},i,0x{:02x}{:02x}{:02x}{:02x}{:02x}{:02x}", identity.initiator_name, i[0],
                     i[1], i[2], i[3], i[4], i[5]);
}
inline std::string target_port_name(std::string_view target_name, std::uint16_t tag) {
  return fmt::format("{},t,0x{:04x}", target_name, tag);
}

}  // namespace lunar::iscsi

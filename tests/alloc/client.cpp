#include "client.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>

#include "iscsi/spec/text.h"

namespace lunar::alloc_test {

using namespace iscsi;

namespace {

constexpr std::size_t kLargest = 262144;
constexpr std::uint8_t kGood = 0;

[[noreturn]] void give_up(const char* what) {
  std::perror(what);
  std::abort();
}

}  // namespace

Client::Client(const std::string& address, const std::string& target, bool immediate)
    : immediate_(immediate), out_(kLargest, std::byte{0x5a}), in_(kLargest) {
  const std::size_t colon = address.rfind(':');
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(std::stoul(address.substr(colon + 1))));
  if (inet_pton(AF_INET, address.substr(0, colon).c_str(), &to.sin_addr) != 1) give_up("address");
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) give_up("connect");
  const int yes = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  if (!log_in(target)) give_up("login");
}

Client::~Client() { close(fd_); }

bool Client::log_in(const std::string& target) {
  spec::LoginRequest request;
  request.flags =
      spec::kTransit | spec::stage_flags(spec::LoginStage::login_operational_negotiation,
                                         spec::LoginStage::full_feature_phase);
  request.isid.bytes = {0x80, 0, 0, 0, 0, static_cast<std::uint8_t>(immediate_ ? 1 : 2)};
  request.cmd_sn = cmd_sn_;
  std::string text;
  spec::append_pair(text, "InitiatorName", "iqn.2026-11.test:alloc");
  spec::append_pair(text, "TargetName", target);
  spec::append_pair(text, "MaxRecvDataSegmentLength", std::to_string(kLargest));
  spec::append_pair(text, "MaxBurstLength", std::to_string(kLargest));
  spec::append_pair(text, "InitialR2T", "Yes");
  spec::append_pair(text, "ImmediateData", immediate_ ? "Yes" : "No");
  request.data_segment_length = static_cast<std::uint32_t>(text.size());
  send(as_bytes(request), as_bytes(std::string_view(text)));
  Received reply;
  if (!receive(reply)) return false;
  const auto response = spec::pdu_cast<spec::LoginResponse>(reply.bhs);
  if (response.status() != spec::LoginStatus::success) return false;
  // TEST UNIT READY clears the unit attention of a new session.
  spec::ScsiCommand ready;
  ready.flags = spec::kFinal | 1;
  ready.cmd_sn = cmd_sn_++;
  send(as_bytes(ready), {});
  return receive(reply) && reply.bhs.opcode() == spec::Opcode::scsi_response;
}

void Client::send(Bytes header, Bytes data) {
  static constexpr std::array<std::byte, 4> kPadding{};
  std::array<iovec, 3> pieces{iovec{const_cast<std::byte*>(header.data()), header.size()},
                              iovec{const_cast<std::byte*>(data.data()), data.size()},
                              iovec{const_cast<std::byte*>(kPadding.data()),
                                    spec::padded_length(data.size()) - data.size()}};
  std::size_t first = 0;
  while (first < pieces.size()) {
    ssize_t sent = writev(fd_, pieces.data() + first, static_cast<int>(pieces.size() - first));
    if (sent < 0) give_up("writev");
    while (first < pieces.size() && static_cast<std::size_t>(sent) >= pieces[first].iov_len) {
      sent -= static_cast<ssize_t>(pieces[first++].iov_len);
    }
    if (first == pieces.size()) break;
    pieces[first].iov_base = static_cast<std::byte*>(pieces[first].iov_base) + sent;
    pieces[first].iov_len -= static_cast<std::size_t>(sent);
  }
}

bool Client::read_exactly(std::byte* to, std::size_t count) {
  while (count != 0) {
    const ssize_t got = read(fd_, to, count);
    if (got <= 0) return false;
    to += got;
    count -= static_cast<std::size_t>(got);
  }
  return true;
}

bool Client::receive(Received& pdu) {
  if (!read_exactly(reinterpret_cast<std::byte*>(&pdu.bhs), sizeof pdu.bhs)) return false;
  pdu.data_bytes = pdu.bhs.data_segment_length.value();
  const std::size_t padded = spec::padded_length(pdu.data_bytes);
  return padded <= in_.size() && read_exactly(in_.data(), padded);
}

void Client::start(const Workload& workload, std::uint32_t tag, std::uint64_t lba,
                   std::uint8_t lun) {
  const std::uint32_t blocks = workload.bytes / 512;
  spec::ScsiCommand command;
  command.flags =
      static_cast<std::uint8_t>(spec::kFinal | (workload.write ? spec::kWrite : spec::kRead) | 1);
  command.lun = std::uint64_t{lun} << 48;  // peripheral device addressing
  command.initiator_task_tag = tag;
  command.expected_data_transfer_length = workload.bytes;
  command.cmd_sn = cmd_sn_++;
  command.cdb[0] = workload.write ? 0x2a : 0x28;
  const be32 address = static_cast<std::uint32_t>(lba);
  const be16 length = static_cast<std::uint16_t>(blocks);
  std::memcpy(&command.cdb[2], &address, sizeof address);
  std::memcpy(&command.cdb[7], &length, sizeof length);
  const bool with_data = workload.write && immediate_;
  if (with_data) command.data_segment_length = workload.bytes;
  send(as_bytes(command), with_data ? Bytes(out_).first(workload.bytes) : Bytes());
}

void Client::answer(const spec::R2T& r2t) {
  spec::DataOut data;
  data.flags = spec::kFinal;
  data.lun = r2t.lun;
  data.initiator_task_tag = r2t.initiator_task_tag;
  data.target_transfer_tag = r2t.target_transfer_tag;
  data.buffer_offset = r2t.buffer_offset;
  const std::uint32_t length = r2t.desired_data_transfer_length;
  data.data_segment_length = length;
  send(as_bytes(data), Bytes(out_).first(length));
}

bool Client::run(const Workload& workload, std::uint64_t count, std::uint64_t span) {
  const std::uint64_t places = span / workload.bytes;
  const std::uint64_t blocks = workload.bytes / 512;
  std::uint64_t started = 0;
  const auto next = [&](std::uint32_t tag) {
    start(workload, tag, started * 7919 % places * blocks);
    ++started;
  };
  for (std::uint32_t tag = 0; tag < std::min<std::uint64_t>(workload.depth, count); ++tag)
    next(tag);
  for (std::uint64_t done = 0; done < count; ++done) {
    std::uint32_t tag = 0;
    if (receive_status(tag) != kGood) return false;
    if (started < count) next(tag);
  }
  return true;
}

bool Client::churn(const Workload& workload, unsigned luns, std::uint64_t span,
                   const std::atomic<bool>& stop, Tally& tally) {
  const std::uint64_t places = span / workload.bytes;
  const std::uint64_t blocks = workload.bytes / 512;
  std::uint64_t started = 0;
  const auto next = [&](std::uint32_t tag) {
    Workload each = workload;
    each.write = started / luns % 2 == 0;
    start(each, tag, started * 7919 % places * blocks, static_cast<std::uint8_t>(started % luns));
    ++started;
  };
  for (std::uint32_t tag = 0; tag < workload.depth; ++tag) next(tag);
  for (std::uint64_t done = 0; done < started; ++done) {
    std::uint32_t tag = 0;
    const auto status = receive_status(tag);
    if (!status) return false;
    ++(*status == kGood ? tally.good : tally.other);
    if (!stop.load(std::memory_order_relaxed)) next(tag);
  }
  return true;
}

std::optional<std::uint8_t> Client::receive_status(std::uint32_t& tag) {
  for (;;) {
    Received pdu;
    if (!receive(pdu)) return std::nullopt;
    tag = pdu.bhs.initiator_task_tag;
    if (pdu.bhs.opcode() == spec::Opcode::r2t) {
      answer(spec::pdu_cast<spec::R2T>(pdu.bhs));
      continue;
    }
    const bool data_in = pdu.bhs.opcode() == spec::Opcode::data_in;
    if (!data_in && pdu.bhs.opcode() != spec::Opcode::scsi_response) return std::nullopt;
    if (data_in && (pdu.bhs.flags & spec::kStatus) == 0) continue;
    // Both PDUs have the status in byte 3.
    return spec::pdu_cast<spec::ScsiResponse>(pdu.bhs).status;
  }
}

}  // namespace lunar::alloc_test

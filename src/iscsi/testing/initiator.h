// A small initiator for tests: builds PDUs, logs in, sends commands and their data, and keeps
// everything that comes back. Every step is also there by itself, so that a test can misbehave.
#pragma once

#include <cstring>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/crc32c.h"
#include "iscsi/spec/pdu.h"
#include "iscsi/spec/text.h"
#include "iscsi/testing/bench.h"

namespace lunar::iscsi::testing {

using Data = std::vector<std::byte>;

// A PDU as received.
struct Pdu {
  spec::Bhs bhs;
  Data data;

  [[nodiscard]] spec::Opcode opcode() const { return bhs.opcode(); }
  template <class T>
  [[nodiscard]] T as() const {
    return spec::pdu_cast<T>(bhs);
  }
};

// A SCSI command and what came of it.
struct Exchange {
  Data out;  // to be sent
  Data in;   // received
  bool done = false;
  std::uint8_t status = 0;
  std::uint8_t response_flags = 0;  // residual bits
  std::uint32_t residual = 0;
  Data sense;  // with its two bytes of length
  std::vector<spec::R2T> r2ts;
  std::vector<spec::DataIn> data_ins;
  std::vector<std::uint32_t> data_in_lengths;
  std::optional<spec::ScsiResponse> response;

  [[nodiscard]] bool is_good() const { return done && status == 0; }
  [[nodiscard]] std::uint8_t sense_key() const {
    return sense.size() > 4 ? static_cast<std::uint8_t>(sense[4]) & 0x0f : 0xff;
  }
  // ASC and ASCQ of fixed format sense data.
  [[nodiscard]] unsigned additional_sense() const {
    return sense.size() > 15 ? static_cast<unsigned>(sense[14]) << 8 | unsigned(sense[15]) : 0;
  }
};

using Keys = std::map<std::string, std::string>;

struct LoginOptions {
  std::string name = "iqn.2026-11.test:one";
  std::uint8_t isid = 1;
  bool discovery = false;
  std::uint16_t tsih = 0;
  std::uint16_t cid = 0;
  Keys keys{};  // beside the names; they replace the defaults below
  std::string target = kTargetName;
  engine::Endpoint portal = kPortal;  // of the constructor
};

// How a command is sent.
struct CommandOptions {
  std::uint64_t lun = 0;
  std::uint8_t attribute = 1;               // simple
  bool immediate = false;                   // delivery
  std::optional<std::size_t> in_command{};  // bytes of immediate data; unset: as negotiated
  std::optional<bool> final{};              // F; unset: as the unsolicited Data-Outs need it
  std::optional<std::uint32_t> cmd_sn{};    // instead of the next one
  Data ahs{};
};

class Initiator {
 public:
  explicit Initiator(Bench& bench) : bench_(bench), peer_(bench.world().connect(kPortal)) {}
  // Connects and logs in; with a normal session takes LUN 0's unit attention away.
  Initiator(Bench& bench, const LoginOptions& options)
      : bench_(bench), peer_(bench.world().connect(options.portal)) {
    logged_in_ = log_in(options);
    if (logged_in_ && !options.discovery) (void)run({0, 0, 0, 0, 0, 0}, 0, 0);
  }

  // ---- Login: one request, straight to the full feature phase.
  bool log_in(const LoginOptions& options) {
    start_log_in(options);
    return finish_log_in();
  }
  void start_log_in(const LoginOptions& options) {
    spec::LoginRequest request;
    request.flags =
        spec::kTransit | spec::stage_flags(spec::LoginStage::login_operational_negotiation,
                                           spec::LoginStage::full_feature_phase);
    request.isid.bytes = {0x80, 0, 0, 0, 0, options.isid};
    request.tsih = options.tsih;
    request.cid = options.cid;
    request.initiator_task_tag = next_tag_++;
    request.cmd_sn = cmd_sn;
    Keys keys = {{"MaxRecvDataSegmentLength", "262144"},
                 {"InitialR2T", "No"},
                 {"ImmediateData", "Yes"},
                 {"MaxBurstLength", "262144"},
                 {"FirstBurstLength", "65536"},
                 {"MaxOutstandingR2T", "1"}};
    if (options.discovery) keys.clear();
    for (const auto& [key, value] : options.keys) keys[key] = value;
    std::string text;
    spec::append_pair(text, "InitiatorName", options.name);
    spec::append_pair(text, "SessionType", options.discovery ? "Discovery" : "Normal");
    if (!options.discovery) spec::append_pair(text, "TargetName", options.target);
    for (const auto& [key, value] : keys) spec::append_pair(text, key, value);
    send(request, as_bytes(std::string_view(text)));
    negotiated = std::move(keys);
  }
  bool finish_log_in() {
    const auto reply = receive();
    return reply && accept_log_in(*reply);
  }
  bool accept_log_in(const Pdu& reply) {
    if (reply.opcode() != spec::Opcode::login_response) return false;
    login_response = reply.as<spec::LoginResponse>();
    if (login_response.status() != spec::LoginStatus::success) return false;
    const auto pairs = spec::parse_text(reply.data);
    if (!pairs) return false;
    for (const auto& [key, value] : *pairs) {
      negotiated[key == "MaxRecvDataSegmentLength" ? "TargetMaxRecv" : std::string(key)] = value;
    }
    header_digest = negotiated["HeaderDigest"] == "CRC32C";
    data_digest = negotiated["DataDigest"] == "CRC32C";
    return true;
  }
  [[nodiscard]] bool is_logged_in() const { return logged_in_; }
  [[nodiscard]] std::size_t number(const std::string& key) const {
    const auto found = negotiated.find(key);
    return found == negotiated.end() ? 0 : std::stoul(found->second);
  }

  // ---- PDUs.
  // The bytes of a PDU, with length, padding and digests.
  template <WireStruct T>
  [[nodiscard]] Data encode(T pdu, Bytes data = {}, Bytes ahs = {}) const {
    pdu.data_segment_length = static_cast<std::uint32_t>(data.size());
    pdu.total_ahs_length = static_cast<std::uint8_t>(ahs.size() / 4);
    Data bytes;
    append(bytes, as_bytes(pdu));
    append(bytes, ahs);
    if (header_digest) append_digest(bytes, 0);
    const std::size_t start = bytes.size();
    append(bytes, data);
    bytes.resize(start + spec::padded_length(data.size()));
    if (data_digest && !data.empty()) append_digest(bytes, start);
    return bytes;
  }
  template <WireStruct T>
  void send(const T& pdu, Bytes data = {}, Bytes ahs = {}) {
    peer_.send(encode(pdu, data, ahs));
  }
  void send_raw(Bytes bytes) { peer_.send(bytes); }

  // The next PDU that has come, or nothing.
  std::optional<Pdu> take() {
    // The pipe holds less than the longest PDU.
    append(inbox_, peer_.take(peer_.received().size()));
    return next_pdu();
  }
  // Reads no more than so many bytes, and handles what has become whole by them.
  void sip(std::size_t bytes) {
    append(inbox_, peer_.take(bytes));
    while (auto pdu = next_pdu()) handle(std::move(*pdu));
  }
  std::optional<Pdu> next_pdu() {
    const auto bhs = load<spec::Bhs>(inbox_);
    if (!bhs) return std::nullopt;
    const std::size_t length = bhs->data_segment_length.value();
    const std::size_t header = spec::kBhsLength + (header_digest ? spec::kDigestLength : 0);
    const std::size_t padded = spec::padded_length(length);
    const std::size_t total =
        header + padded + (data_digest && length != 0 ? spec::kDigestLength : 0);
    if (inbox_.size() < total) return std::nullopt;
    const auto end = inbox_.begin() + static_cast<std::ptrdiff_t>(total);
    const Data bytes(inbox_.begin(), end);
    inbox_.erase(inbox_.begin(), end);
    if (header_digest) digests_ok = digests_ok && digest_fits(bytes, 0, spec::kBhsLength);
    if (data_digest && length != 0) digests_ok = digests_ok && digest_fits(bytes, header, padded);
    const auto first = bytes.begin() + static_cast<std::ptrdiff_t>(header);
    return Pdu{*bhs, {first, first + static_cast<std::ptrdiff_t>(length)}};
  }
  // Waits for the next PDU; nothing when the target closes instead.
  std::optional<Pdu> receive() {
    std::optional<Pdu> pdu;
    bench_.world().run_until([&] {
      pdu = take();
      return pdu || peer_.is_at_end();
    });
    return pdu;
  }
  // Lets `nanoseconds` pass and gives all that has come by then.
  std::vector<Pdu> receive_for(std::uint64_t nanoseconds) {
    bench_.world().run_for(nanoseconds);
    std::vector<Pdu> all;
    while (auto pdu = take()) all.push_back(std::move(*pdu));
    return all;
  }
  // The target closes within the time that it would ping us twice.
  bool wait_for_end() {
    return bench_.world().run_until([&] {
      while (take()) {
      }
      return peer_.is_at_end();
    });
  }
  [[nodiscard]] bool is_at_end() const { return peer_.is_at_end(); }
  void close() { peer_.close(); }

  // ---- Commands.
  // Sends the command PDU only, with its immediate data.
  std::uint32_t start(const std::vector<std::uint8_t>& cdb, std::uint8_t flags,
                      std::uint32_t expected, Data out, const CommandOptions& options) {
    const std::uint32_t tag = next_tag_++;
    spec::ScsiCommand pdu;
    if (options.immediate) pdu.opcode_byte |= spec::kImmediate;
    const std::size_t now = options.in_command.value_or(
        negotiated["ImmediateData"] == "Yes" ? first_pdu(out.size()) : 0);
    const bool more =
        now < out.size() && now < number("FirstBurstLength") && negotiated["InitialR2T"] == "No";
    pdu.flags = static_cast<std::uint8_t>(flags | options.attribute |
                                          (options.final.value_or(!more) ? spec::kFinal : 0));
    pdu.lun = options.lun << 48;
    pdu.initiator_task_tag = tag;
    pdu.expected_data_transfer_length = expected;
    pdu.cmd_sn = options.cmd_sn.value_or(cmd_sn);
    if (!options.immediate && !options.cmd_sn) ++cmd_sn;
    std::memcpy(pdu.cdb.data(), cdb.data(), std::min<std::size_t>(cdb.size(), 16));
    send(pdu, Bytes(out).first(now), options.ahs);
    exchanges[tag].out = std::move(out);
    return tag;
  }
  // As start(), then the unsolicited Data-Out up to FirstBurstLength.
  std::uint32_t command(const std::vector<std::uint8_t>& cdb, std::uint8_t flags,
                        std::uint32_t expected, Data out = {}, const CommandOptions& options = {}) {
    const std::size_t size = out.size();
    const std::uint32_t tag = start(cdb, flags, expected, std::move(out), options);
    const std::size_t sent =
        options.in_command.value_or(negotiated["ImmediateData"] == "Yes" ? first_pdu(size) : 0);
    const std::size_t burst = std::min<std::size_t>(size, number("FirstBurstLength"));
    if (negotiated["InitialR2T"] == "No" && !options.final && sent < burst)
      send_data(tag, spec::kReservedTag, sent, burst);
    return tag;
  }
  // One sequence of Data-Outs.
  void send_data(std::uint32_t tag, std::uint32_t transfer_tag, std::size_t from, std::size_t to) {
    const std::size_t limit = number("TargetMaxRecv") != 0 ? number("TargetMaxRecv") : 8192;
    std::uint32_t data_sn = 0;
    while (from < to) {
      const std::size_t length = std::min(limit, to - from);
      data_out(tag, transfer_tag, data_sn++, from, length, from + length == to);
      from += length;
    }
  }
  void data_out(std::uint32_t tag, std::uint32_t transfer_tag, std::uint32_t data_sn,
                std::size_t offset, std::size_t length, bool final) {
    spec::DataOut pdu;
    pdu.flags = final ? spec::kFinal : std::uint8_t{0};
    pdu.initiator_task_tag = tag;
    pdu.target_transfer_tag = transfer_tag;
    pdu.data_sn = data_sn;
    pdu.buffer_offset = static_cast<std::uint32_t>(offset);
    const Data& out = exchanges[tag].out;
    Data piece(length);
    if (offset < out.size())
      std::memcpy(piece.data(), out.data() + offset, std::min(length, out.size() - offset));
    send(pdu, piece);
  }
  // Takes one PDU into its exchange, and answers R2Ts; false when it is of no SCSI command (then it
  // is in `others`).
  bool handle(Pdu pdu) {
    const std::uint32_t tag = pdu.bhs.initiator_task_tag;
    if (pdu.opcode() == spec::Opcode::r2t) {
      const auto r2t = pdu.as<spec::R2T>();
      exchanges[tag].r2ts.push_back(r2t);
      if (answer_r2ts) answer(tag, r2t);
      return true;
    }
    if (pdu.opcode() == spec::Opcode::data_in) {
      take_data_in(exchanges[tag], pdu);
      return true;
    }
    if (pdu.opcode() != spec::Opcode::scsi_response) {
      others.push_back(std::move(pdu));
      return false;
    }
    Exchange& exchange = exchanges[tag];
    const auto response = pdu.as<spec::ScsiResponse>();
    exchange.response = response;
    exchange.status = response.status;
    exchange.response_flags = response.flags;
    exchange.residual = response.residual_count;
    exchange.sense = std::move(pdu.data);
    exchange.done = true;
    max_cmd_sn = response.max_cmd_sn;
    return true;
  }
  // Sends what an R2T asks for.
  void answer(std::uint32_t tag, const spec::R2T& r2t) {
    const std::uint32_t offset = r2t.buffer_offset;
    send_data(tag, r2t.target_transfer_tag, offset,
              offset + r2t.desired_data_transfer_length.value());
  }
  // Until the command has its status. False: the target closed instead.
  bool finish(std::uint32_t tag) {
    while (!exchanges[tag].done) {
      auto pdu = receive();
      if (!pdu) return false;
      handle(std::move(*pdu));
    }
    return true;
  }
  // Handles all that comes within the time.
  void handle_for(std::uint64_t nanoseconds) {
    for (Pdu& pdu : receive_for(nanoseconds)) handle(std::move(pdu));
  }
  Exchange& run(const std::vector<std::uint8_t>& cdb, std::uint8_t flags, std::uint32_t expected,
                Data out = {}, const CommandOptions& options = {}) {
    const std::uint32_t tag = command(cdb, flags, expected, std::move(out), options);
    (void)finish(tag);
    return exchanges[tag];
  }

  // READ (10) and WRITE (10) of whole blocks of 512 bytes.
  static std::vector<std::uint8_t> cdb10(std::uint8_t opcode, std::uint32_t lba,
                                         std::size_t blocks) {
    const auto byte = [](std::size_t value) { return static_cast<std::uint8_t>(value); };
    return {opcode,         0,         byte(lba >> 24), byte(lba >> 16),
            byte(lba >> 8), byte(lba), 0 /* group */,   byte(blocks >> 8),
            byte(blocks),   0};
  }
  Data read(std::uint32_t lba, std::size_t blocks) {
    const Exchange& exchange =
        run(cdb10(0x28, lba, blocks), spec::kRead, static_cast<std::uint32_t>(blocks * 512));
    return exchange.is_good() ? exchange.in : Data{};
  }
  bool write(std::uint32_t lba, const Data& data) {
    return run(cdb10(0x2a, lba, data.size() / 512), spec::kWrite,
               static_cast<std::uint32_t>(data.size()), data)
        .is_good();
  }
  std::uint32_t start_read(std::uint32_t lba, std::size_t blocks,
                           const CommandOptions& options = {}) {
    return command(cdb10(0x28, lba, blocks), spec::kRead, static_cast<std::uint32_t>(blocks * 512),
                   {}, options);
  }
  std::uint32_t start_write(std::uint32_t lba, Data data, const CommandOptions& options = {}) {
    const std::size_t size = data.size();
    return command(cdb10(0x2a, lba, size / 512), spec::kWrite, static_cast<std::uint32_t>(size),
                   std::move(data), options);
  }

  // ---- Task management: sends, and waits for the response.
  std::uint32_t start_function(spec::TmfFunction function, std::uint32_t referenced_tag,
                               std::uint64_t lun = 0, std::uint32_t ref_cmd_sn = 0,
                               bool immediate = true) {
    spec::TaskManagementRequest pdu;
    if (immediate) pdu.opcode_byte |= spec::kImmediate;
    pdu.flags = static_cast<std::uint8_t>(spec::kFinal | static_cast<std::uint8_t>(function));
    pdu.lun = lun << 48;
    pdu.initiator_task_tag = next_tag_;
    pdu.referenced_task_tag = referenced_tag;
    pdu.cmd_sn = immediate ? cmd_sn : cmd_sn++;
    pdu.ref_cmd_sn = ref_cmd_sn;
    send(pdu);
    return next_tag_++;
  }
  // Nothing: the target closed.
  std::optional<spec::TmfResponse> finish_function(std::uint32_t tag) {
    for (;;) {
      auto pdu = receive();
      if (!pdu) return std::nullopt;
      if (pdu->opcode() == spec::Opcode::task_management_response &&
          pdu->bhs.initiator_task_tag == tag) {
        return static_cast<spec::TmfResponse>(pdu->as<spec::TaskManagementResponse>().response);
      }
      handle(std::move(*pdu));
    }
  }
  std::optional<spec::TmfResponse> manage(spec::TmfFunction function,
                                          std::uint32_t referenced_tag = spec::kReservedTag,
                                          std::uint64_t lun = 0, std::uint32_t ref_cmd_sn = 0) {
    return finish_function(start_function(function, referenced_tag, lun, ref_cmd_sn));
  }
  std::uint32_t next_tag() { return next_tag_++; }

  // ---- Logout. Sends only.
  void start_log_out(spec::LogoutReason reason = spec::LogoutReason::close_session,
                     std::uint16_t cid = 0, bool immediate = false) {
    spec::LogoutRequest pdu;
    if (immediate) pdu.opcode_byte |= spec::kImmediate;
    pdu.flags = static_cast<std::uint8_t>(spec::kFinal | static_cast<std::uint8_t>(reason));
    pdu.initiator_task_tag = next_tag_++;
    pdu.cid = cid;
    pdu.cmd_sn = immediate ? cmd_sn : cmd_sn++;
    send(pdu);
  }

  std::uint32_t cmd_sn = 1;
  std::uint32_t max_cmd_sn = 0;  // of the last SCSI response
  Keys negotiated;
  spec::LoginResponse login_response;
  bool header_digest = false;
  bool data_digest = false;
  bool digests_ok = true;
  bool answer_r2ts = true;
  std::map<std::uint32_t, Exchange> exchanges;
  std::vector<Pdu> others;

 private:
  static void append(Data& to, Bytes bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }
  static void append_digest(Data& bytes, std::size_t start) {
    const le32 digest = crc32c(Bytes(bytes).subspan(start));
    append(bytes, as_bytes(digest));
  }
  static bool digest_fits(Bytes bytes, std::size_t start, std::size_t length) {
    return crc32c(bytes.subspan(start, length)) ==
           load<le32>(bytes.subspan(start + length))->value();
  }
  [[nodiscard]] std::size_t first_pdu(std::size_t size) const {
    const std::size_t limit = number("TargetMaxRecv") != 0 ? number("TargetMaxRecv") : 8192;
    return std::min({size, limit, number("FirstBurstLength")});
  }
  static void take_data_in(Exchange& exchange, const Pdu& pdu) {
    const auto header = pdu.as<spec::DataIn>();
    exchange.data_ins.push_back(header);
    exchange.data_in_lengths.push_back(static_cast<std::uint32_t>(pdu.data.size()));
    const std::size_t end = header.buffer_offset + pdu.data.size();
    if (exchange.in.size() < end) exchange.in.resize(end);
    std::memcpy(exchange.in.data() + header.buffer_offset.value(), pdu.data.data(),
                pdu.data.size());
    if ((header.flags & spec::kStatus) == 0) return;
    exchange.status = header.status;
    exchange.response_flags = header.flags;
    exchange.residual = header.residual_count;
    exchange.done = true;
  }

  Bench& bench_;
  engine::sim::Peer peer_;
  Data inbox_;
  std::uint32_t next_tag_ = 0x100;
  bool logged_in_ = false;
};

// Bytes that tell where they belong.
[[nodiscard]] inline Data pattern(std::size_t bytes, unsigned seed = 1) {
  Data data(bytes);
  std::uint32_t state = seed * 2654435761U + 12345;
  for (std::byte& each : data) {
    state = state * 1664525U + 1013904223U;
    each = static_cast<std::byte>(state >> 24);
  }
  return data;
}

}  // namespace lunar::iscsi::testing

// Arbitrary bytes and arbitrary PDUs from two initiators, after a login, into a whole target on two
// simulated shards: nothing crashes, hangs or leaks, whatever comes in whatever order.
//
// The input: a byte that chooses the parameters, then steps. A step is a byte that chooses what to
// do, and what that needs. PDUs are made well-formed enough to get past the framing; the rest of
// them is the input's.
#include <cstdlib>
#include <memory>
#include <vector>

#include "base/testing/fuzz_input.h"
#include "iscsi/testing/initiator.h"

namespace lunar::iscsi {
namespace {

using namespace testing;
using lunar::testing::FuzzInput;

LoginOptions options_of(std::uint8_t kind, std::uint8_t isid) {
  LoginOptions options{.isid = isid};
  options.discovery = (kind & 0xe0) == 0xe0;
  if (options.discovery) return options;
  options.keys["HeaderDigest"] = (kind & 1) != 0 ? "CRC32C" : "None";
  options.keys["DataDigest"] = (kind & 2) != 0 ? "CRC32C" : "None";
  options.keys["InitialR2T"] = (kind & 4) != 0 ? "Yes" : "No";
  options.keys["ImmediateData"] = (kind & 8) != 0 ? "No" : "Yes";
  options.keys["MaxOutstandingR2T"] = "3";
  options.keys["MaxBurstLength"] = "8192";
  options.keys["FirstBurstLength"] = "4096";
  options.keys["MaxRecvDataSegmentLength"] = "2048";
  return options;
}

class Fuzz {
 public:
  explicit Fuzz(std::uint8_t kind)
      : kind_(kind),
        bench_({.shards = 2,
                .pool_bytes = 8 * kMiB,
                .luns = 2,
                .blocks = 256,
                .direct = (kind & 16) != 0,
                .policy = {.command_window = 8}}) {
    if ((kind & 32) != 0) fill_pools();
    for (std::uint8_t i = 0; i < 2; ++i) log_in(i);
  }

  void step(FuzzInput& input) {
    const std::uint8_t choice = input.byte();
    const std::size_t which = choice & 1;
    Initiator& initiator = *initiators_[which];
    switch (choice >> 4) {
      case 0: initiator.send_raw(input.bytes<std::byte>(input.byte())); break;
      case 1: any_pdu(initiator, input); break;
      case 2:
      case 3:
      case 4: command(initiator, input); break;
      case 5:
      case 6: data_out(initiator, input); break;
      case 7: function(initiator, input); break;
      case 8: ping_or_text(initiator, input); break;
      case 9: bench_.device(which).hold = !bench_.device(which).hold; break;
      case 10: bench_.device(which).release(); break;
      case 11: bench_.world().run_for(input.byte() * engine::kSecond / 4); break;
      case 12: partial_ = input.byte(); break;
      case 13:
        if ((input.byte() & 7) == 0) log_in(static_cast<std::uint8_t>(which));
        break;
      case 14:
        if ((input.byte() & 7) == 0) initiator.close();
        break;
      default: break;
    }
    for (unsigned i = input.byte() % 8; i != 0; --i) bench_.world().step();
    for (const auto& each : initiators_) {
      while (auto pdu = each->take()) {
        if (pdu->opcode() == spec::Opcode::r2t) last_r2t_ = pdu->as<spec::R2T>();
      }
    }
  }

  // Everything ends, and gives back what it had.
  void finish() {
    for (std::size_t lun = 0; lun < 2; ++lun) bench_.device(lun).release();
    for (const auto& each : initiators_) each->close();
    for (const auto& each : old_) each->close();
    if (!bench_.world().run_until([this] { return bench_.connections() == 0; })) std::abort();
    taken_.clear();
    if (!bench_.is_clean()) std::abort();
  }

 private:
  // Leaves room for little more than the receive buffers.
  void fill_pools() {
    for (std::size_t shard = 0; shard < 2; ++shard) {
      for (std::size_t bytes = 4 * kMiB; bytes > 2 * kReceiveBufferBytes; bytes /= 2)
        taken_.push_back(bench_.world().shard(shard).buffers().try_allocate(bytes));
    }
  }
  void log_in(std::uint8_t which) {
    auto initiator = std::make_unique<Initiator>(bench_);
    // A held device may hold the login up, too: then it goes on without one.
    initiator->start_log_in(options_of(kind_, which));
    bench_.world().run_for(engine::kMillisecond);
    if (auto reply = initiator->take()) initiator->accept_log_in(*reply);
    if (initiators_.size() > which) {
      old_.push_back(std::exchange(initiators_[which], std::move(initiator)));
    } else {
      initiators_.push_back(std::move(initiator));
    }
  }
  template <class Pdu>
  void send(Initiator& initiator, const Pdu& pdu, const Data& data = {}, const Data& ahs = {}) {
    Data bytes = initiator.encode(pdu, data, ahs);
    if (partial_ != 0) {
      // Damaged, or cut in two.
      if (partial_ == 255) bytes[bytes.size() / 2] ^= std::byte{4};
      const std::size_t head = std::min<std::size_t>(partial_ * 8U, bytes.size());
      initiator.send_raw(Bytes(bytes).first(head));
      bench_.world().step();
      bench_.world().step();
      initiator.send_raw(Bytes(bytes).subspan(head));
      partial_ = 0;
      return;
    }
    initiator.send_raw(bytes);
  }
  // Mostly the number that is due.
  std::uint32_t cmd_sn(Initiator& initiator, std::uint8_t how) {
    if ((how & 0xc0) != 0) return initiator.cmd_sn++;
    return initiator.cmd_sn + (how & 15U) - 4;
  }
  void any_pdu(Initiator& initiator, FuzzInput& input) {
    spec::Bhs pdu;
    const Data header = input.bytes<std::byte>(sizeof pdu);
    std::memcpy(&pdu, header.data(), sizeof pdu);
    const Data ahs = input.bytes<std::byte>((input.byte() % 4) * 4U);
    send(initiator, pdu, input.bytes<std::byte>(input.byte()), ahs);
  }
  void command(Initiator& initiator, FuzzInput& input) {
    const std::uint8_t how = input.byte();
    spec::ScsiCommand pdu;
    if ((how & 0x30) == 0x30) pdu.opcode_byte |= spec::kImmediate;
    pdu.flags = input.byte();
    pdu.lun = std::uint64_t{how & 1U} << 48;
    pdu.initiator_task_tag = input.byte() & 15U;
    pdu.cmd_sn = cmd_sn(initiator, how);
    constexpr std::uint8_t kOpcodes[] = {0x28, 0x2a, 0x28, 0x2a, 0x00, 0x12, 0x2f, 0x41,
                                         0x42, 0xa0, 0x35, 0x2a, 0x03, 0x7f, 0x25, 0x2a};
    const std::uint8_t opcode = kOpcodes[input.byte() & 15U];
    const std::uint8_t blocks = input.byte() & 63U;
    const auto cdb = Initiator::cdb10(opcode, input.byte(), blocks);
    std::copy(cdb.begin(), cdb.end(), pdu.cdb.begin());
    if (opcode == 0x2f) pdu.cdb[1] = input.byte();
    const std::uint8_t expected = input.byte();
    pdu.expected_data_transfer_length =
        (expected & 0x80) != 0 ? input.word() : blocks * 512U + (expected & 3U) * 100U;
    Data data(std::min<std::size_t>(input.byte() * 64U, 8192));
    Data ahs;
    if ((expected & 0x70) == 0x70) ahs = input.bytes<std::byte>((input.byte() % 6) * 4U);
    send(initiator, pdu, data, ahs);
  }
  void data_out(Initiator& initiator, FuzzInput& input) {
    const std::uint8_t how = input.byte();
    spec::DataOut pdu;
    pdu.flags = (how & 1) != 0 ? spec::kFinal : std::uint8_t{0};
    pdu.initiator_task_tag = input.byte() & 15U;
    pdu.data_sn = (how >> 4) & 3U;
    if ((how & 2) != 0) pdu.buffer_offset = input.byte() * 256U;
    std::uint32_t length = input.byte() * 64U;
    if ((how & 12) != 0) {  // as the last R2T asked
      pdu.target_transfer_tag = last_r2t_.target_transfer_tag;
      pdu.initiator_task_tag = last_r2t_.initiator_task_tag;
      pdu.buffer_offset = last_r2t_.buffer_offset.value() + ((how & 2) != 0 ? 512U : 0U);
      if ((how & 12) == 12) length = last_r2t_.desired_data_transfer_length;
    }
    send(initiator, pdu, Data(std::min<std::uint32_t>(length, 16384)));
  }
  void function(Initiator& initiator, FuzzInput& input) {
    const std::uint8_t how = input.byte();
    spec::TaskManagementRequest pdu;
    if ((how & 1) != 0) pdu.opcode_byte |= spec::kImmediate;
    pdu.flags = static_cast<std::uint8_t>(spec::kFinal | (input.byte() & 15U));
    pdu.lun = std::uint64_t{(how >> 1) & 1U} << 48;
    pdu.initiator_task_tag = 100U + input.byte();
    pdu.referenced_task_tag = input.byte() & 15U;
    pdu.cmd_sn = (how & 1) != 0 ? initiator.cmd_sn : cmd_sn(initiator, how);
    pdu.ref_cmd_sn = pdu.cmd_sn.value() - (input.byte() & 7U);
    send(initiator, pdu);
  }
  void ping_or_text(Initiator& initiator, FuzzInput& input) {
    const std::uint8_t how = input.byte();
    const auto opcode = (how & 1) != 0   ? spec::Opcode::nop_out
                        : (how & 2) != 0 ? spec::Opcode::text_request
                                         : spec::Opcode::logout_request;
    spec::NopOut pdu;  // the fields stand in the same places in all three
    pdu.opcode_byte = spec::wire(opcode);
    if ((how & 4) != 0) pdu.opcode_byte |= spec::kImmediate;
    pdu.flags = opcode == spec::Opcode::nop_out ? spec::kFinal : input.byte();
    pdu.initiator_task_tag = (how & 8) != 0 ? spec::kReservedTag : 200U + (how & 15U);
    pdu.cmd_sn = cmd_sn(initiator, how);
    if (opcode == spec::Opcode::text_request && (how & 16) != 0) {
      using namespace std::string_view_literals;
      const Bytes text = as_bytes("SendTargets=All\0"sv);
      send(initiator, pdu, Data(text.begin(), text.end()));
      return;
    }
    send(initiator, pdu, input.bytes<std::byte>(input.byte()));
  }

  const std::uint8_t kind_;
  Bench bench_;
  std::vector<std::unique_ptr<Initiator>> initiators_;
  std::vector<std::unique_ptr<Initiator>> old_;
  spec::R2T last_r2t_;
  std::vector<engine::Buffer> taken_;
  std::uint8_t partial_ = 0;  // how the next PDU is sent
};

}  // namespace
}  // namespace lunar::iscsi

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  lunar::testing::FuzzInput input(data, size);
  lunar::iscsi::Fuzz fuzz(input.byte());
  for (int i = 0; i < 96 && !input.empty(); ++i) fuzz.step(input);
  fuzz.finish();
  return 0;
}

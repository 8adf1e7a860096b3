// Arbitrary commands from two initiators, with arbitrary data, aborts and resets, on a small disk.
// Every command must end exactly once and never inline (the bench asserts both).
#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "base/testing/fuzz_input.h"
#include "scsi/target/command_table.h"
#include "scsi/testing/bench.h"

namespace lunar::scsi {
namespace {

using namespace testing;
using lunar::testing::FuzzInput;

engine::Task<void> run_function(engine::Task<TaskManagementOutcome> function) {
  (void)co_await function;
}

class Fuzz {
 public:
  explicit Fuzz(std::uint8_t kind)
      : bench_(disk(kind), options(kind), 2, capabilities(kind)),
        other_(bench_, 1, "iqn.2026-11.test:two") {}

  void step(FuzzInput& input) {
    const std::uint8_t choice = input.byte();
    Initiator& initiator = (choice & 1) != 0 ? other_ : bench_.initiator();
    switch ((choice >> 1) % 8) {
      case 0: bench_.device().hold = !bench_.device().hold; break;
      case 1: release(); break;
      case 2: abort_one(input.byte()); break;
      case 3: manage(initiator, input.byte()); break;
      default: command(initiator, input); break;
    }
    for (unsigned i = input.byte() % 4; i != 0; --i) bench_.world().step();
  }

  // Everything that was started must end.
  void finish() {
    for (auto& [initiator, command] : commands_) initiator->server().abort(*command);
    release();
    for (auto& [initiator, command] : commands_) (void)initiator->finish(*command);
    gate_done();
  }

 private:
  // Three out of four disks have protection information.
  static std::unique_ptr<FakeDevice> disk(std::uint8_t kind) {
    const auto type = static_cast<std::uint8_t>((kind >> 4) & 3);
    return type == 0 ? std::make_unique<FakeDevice>(512) : FakeDevice::with_protection(512, type);
  }
  static LogicalUnitOptions options(std::uint8_t kind) {
    LogicalUnitOptions options;
    options.read_only = (kind & 1) != 0;
    options.removable = (kind & 2) != 0;
    return options;
  }
  static block::Capabilities capabilities(std::uint8_t kind) {
    block::Capabilities capabilities = (kind & 4) != 0 ? block::Capabilities{} : Bench::full();
    capabilities.volatile_cache = (kind & 8) != 0;
    return capabilities;
  }

  void command(Initiator& initiator, FuzzInput& input) {
    std::vector<std::uint8_t> cdb = input.bytes<std::uint8_t>(16);
    // Mostly operation codes that exist.
    if ((cdb[15] & 0x80) != 0) {
      const CommandDescription& row =
          *row_for(&all_commands()[cdb[0] % all_commands().size()], bench_.unit().on(0));
      cdb.resize(std::max<std::size_t>(cdb.size(), row.cdb_length));
      cdb[0] = static_cast<std::uint8_t>(row.opcode);
      for (std::size_t i = 1; i < cdb.size(); ++i) cdb[i] &= row.usage[i];
      if (row.opcode == spec::Opcode::variable_length_cdb) {
        // Its range is behind the bytes of shorter CDBs.
        const std::vector<std::uint8_t> rest = input.bytes<std::uint8_t>(16);
        std::ranges::copy(rest, cdb.begin() + 16);
        for (std::size_t i = 16; i < cdb.size(); ++i) cdb[i] &= row.usage[i];
        cdb[7] = static_cast<std::uint8_t>(row.cdb_length - 8);
        cdb[8] = 0;
        cdb[9] = static_cast<std::uint8_t>(row.service_action);
      } else if (row.is(kWithServiceAction)) {
        cdb[1] = static_cast<std::uint8_t>(row.service_action);
      }
    }
    std::vector<std::byte> out(input.byte() * 64U);
    for (std::size_t i = 0; i < out.size() && i < 40; ++i) out[i] = std::byte{input.byte()};
    const std::uint8_t address = input.byte();
    const std::uint64_t lun =
        (address & 0xf0) == 0xf0 ? std::uint64_t{address} << 56 : address / 200;
    const auto attribute = static_cast<TaskAttribute>(input.byte() % 4);
    auto command = initiator.prepare(std::move(cdb), std::move(out), lun, attribute);
    if ((address & 1) == 0 && command->state == CommandState::prepared) initiator.execute(*command);
    commands_.emplace_back(&initiator, std::move(command));
  }
  void abort_one(std::uint8_t which) {
    if (commands_.empty()) return;
    auto& [initiator, command] = commands_[which % commands_.size()];
    initiator->server().abort(*command);
  }
  void manage(Initiator& initiator, std::uint8_t which) {
    engine::Shard::bind(&initiator.server().shard());
    DeviceServer& server = initiator.server();
    switch (which % 3) {
      case 0: run_function(server.abort_task_set(initiator.nexus(), lun_field(0))).detach(); break;
      case 1:
        run_function(server.logical_unit_reset(initiator.nexus(), lun_field(0))).detach();
        break;
      default: run_function(server.target_reset(initiator.nexus())).detach(); break;
    }
  }
  void release() {
    // Two shards share the fake medium. A withheld request is answered on the shard that submitted
    // it.
    bench_.device().hold = false;
    std::vector<block::Request*> held;
    held.swap(bench_.device().held);
    for (block::Request* request : held) {
      engine::Shard::bind(request->shard);
      request->complete(block::Status::not_ready);
    }
  }
  void gate_done() {
    while (bench_.world().step()) {
    }
  }

  Bench bench_;
  Initiator other_;
  std::vector<std::pair<Initiator*, std::unique_ptr<TestCommand>>> commands_;
};

}  // namespace
}  // namespace lunar::scsi

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  lunar::testing::FuzzInput input(data, size);
  lunar::scsi::Fuzz fuzz(input.byte());
  for (int i = 0; i < 64 && !input.empty(); ++i) fuzz.step(input);
  fuzz.finish();
  return 0;
}

// A target on simulated shards, driven by plain CDBs: what a transport does, without one.
#pragma once

#include <cassert>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "block/disk.h"
#include "block/testing/fake_device.h"
#include "engine/sim/world.h"
#include "scsi/spec/cdb.h"
#include "scsi/target/device_server.h"
#include "scsi/target/unit_features.h"

namespace lunar::scsi::testing {

using block::testing::FakeDevice;

// What came of a command.
struct Outcome {
  spec::Status status = spec::Status::good;
  spec::Sense sense;
  std::vector<std::uint8_t> data;
  bool aborted = false;

  [[nodiscard]] bool is_good() const { return status == spec::Status::good && !aborted; }
  [[nodiscard]] bool is(spec::SenseKey key, spec::AdditionalSense additional) const {
    return status == spec::Status::check_condition && sense.key == key &&
           sense.additional == additional;
  }
  [[nodiscard]] bool is_illegal(spec::AdditionalSense additional) const {
    return is(spec::SenseKey::illegal_request, additional);
  }
  [[nodiscard]] bool is_invalid_field(std::uint16_t byte) const {
    const auto* pointer = std::get_if<spec::FieldPointer>(&sense.specific);
    return is_illegal(spec::AdditionalSense::invalid_field_in_cdb) && pointer != nullptr &&
           pointer->byte == byte;
  }
  [[nodiscard]] bool is_attention(spec::AdditionalSense additional) const {
    return is(spec::SenseKey::unit_attention, additional);
  }
};

// A command with its data, alive until it has finished.
struct TestCommand : Command {
  std::vector<std::byte> out;
  std::optional<Outcome> outcome;
  bool keeps_loan = false;  // as if the data were being sent
  std::function<void(TestCommand&)> when_finished;

  TestCommand() {
    finished = [](Command& self) noexcept {
      auto& command = static_cast<TestCommand&>(self);
      assert(!command.outcome && "finished twice");
      Outcome result;
      result.status = command.status_code;
      result.sense = command.sense;
      result.aborted = command.aborted;
      const auto* bytes = reinterpret_cast<const std::uint8_t*>(command.data_in.data());
      result.data.assign(bytes, bytes + command.data_in.size());
      if (!command.keeps_loan) command.release_memory();
      command.outcome = std::move(result);
      if (command.when_finished) command.when_finished(command);
    };
  }
};

class Bench;

// An initiator's session with the target.
class Initiator {
 public:
  // `isid` is twelve digits; `port` the relative identifier of the target port.
  Initiator(Bench& bench, std::size_t shard, const std::string& name,
            const std::string& isid = "000000000001", std::uint16_t port = 1);
  Initiator(Bench& bench, std::size_t shard, const std::string& name, std::uint16_t port)
      : Initiator(bench, shard, name, "000000000001", port) {}
  Initiator(const Initiator&) = delete;
  Initiator& operator=(const Initiator&) = delete;
  ~Initiator();

  [[nodiscard]] Nexus& nexus() { return nexus_; }
  [[nodiscard]] DeviceServer& server() { return server_; }

  // Starts a command; the data-out is whatever is given.
  std::unique_ptr<TestCommand> start(std::vector<std::uint8_t> cdb, std::vector<std::byte> out = {},
                                     std::uint64_t lun = 0,
                                     TaskAttribute attribute = TaskAttribute::simple);
  // As start(), but the data never come: the command stays prepared.
  std::unique_ptr<TestCommand> prepare(std::vector<std::uint8_t> cdb, std::vector<std::byte> out,
                                       std::uint64_t lun = 0,
                                       TaskAttribute attribute = TaskAttribute::simple);
  void execute(TestCommand& command);
  Outcome finish(TestCommand& command);
  Outcome run(std::vector<std::uint8_t> cdb, std::vector<std::byte> out = {},
              std::uint64_t lun = 0);
  // What REQUEST SENSE tells.
  spec::Sense requested_sense() {
    const Outcome outcome = run({0x03, 0, 0, 0, 252, 0});
    return *spec::decode_sense(std::as_bytes(std::span(outcome.data)));
  }
  // Takes the unit attention of a new nexus away.
  void clear_attention(std::uint64_t lun = 0) { (void)run({0, 0, 0, 0, 0, 0}, {}, lun); }

 private:
  Bench& bench_;
  std::size_t shard_;
  DeviceServer& server_;
  Nexus nexus_;
};

[[nodiscard]] inline std::array<std::uint8_t, 8> lun_field(std::uint64_t lun) {
  const be64 wire =
      lun > spec::kMaxLun ? lun : spec::encode_lun(Lun(static_cast<std::uint16_t>(lun)));
  return wire.raw;
}

// One disk as LUN 0 of one target with two ports, on as many shards as wanted.
class Bench {
 public:
  explicit Bench(std::uint64_t blocks = 2048, LogicalUnitOptions options = {},
                 std::size_t shards = 1, std::uint32_t block_size = 512,
                 block::Capabilities capabilities = full(),
                 PortGroupOptions port_groups = {.explicit_changes = true})
      : Bench(std::make_unique<FakeDevice>(blocks, block_size), std::move(options), shards,
              capabilities, port_groups) {}

  Bench(std::unique_ptr<FakeDevice> fake, LogicalUnitOptions options, std::size_t shards,
        block::Capabilities capabilities, PortGroupOptions port_groups = {.explicit_changes = true})
      : world_(1, shards), device_(std::move(fake)) {
    device_->the_capabilities = capabilities;
    const std::vector<engine::Shard*> all = world_.shards();
    disk_ = std::make_unique<block::Disk>(*device_, all);
    unit_ = std::make_unique<LogicalUnit>(*disk_, std::move(options));
    [[maybe_unused]] const auto restored = unit_->restore(unit_features());
    assert(restored);
    [[maybe_unused]] const auto added = target_.add(Lun(0), *unit_);
    assert(added);
    TargetPorts ports;
    for (const std::uint16_t number : {std::uint16_t{1}, std::uint16_t{2}})
      ports.put({number, "iqn.2026-11.test:target,t,0x000" + std::to_string(number), port_groups});
    target_.set_ports(std::make_shared<const TargetPorts>(std::move(ports)));
    for (std::size_t i = 0; i < shards; ++i) {
      world_.run([this, i] { return open(i); }, i);
      servers_.push_back(std::make_unique<DeviceServer>(target_, world_.shard(i)));
    }
    initiator_ = std::make_unique<Initiator>(*this, 0, "iqn.2026-11.test:one");
  }
  ~Bench() {
    initiator_.reset();
    servers_.clear();
    for (std::size_t i = 0; i < unit_->shards().size(); ++i) {
      world_.run([this, i] { return unit_->stop(world_.shard(i)); }, i);
    }
  }

  static block::Capabilities full() {
    block::Capabilities capabilities;
    capabilities.unmap = capabilities.unmap_reads_zeroes = capabilities.write_zeroes = true;
    return capabilities;
  }

  [[nodiscard]] engine::sim::World& world() { return world_; }
  [[nodiscard]] FakeDevice& device() { return *device_; }
  [[nodiscard]] block::Disk& disk() { return *disk_; }
  [[nodiscard]] LogicalUnit& unit() { return *unit_; }
  [[nodiscard]] Target& target() { return target_; }
  [[nodiscard]] DeviceServer& server(std::size_t shard) { return *servers_[shard]; }
  [[nodiscard]] Initiator& initiator() { return *initiator_; }

  // Puts the maps into force on every shard; as Server does while it serves.
  void publish(const LunMaps& maps) {
    target_.set_maps(std::make_shared<const LunMaps>(maps));
    for (std::size_t i = 0; i < servers_.size(); ++i) {
      auto adopt = [this, i] { return servers_[i]->adopt(target_.maps()); };
      world_.run(adopt, i);
    }
  }
  void publish(TargetPorts ports) {
    target_.set_ports(std::make_shared<const TargetPorts>(std::move(ports)));
    for (std::size_t i = 0; i < servers_.size(); ++i) {
      world_.run([this, i] { return adopt_ports(i); }, i);
    }
  }
  // One more number of all initiators.
  [[nodiscard]] Result<void> add(Lun lun, LogicalUnit& unit) {
    LunMaps maps = *target_.maps();
    LUNAR_TRY(maps.others.add(lun, unit));
    publish(maps);
    return {};
  }

 private:
  engine::Task<void> adopt_ports(std::size_t shard) {
    servers_[shard]->adopt_ports(target_.ports());
    co_return;
  }
  engine::Task<void> open(std::size_t shard) {
    [[maybe_unused]] const Result<void> opened = co_await unit_->open(world_.shard(shard));
    assert(opened);
  }

  engine::sim::World world_;
  std::unique_ptr<FakeDevice> device_;
  std::unique_ptr<block::Disk> disk_;
  std::unique_ptr<LogicalUnit> unit_;
  Target target_{"iqn.2026-11.test:target"};
  std::vector<std::unique_ptr<DeviceServer>> servers_;
  std::unique_ptr<Initiator> initiator_;
};

inline Initiator::Initiator(Bench& bench, std::size_t shard, const std::string& name,
                            const std::string& isid, std::uint16_t port)
    : bench_(bench),
      shard_(shard),
      server_(bench.server(shard)),
      nexus_(name + ",i,0x" + isid, "iqn.2026-11.test:target,t,0x000" + std::to_string(port),
             port) {
  engine::Shard::bind(&bench_.world().shard(shard_));
  server_.attach(nexus_);
}

inline Initiator::~Initiator() { server_.detach(nexus_); }

inline std::unique_ptr<TestCommand> Initiator::prepare(std::vector<std::uint8_t> cdb,
                                                       std::vector<std::byte> out,
                                                       std::uint64_t lun, TaskAttribute attribute) {
  engine::Shard::bind(&bench_.world().shard(shard_));
  auto command = std::make_unique<TestCommand>();
  assert(cdb.size() <= kMaxCdbBytes);
  std::memcpy(command->cdb.data(), cdb.data(), cdb.size());
  // A transport pads short CDBs to sixteen bytes.
  command->cdb_length = static_cast<std::uint8_t>(std::max<std::size_t>(cdb.size(), 16));
  command->lun_field = lun_field(lun);
  command->attribute = attribute;
  command->nexus = &nexus_;
  command->out = std::move(out);
  command->expected_out_bytes = static_cast<std::uint32_t>(command->out.size());
  command->expected_in_bytes = UINT32_MAX;
  (void)server_.prepare(*command);
  assert(!command->outcome && "finished inside prepare()");
  return command;
}

inline void Initiator::execute(TestCommand& command) {
  engine::Shard::bind(&bench_.world().shard(shard_));
  const std::size_t bytes = std::min<std::size_t>(command.data_out_bytes, command.out.size());
  command.data_out = MutableBytes(command.out).first(bytes);
  server_.execute(command);
  assert(!command.outcome && "finished inside execute()");
}

inline std::unique_ptr<TestCommand> Initiator::start(std::vector<std::uint8_t> cdb,
                                                     std::vector<std::byte> out, std::uint64_t lun,
                                                     TaskAttribute attribute) {
  auto command = prepare(std::move(cdb), std::move(out), lun, attribute);
  execute(*command);
  return command;
}

inline Outcome Initiator::finish(TestCommand& command) {
  bench_.world().run_until([&] { return command.outcome.has_value(); });
  assert(command.outcome && "the command never ended");
  return *command.outcome;
}

inline Outcome Initiator::run(std::vector<std::uint8_t> cdb, std::vector<std::byte> out,
                              std::uint64_t lun) {
  const auto command = start(std::move(cdb), std::move(out), lun);
  return finish(*command);
}

// ---- CDBs and data

// Big-endian bytes of a value, to be put into CDBs.
[[nodiscard]] inline std::vector<std::uint8_t> block_cdb(spec::Opcode opcode, std::uint64_t lba,
                                                         std::uint64_t blocks,
                                                         std::uint8_t flags = 0) {
  spec::BlockCommand command;
  command.lba = Lba(lba);
  command.blocks = BlockCount(blocks);
  command.flags = spec::BlockFlags{flags};
  const auto cdb = spec::encode_block_command(opcode, command);
  assert(cdb && "no such CDB");
  const Bytes bytes = cdb->bytes();
  const auto* first = reinterpret_cast<const std::uint8_t*>(bytes.data());
  return {first, first + bytes.size()};
}

[[nodiscard]] inline std::vector<std::byte> filled(std::size_t bytes, std::uint8_t value) {
  return std::vector<std::byte>(bytes, std::byte{value});
}

}  // namespace lunar::scsi::testing

// Asymmetric logical unit access: what the commands tell and set, and what each state allows.
#include <gtest/gtest.h>

#include <set>

#include "scsi/paths/access_state_change.h"
#include "scsi/target/command_table.h"
#include "scsi/testing/bench.h"

namespace lunar::scsi {
namespace {

using namespace testing;
using access::PathState;
using spec::AdditionalSense;
using spec::Opcode;
using spec::SenseKey;
using Bytes8 = std::vector<std::uint8_t>;

constexpr PortGroupOptions kImplicit{};

const Bytes8 kReport{0xa3, 0x0a, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0};
const Bytes8 kReportExtended{0xa3, 0x2a, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0};
const Bytes8 kTestUnitReady{0, 0, 0, 0, 0, 0};

Bytes8 set_cdb(std::uint8_t length) { return {0xa4, 0x0a, 0, 0, 0, 0, 0, 0, 0, length, 0, 0}; }

struct Setting {
  std::uint8_t state;
  std::uint16_t group;
};
std::vector<std::byte> list_of(const std::vector<Setting>& settings) {
  std::vector<std::byte> list(4);
  for (const Setting& each : settings) {
    for (const unsigned byte : {unsigned{each.state}, 0U, each.group / 256U, each.group % 256U})
      list.push_back(static_cast<std::byte>(byte));
  }
  return list;
}
Outcome set(Initiator& initiator, const std::vector<Setting>& settings) {
  const auto list = list_of(settings);
  return initiator.run(set_cdb(static_cast<std::uint8_t>(list.size())), list);
}

engine::Task<void> change(LogicalUnit& unit, UnitChange& what, bool& changed) {
  changed = co_await unit.change(what);
}
// As whoever manages the target does it.
bool manage(Bench& bench, std::uint16_t number, PathState state, bool preferred = false) {
  const AccessStateChange::Wanted wanted[] = {
      {*bench.target().ports()->find(number), state, preferred}};
  AccessStateChange what(wanted, nullptr);
  bool changed = false;
  bench.world().run([&] { return change(bench.unit(), what, changed); });
  return changed;
}

std::vector<std::uint8_t> group_of(const Outcome& report, std::size_t index) {
  const auto first = report.data.begin() + static_cast<std::ptrdiff_t>(4 + index * 12);
  return {first, first + 12};
}

TEST(ReportTargetPortGroups, TellsEachPortAsAGroup) {
  Bench bench;
  bench.initiator().clear_attention();
  EXPECT_EQ(bench.initiator().run(kReport).data, (Bytes8{0, 0,    0, 24,                          //
                                                         0, 0x8f, 0, 1,  0, 0, 0, 1, 0, 0, 0, 1,  //
                                                         0, 0x8f, 0, 2,  0, 0, 0, 1, 0, 0, 0, 2}));
  EXPECT_EQ(bench.initiator().run(kReportExtended).data,
            (Bytes8{0, 0,    0, 28, 0x10, 0, 0, 0,              //
                    0, 0x8f, 0, 1,  0,    0, 0, 1, 0, 0, 0, 1,  //
                    0, 0x8f, 0, 2,  0,    0, 0, 1, 0, 0, 0, 2}));
}

TEST(ReportTargetPortGroups, KeepsToTheAllocationLengthAndItsFormats) {
  Bench bench;
  bench.initiator().clear_attention();
  EXPECT_EQ(bench.initiator().run({0xa3, 0x0a, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0}).data,
            (Bytes8{0, 0, 0, 24, 0, 0x8f}));
  EXPECT_TRUE(bench.initiator().run({0xa3, 0x0a, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}).is_good());
  for (const std::uint8_t format : Bytes8{0x40, 0x60, 0x80, 0xe0}) {
    EXPECT_TRUE(
        bench.initiator()
            .run({0xa3, static_cast<std::uint8_t>(format | 0x0a), 0, 0, 0, 0, 0, 0, 1, 0, 0, 0})
            .is_invalid_field(1));
  }
}

TEST(TargetPortGroups, AreToldByInquiry) {
  Bench implicit(2048, {}, 1, 512, Bench::full(), kImplicit);
  Bench both;
  Bench none(2048, {}, 1, 512, Bench::full(), {.implicit_changes = false});
  const Bytes8 inquiry{0x12, 0, 0, 0, 96, 0};
  EXPECT_EQ(implicit.initiator().run(inquiry).data[5] & 0x30, 0x10);
  EXPECT_EQ(both.initiator().run(inquiry).data[5] & 0x30, 0x30);
  EXPECT_EQ(none.initiator().run(inquiry).data[5] & 0x30, 0x00);
}

TEST(TargetPortGroups, CommandsAreThereOnlyWhereTheyMeanSomething) {
  Bench implicit(2048, {}, 1, 512, Bench::full(), kImplicit);
  Bench none(2048, {}, 1, 512, Bench::full(), {.implicit_changes = false});
  for (Bench* bench : {&implicit, &none}) bench->initiator().clear_attention();
  EXPECT_EQ(set(implicit.initiator(), {{0, 1}}).sense.key, SenseKey::illegal_request);
  EXPECT_TRUE(none.initiator().run(kReport).is_invalid_field(1))
      << "MAINTENANCE IN has other service actions";
  // REPORT SUPPORTED OPERATION CODES says the same.
  const auto supported = [](Bench& bench, std::uint8_t opcode) {
    return bench.initiator().run({0xa3, 0x0c, 2, opcode, 0, 0x0a, 0, 0, 1, 0, 0, 0}).data[1] & 7;
  };
  EXPECT_EQ(supported(implicit, 0xa3), 3);
  EXPECT_EQ(supported(implicit, 0xa4), 1);
  EXPECT_EQ(supported(none, 0xa3), 1);
  Bench both;
  both.initiator().clear_attention();
  EXPECT_EQ(supported(both, 0xa4), 3);
}

TEST(TargetPortGroups, DeviceIdentificationNamesPortAndGroup) {
  Bench bench;
  Initiator second(bench, 0, "iqn.2026-11.test:one", 2);
  const auto data = second.run({0x12, 1, 0x83, 2, 0, 0}).data;
  const auto has = [&](const Bytes8& part) {
    return std::search(data.begin(), data.end(), part.begin(), part.end()) != data.end();
  };
  EXPECT_TRUE(has({0x51, 0x94, 0, 4, 0, 0, 0, 2})) << "relative target port";
  EXPECT_TRUE(has({0x51, 0x95, 0, 4, 0, 0, 0, 2})) << "target port group";
}

TEST(SetTargetPortGroups, ChangesTheStateAndTellsTheOthers) {
  Bench bench(2048, {}, 2);
  Initiator same_port(bench, 1, "iqn.2026-11.test:two", 1);
  Initiator other_port(bench, 1, "iqn.2026-11.test:one", 2);
  for (Initiator* each : {&bench.initiator(), &same_port, &other_port}) each->clear_attention();
  ASSERT_TRUE(set(bench.initiator(), {{0, 1}, {1, 2}}).is_good());
  const auto report = bench.initiator().run(kReport);
  ASSERT_TRUE(report.is_good()) << "who asked is not told";
  EXPECT_EQ(group_of(report, 0), (Bytes8{0, 0x8f, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1})) << "as it was";
  EXPECT_EQ(group_of(report, 1), (Bytes8{1, 0x8f, 0, 2, 0, 1, 0, 1, 0, 0, 0, 2}));
  for (Initiator* each : {&same_port, &other_port}) {
    EXPECT_TRUE(
        each->run(kTestUnitReady).is_attention(AdditionalSense::asymmetric_access_state_changed));
    EXPECT_TRUE(each->run(block_cdb(Opcode::read_10, 0, 1)).is_good()) << "non-optimized serves";
  }
  ASSERT_TRUE(set(bench.initiator(), {{1, 2}}).is_good());
  EXPECT_TRUE(same_port.run(kTestUnitReady).is_good()) << "nothing has changed";
}

TEST(SetTargetPortGroups, TakesAllOrNothing) {
  Bench bench;
  bench.initiator().clear_attention();
  const auto is_bad = [&](const std::vector<Setting>& settings, std::uint16_t byte) {
    const Outcome outcome = set(bench.initiator(), settings);
    const auto* pointer = std::get_if<spec::FieldPointer>(&outcome.sense.specific);
    return outcome.is_illegal(AdditionalSense::invalid_field_in_parameter_list) &&
           pointer != nullptr && pointer->byte == byte && !pointer->in_cdb;
  };
  EXPECT_TRUE(is_bad({{2, 2}, {4, 1}}, 8)) << "logical block dependent";
  EXPECT_TRUE(is_bad({{2, 2}, {0xe, 1}}, 8)) << "offline";
  EXPECT_TRUE(is_bad({{2, 2}, {0xf, 1}}, 8)) << "transitioning";
  EXPECT_TRUE(is_bad({{2, 2}, {0x11, 1}}, 8)) << "a reserved bit";
  EXPECT_TRUE(is_bad({{2, 2}, {1, 3}}, 10)) << "no such group";
  EXPECT_EQ(group_of(bench.initiator().run(kReport), 1)[0], 0);
}

TEST(SetTargetPortGroups, RefusesLengthsThatAreNone) {
  Bench bench;
  bench.initiator().clear_attention();
  EXPECT_TRUE(bench.initiator().run(set_cdb(0)).is_good());
  EXPECT_TRUE(bench.initiator().run(set_cdb(4), filled(4, 0)).is_good()) << "no group";
  for (const std::uint8_t length : Bytes8{1, 3, 5, 7, 9, 11}) {
    EXPECT_TRUE(bench.initiator()
                    .run(set_cdb(length), filled(length, 0))
                    .is_illegal(AdditionalSense::parameter_list_length_error));
  }
  EXPECT_TRUE(bench.initiator()
                  .run({0xa4, 0x0a, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0}, filled(65536, 0))
                  .is_illegal(AdditionalSense::parameter_list_length_error));
  EXPECT_TRUE(bench.initiator()
                  .run(set_cdb(8), filled(4, 0))
                  .is_illegal(AdditionalSense::parameter_list_length_error))
      << "fewer data than told";
}

TEST(AsymmetricAccess, TheTargetsOwnChangesAreToldToAll) {
  Bench bench(2048, {}, 2);
  Initiator other(bench, 1, "iqn.2026-11.test:one", 2);
  bench.initiator().clear_attention();
  other.clear_attention();
  EXPECT_TRUE(manage(bench, 2, PathState::standby, true));
  EXPECT_FALSE(manage(bench, 2, PathState::standby, true));
  for (Initiator* each : {&bench.initiator(), &other}) {
    const auto report = each->run(kReport);
    EXPECT_TRUE(report.is_attention(AdditionalSense::asymmetric_access_state_changed));
    EXPECT_EQ(group_of(each->run(kReport), 1), (Bytes8{0x82, 0x8f, 0, 2, 0, 2, 0, 1, 0, 0, 0, 2}));
  }
  EXPECT_TRUE(bench.initiator().run(kTestUnitReady).is_good());
  EXPECT_TRUE(other.run(kTestUnitReady)
                  .is(SenseKey::not_ready, AdditionalSense::target_port_in_standby_state));
  EXPECT_TRUE(manage(bench, 2, PathState::optimized));
  other.clear_attention();
  EXPECT_TRUE(other.run(kTestUnitReady).is_good());
}

TEST(AsymmetricAccess, BeginsAsConfigured) {
  Bench bench(2048, {}, 1, 512, Bench::full(),
              {.state = PathState::unavailable, .preferred = true});
  bench.initiator().clear_attention();
  EXPECT_TRUE(bench.initiator()
                  .run(kTestUnitReady)
                  .is(SenseKey::not_ready, AdditionalSense::target_port_in_unavailable_state));
  EXPECT_EQ(group_of(bench.initiator().run(kReport), 0),
            (Bytes8{0x83, 0x8f, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1}));
}

TEST(AsymmetricAccess, EachStateHasItsAnswer) {
  struct {
    PathState state;
    AdditionalSense answer;
  } constexpr kCases[] = {
      {PathState::standby, AdditionalSense::target_port_in_standby_state},
      {PathState::unavailable, AdditionalSense::target_port_in_unavailable_state},
      {PathState::changing, AdditionalSense::asymmetric_access_state_transition}};
  for (const auto& [state, answer] : kCases) {
    Bench bench;
    bench.initiator().clear_attention();
    EXPECT_TRUE(manage(bench, 1, state));
    bench.initiator().clear_attention();
    EXPECT_TRUE(
        bench.initiator().run(block_cdb(Opcode::read_10, 0, 1)).is(SenseKey::not_ready, answer));
    EXPECT_TRUE(bench.initiator()
                    .run(block_cdb(Opcode::write_10, 0, 1), filled(512, 1))
                    .is(SenseKey::not_ready, answer));
    EXPECT_TRUE(bench.device().calls.empty());
    for (const Bytes8& cdb : {kReport, Bytes8{0x12, 0, 0, 0, 96, 0}, Bytes8{3, 0, 0, 0, 18, 0},
                              Bytes8{0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0}}) {
      EXPECT_TRUE(bench.initiator().run(cdb).is_good()) << int{cdb[0]};
    }
    const bool mode_sense = bench.initiator().run({0x1a, 0, 0x0a, 0, 255, 0}).is_good();
    EXPECT_EQ(mode_sense, state == PathState::standby);
    const bool capacity = bench.initiator().run({0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0}).is_good();
    EXPECT_EQ(capacity, state == PathState::standby);
    // A way back by the path itself, but not while the target is at it.
    const Outcome back = set(bench.initiator(), {{0, 1}});
    if (state == PathState::changing) {
      EXPECT_TRUE(back.is(SenseKey::not_ready, answer));
    } else {
      EXPECT_TRUE(back.is_good());
      EXPECT_TRUE(bench.initiator().run(block_cdb(Opcode::read_10, 0, 1)).is_good());
    }
  }
}

// SPC-5 §5.17.2.4.3 to §5.17.2.4.5 and §5.17.2.5, written down once more: whatever else a row is,
// it is one of these or it heeds the state of its path.
std::uint32_t key(Opcode opcode, unsigned action = 0) {
  return static_cast<std::uint32_t>(opcode) << 16 | action;
}

TEST(AsymmetricAccess, EveryCommandHeedsTheStateOfItsPath) {
  const std::set<std::uint32_t> always{
      key(Opcode::inquiry),
      key(Opcode::report_luns),
      key(Opcode::request_sense),
      key(Opcode::maintenance_in, spec::service_action::report_target_port_groups),
      key(Opcode::read_buffer_10),
      key(Opcode::read_buffer_16),
      key(Opcode::write_buffer)};
  std::set<std::uint32_t> unavailable = always;
  unavailable.insert(key(Opcode::maintenance_out, spec::service_action::set_target_port_groups));
  // What a path in standby must serve; READ CAPACITY is what hosts like to ask there, too.
  const std::set<std::uint32_t> standby{
      key(Opcode::inquiry),
      key(Opcode::log_select),
      key(Opcode::log_sense),
      key(Opcode::mode_select_6),
      key(Opcode::mode_select_10),
      key(Opcode::mode_sense_6),
      key(Opcode::mode_sense_10),
      key(Opcode::report_luns),
      key(Opcode::receive_diagnostic_results),
      key(Opcode::send_diagnostic),
      key(Opcode::maintenance_in, spec::service_action::report_target_port_groups),
      key(Opcode::maintenance_out, spec::service_action::set_target_port_groups),
      key(Opcode::request_sense),
      key(Opcode::read_buffer_10),
      key(Opcode::read_buffer_16),
      key(Opcode::write_buffer),
      key(Opcode::read_capacity_10),
      key(Opcode::service_action_in_16, spec::service_action::read_capacity_16)};
  for (const CommandDescription& row : all_commands()) {
    const std::uint32_t command =
        key(row.opcode, row.is(kWithServiceAction) ? row.service_action : 0);
    const std::string name = spec::to_text(row.opcode, row.service_action);
    EXPECT_EQ((row.heeds & kPathInTransition) == 0, always.contains(command)) << name;
    EXPECT_EQ((row.heeds & kPathUnavailable) == 0, unavailable.contains(command)) << name;
    const bool reserves =
        row.opcode == Opcode::persistent_reserve_in || row.opcode == Opcode::persistent_reserve_out;
    const bool served = (row.heeds & kPathStandby) == 0;
    if (standby.contains(command) || reserves) {
      EXPECT_TRUE(served) << name;
    } else if ((row.heeds & (kNotReady | kLowPower)) != 0) {
      EXPECT_FALSE(served) << name << " is of the medium";
    }
  }
}

TEST(TargetPorts, AreFoundByNumber) {
  TargetPorts ports;
  ports.put({300, "seven", {.state = PathState::standby, .preferred = true}});
  ports.put({2, "one", {.implicit_changes = false}});
  ASSERT_EQ(ports.all().size(), 2U);
  EXPECT_EQ(ports.all()[0].number, 2);
  EXPECT_EQ(ports.find(300)->group.state, PathState::standby);
  EXPECT_TRUE(ports.find(300)->group.preferred);
  EXPECT_EQ(ports.find(300)->name, "seven");
  EXPECT_EQ(ports.find(1), nullptr);
  EXPECT_TRUE(ports.implicit_changes());
  EXPECT_TRUE(ports.remove(300));
  EXPECT_FALSE(ports.remove(300));
  EXPECT_FALSE(ports.implicit_changes()) << "the port that had them is gone";
  ports.put({2, "other", {}});
  ASSERT_EQ(ports.all().size(), 1U) << "one port a number";
  EXPECT_EQ(ports.find(2)->name, "other");
}

Outcome poke(Bench& bench) { return bench.initiator().run(kTestUnitReady); }

TEST(TargetPortGroups, ComeAndGoWhileTheTargetServes) {
  Bench bench(2048, {}, 2);
  bench.initiator().clear_attention();
  TargetPorts ports = *bench.target().ports();
  ports.put({7, "third", {.state = PathState::standby}});
  bench.publish(ports);
  EXPECT_TRUE(poke(bench).is_attention(AdditionalSense::inquiry_data_has_changed));
  EXPECT_TRUE(poke(bench).is_good());
  Outcome report = bench.initiator().run(kReport);
  EXPECT_EQ(report.data[3], 3 * 12);
  EXPECT_EQ(group_of(report, 2)[0] & 0x0f, 2) << "standby";
  EXPECT_EQ(group_of(report, 2)[3], 7);
  EXPECT_TRUE(ports.remove(7));
  bench.publish(ports);
  EXPECT_TRUE(poke(bench).is_attention(AdditionalSense::inquiry_data_has_changed));
  EXPECT_EQ(bench.initiator().run(kReport).data[3], 2 * 12);
}

TEST(TargetPortGroups, OtherOptionsOfAGroupHoldForItsNexusesAtOnce) {
  Bench bench;
  bench.initiator().clear_attention();
  TargetPorts ports = *bench.target().ports();
  TargetPort first = *ports.find(1);
  first.group.state = PathState::standby;
  ports.put(first);
  bench.publish(ports);
  bench.initiator().clear_attention();
  EXPECT_TRUE(bench.initiator()
                  .run({0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0})
                  .is(SenseKey::not_ready, AdditionalSense::target_port_in_standby_state));
}

TEST(TargetPortGroups, AGroupThatIsResetHasNoFormerState) {
  Bench bench;
  bench.initiator().clear_attention();
  EXPECT_TRUE(manage(bench, 2, PathState::unavailable));
  bench.initiator().clear_attention();
  EXPECT_EQ(group_of(bench.initiator().run(kReport), 1)[0] & 0x0f, 3);
  const std::uint16_t groups[] = {2};
  PortGroupsReset reset(groups);
  bool changed = false;
  bench.world().run([&] { return change(bench.unit(), reset, changed); });
  EXPECT_TRUE(poke(bench).is_attention(AdditionalSense::asymmetric_access_state_changed));
  EXPECT_EQ(group_of(bench.initiator().run(kReport), 1)[0] & 0x0f, 0);
}

}  // namespace
}  // namespace lunar::scsi

#include <gtest/gtest.h>

#include "block/testing/fake_device.h"
#include "scsi/testing/bench.h"
#include "state/testing/memory_store.h"

namespace lunar::scsi {
namespace {

using namespace testing;
using spec::AdditionalSense;
using spec::Opcode;
using spec::SenseKey;
using state::testing::MemoryStore;
using Data = std::vector<std::uint8_t>;

constexpr std::uint8_t kControl = 0x0a;
constexpr std::uint8_t kCaching = 0x08;
constexpr std::uint8_t kExceptions = 0x1c;

std::vector<std::byte> bytes_of(const Data& data) {
  const Bytes bytes = std::as_bytes(std::span(data));
  return {bytes.begin(), bytes.end()};
}

// A page from MODE SENSE (6), without header and block descriptor.
Data sense_page(Initiator& initiator, std::uint8_t page, std::uint8_t control = 0,
                std::uint8_t subpage = 0) {
  const auto selected = static_cast<std::uint8_t>((control << 6) | page);
  const Outcome outcome = initiator.run({0x1a, 8, selected, subpage, 255, 0});
  EXPECT_TRUE(outcome.is_good()) << int{page};
  if (outcome.data.size() < 4) return {};
  return {outcome.data.begin() + 4, outcome.data.end()};
}

Outcome select(Initiator& initiator, const Data& page, bool save = false, bool ten = false) {
  Data list(ten ? 8 : 4);
  list.insert(list.end(), page.begin(), page.end());
  const auto flags = static_cast<std::uint8_t>(save ? 0x11 : 0x10);
  const auto length = static_cast<std::uint8_t>(list.size());
  if (ten) return initiator.run({0x55, flags, 0, 0, 0, 0, 0, 0, length, 0}, bytes_of(list));
  return initiator.run({0x15, flags, 0, 0, length, 0}, bytes_of(list));
}

// The page with bits of one byte set or cleared.
Outcome set_bits(Initiator& initiator, std::uint8_t page, std::size_t byte, std::uint8_t bits,
                 bool on = true, bool save = false) {
  Data values = sense_page(initiator, page);
  values[byte] =
      static_cast<std::uint8_t>(on ? values[byte] | bits : values[byte] & ~unsigned{bits});
  return select(initiator, values, save);
}

bool is_parameter_fault(const Outcome& outcome, std::uint16_t byte,
                        std::optional<std::uint8_t> bit = std::nullopt) {
  const auto* pointer = std::get_if<spec::FieldPointer>(&outcome.sense.specific);
  return outcome.is_illegal(AdditionalSense::invalid_field_in_parameter_list) &&
         pointer != nullptr && !pointer->in_cdb && pointer->byte == byte &&
         (!bit || pointer->bit == bit);
}

block::Capabilities cached() {
  block::Capabilities capabilities = Bench::full();
  capabilities.volatile_cache = capabilities.fua = true;
  return capabilities;
}

struct ModeSelect : ::testing::Test {
  Bench bench{2048, {}, 2, 512, cached()};
  Initiator other{bench, 1, "iqn.2026-11.test:two"};
  Initiator& initiator = bench.initiator();

  ModeSelect() {
    initiator.clear_attention();
    other.clear_attention();
  }
};

TEST_F(ModeSelect, ChangesWhatTheMaskAllows) {
  EXPECT_EQ(sense_page(initiator, kControl, 1),
            (Data{0x0a, 0x0a, 0x24, 0x06, 0x38, 0x40, 0, 0, 0, 0, 0, 0}));
  EXPECT_TRUE(set_bits(initiator, kControl, 2, 0x04).is_good());
  EXPECT_EQ(sense_page(initiator, kControl)[2] & 0x04, 0x04);
  EXPECT_EQ(sense_page(initiator, kControl, 2)[2] & 0x04, 0) << "the default stays";
}

TEST_F(ModeSelect, TheTenByteFormDoesTheSame) {
  Data page = sense_page(initiator, kControl);
  page[2] |= 0x04;
  EXPECT_TRUE(select(initiator, page, false, true).is_good());
  EXPECT_EQ(sense_page(initiator, kControl), page);
}

TEST_F(ModeSelect, TellsEveryOtherNexusOnEveryShard) {
  ASSERT_TRUE(set_bits(initiator, kControl, 2, 0x04).is_good());
  EXPECT_TRUE(initiator.run({0, 0, 0, 0, 0, 0}).is_good());
  EXPECT_TRUE(other.run({0, 0, 0, 0, 0, 0}).is_attention(AdditionalSense::mode_parameters_changed));
}

TEST_F(ModeSelect, TellsNobodyWhenNothingChanges) {
  ASSERT_TRUE(select(initiator, sense_page(initiator, kControl)).is_good());
  EXPECT_TRUE(other.run({0, 0, 0, 0, 0, 0}).is_good());
}

TEST_F(ModeSelect, RefusesABitThatCannotChangeWithAPointerToIt) {
  EXPECT_TRUE(is_parameter_fault(set_bits(initiator, kControl, 2, 0x02, false), 4 + 2, 1));
  EXPECT_TRUE(is_parameter_fault(set_bits(initiator, kControl, 2, 0x40), 4 + 2, 6)) << "TST 011b";
  EXPECT_TRUE(is_parameter_fault(set_bits(initiator, kControl, 3, 0x08), 4 + 3, 3));
  EXPECT_TRUE(is_parameter_fault(set_bits(initiator, kControl, 3, 0x04), 4 + 3, 2))
      << "QERR 10b is reserved";
  EXPECT_TRUE(is_parameter_fault(set_bits(initiator, kControl, 4, 0x10), 4 + 4, 5))
      << "UA_INTLCK_CTRL 01b is reserved";
  EXPECT_TRUE(is_parameter_fault(set_bits(initiator, kCaching, 12, 0x20), 4 + 12, 5));
}

TEST_F(ModeSelect, AFaultAnywhereChangesNothing) {
  Data list = sense_page(initiator, kControl);
  list[2] |= 0x04;
  Data caching = sense_page(initiator, kCaching);
  caching[3] = 1;
  list.insert(list.end(), caching.begin(), caching.end());
  EXPECT_TRUE(is_parameter_fault(select(initiator, list), 4 + 12 + 3, 0));
  EXPECT_EQ(sense_page(initiator, kControl)[2] & 0x04, 0);
  EXPECT_TRUE(other.run({0, 0, 0, 0, 0, 0}).is_good());
}

TEST_F(ModeSelect, TakesEveryPageAsItIs) {
  const Outcome all = initiator.run({0x1a, 8, 0x3f, 0xff, 255, 0});
  ASSERT_TRUE(all.is_good());
  EXPECT_TRUE(select(initiator, Data(all.data.begin() + 4, all.data.end())).is_good());
}

TEST_F(ModeSelect, TakesTheHeaderAndDescriptorThatModeSenseGave) {
  Data list = initiator.run({0x1a, 0, kControl, 0, 255, 0}).data;
  EXPECT_TRUE(
      initiator.run({0x15, 0x10, 0, 0, static_cast<std::uint8_t>(list.size()), 0}, bytes_of(list))
          .is_good());
  list = initiator.run({0x5a, 0x10, kControl, 0, 0, 0, 0, 0, 255, 0}).data;
  EXPECT_TRUE(initiator
                  .run({0x55, 0x10, 0, 0, 0, 0, 0, 0, static_cast<std::uint8_t>(list.size()), 0},
                       bytes_of(list))
                  .is_good());
}

Outcome send(Initiator& initiator, const Data& list, std::uint8_t flags = 0x10) {
  return initiator.run({0x15, flags, 0, 0, static_cast<std::uint8_t>(list.size()), 0},
                       bytes_of(list));
}

TEST_F(ModeSelect, RefusesOtherDescriptors) {
  EXPECT_TRUE(send(initiator, {0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 2, 0}).is_good());
  EXPECT_TRUE(is_parameter_fault(send(initiator, {0, 0, 0, 8, 0, 0, 0, 9, 0, 0, 2, 0}), 4));
  EXPECT_TRUE(is_parameter_fault(send(initiator, {0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 16, 0}), 9));
  EXPECT_TRUE(is_parameter_fault(send(initiator, {0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 2}), 3));
  EXPECT_TRUE(is_parameter_fault(send(initiator, {0, 1, 0, 0}), 1));
  EXPECT_TRUE(is_parameter_fault(send(initiator, {0, 0, 1, 0}), 2));
}

TEST_F(ModeSelect, RefusesListsThatEndTooSoon) {
  const auto too_short = AdditionalSense::parameter_list_length_error;
  EXPECT_TRUE(send(initiator, {}).is_good()) << "no list is no error";
  EXPECT_TRUE(send(initiator, {0, 0, 0}).is_illegal(too_short));
  EXPECT_TRUE(send(initiator, {0, 0, 0, 8, 0, 0, 0, 0}).is_illegal(too_short));
  EXPECT_TRUE(send(initiator, {0, 0, 0, 0, 0x0a}).is_illegal(too_short));
  EXPECT_TRUE(send(initiator, {0, 0, 0, 0, 0x0a, 0x0a, 0}).is_illegal(too_short));
  EXPECT_TRUE(initiator.run({0x15, 0x10, 0, 0, 16, 0}, filled(4, 0)).is_illegal(too_short))
      << "fewer data than the CDB tells";
}

TEST_F(ModeSelect, RefusesPagesThatAreNotThere) {
  EXPECT_TRUE(is_parameter_fault(send(initiator, {0, 0, 0, 0, 0x02, 0}), 4, 5));
  EXPECT_TRUE(is_parameter_fault(send(initiator, {0, 0, 0, 0, 0x4a, 0x07, 0, 0}), 5));
  EXPECT_TRUE(is_parameter_fault(send(initiator, {0, 0, 0, 0, 0x0a, 0x09}), 5));
  EXPECT_TRUE(is_parameter_fault(send(initiator, {0, 0, 0, 0, 0x4a, 0x01, 0, 0x1b}), 6));
}

TEST_F(ModeSelect, WantsPagesByTheStandard) {
  const Outcome outcome = send(initiator, {0, 0, 0, 0}, 0);
  EXPECT_TRUE(outcome.is_invalid_field(1));
  EXPECT_EQ(std::get<spec::FieldPointer>(outcome.sense.specific).bit, 4);
}

// ---- Effects of the values

TEST_F(ModeSelect, DSenseChoosesTheFormatOfSenseData) {
  const auto refused = initiator.start(block_cdb(Opcode::read_10, 1 << 20, 1));
  (void)initiator.finish(*refused);
  EXPECT_EQ(refused->sense_format, spec::SenseFormat::fixed);
  ASSERT_TRUE(set_bits(initiator, kControl, 2, 0x04).is_good());
  const auto again = other.start(block_cdb(Opcode::read_10, 1 << 20, 1));
  (void)other.finish(*again);
  EXPECT_EQ(again->sense_format, spec::SenseFormat::descriptor);
}

// UA_INTLCK_CTRL
constexpr std::uint8_t kInterlock = 0x20;
constexpr std::uint8_t kInterlockStatuses = 0x30;
const Data kTestUnitReady{0, 0, 0, 0, 0, 0};
const Data kReserve{0x16, 0, 0, 0, 0, 0};
const Data kRelease{0x17, 0, 0, 0, 0, 0};

TEST_F(ModeSelect, AnInterlockedAttentionWaitsForRequestSense) {
  ASSERT_TRUE(set_bits(initiator, kControl, 4, kInterlock).is_good());
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(other.run(kTestUnitReady).is_attention(AdditionalSense::mode_parameters_changed));
    EXPECT_TRUE(other.run(block_cdb(Opcode::read_10, 0, 1))
                    .is_attention(AdditionalSense::mode_parameters_changed));
  }
  EXPECT_EQ(other.requested_sense().additional, AdditionalSense::mode_parameters_changed);
  EXPECT_TRUE(other.run(kTestUnitReady).is_good());
  EXPECT_TRUE(initiator.run(kTestUnitReady).is_good()) << "nothing was pending here";
}

TEST_F(ModeSelect, AnInterlockedInventoryIsToldByRequestSenseOnly) {
  ASSERT_TRUE(bench.add(Lun(1), bench.unit()));
  initiator.clear_attention();
  other.clear_attention();
  ASSERT_TRUE(set_bits(initiator, kControl, 4, kInterlock).is_good());
  EXPECT_EQ(other.requested_sense().additional, AdditionalSense::mode_parameters_changed);
  ASSERT_TRUE(bench.add(Lun(2), bench.unit()));
  const auto changed = AdditionalSense::reported_luns_data_has_changed;
  EXPECT_TRUE(other.run({0xa0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0}).is_good());
  EXPECT_TRUE(other.run(kTestUnitReady).is_attention(changed)) << "REPORT LUNS clears none";
  EXPECT_EQ(other.requested_sense().additional, changed);
  EXPECT_TRUE(other.run(kTestUnitReady).is_good());
}

TEST_F(ModeSelect, AnInterlockOfStatusesTellsOfAReservationConflictOnce) {
  ASSERT_TRUE(set_bits(initiator, kControl, 4, kInterlockStatuses).is_good());
  (void)other.requested_sense();
  ASSERT_TRUE(initiator.run(kReserve).is_good());
  const auto attention = AdditionalSense::previous_reservation_conflict_status;
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(other.run(kTestUnitReady).status, spec::Status::reservation_conflict);
  EXPECT_EQ(other.requested_sense().additional, attention);
  EXPECT_EQ(other.requested_sense().key, SenseKey::no_sense) << "one for both";
  EXPECT_EQ(other.run(kTestUnitReady).status, spec::Status::reservation_conflict);
  ASSERT_TRUE(initiator.run(kRelease).is_good());
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(other.run(kTestUnitReady).is_attention(attention));
  EXPECT_EQ(other.requested_sense().additional, attention);
  EXPECT_TRUE(other.run(kTestUnitReady).is_good());
}

TEST_F(ModeSelect, AnInterlockOfStatusesTellsOfBusy) {
  bench.device().answers[block::Op::read] = block::Status::busy;
  const auto read = block_cdb(Opcode::read_10, 0, 1);
  ASSERT_TRUE(set_bits(initiator, kControl, 4, kInterlock).is_good());
  EXPECT_EQ(initiator.run(read).status, spec::Status::busy);
  EXPECT_EQ(initiator.run(read).status, spec::Status::busy) << "10b makes no attention of it";
  ASSERT_TRUE(set_bits(initiator, kControl, 4, kInterlockStatuses).is_good());
  EXPECT_EQ(initiator.run(read).status, spec::Status::busy);
  EXPECT_TRUE(initiator.run(read).is_attention(AdditionalSense::previous_busy_status));
  EXPECT_EQ(initiator.requested_sense().additional, AdditionalSense::previous_busy_status);
  EXPECT_EQ(initiator.run(read).status, spec::Status::busy);
}

TEST_F(ModeSelect, SwpProtectsTheMedium) {
  ASSERT_TRUE(set_bits(initiator, kControl, 4, 0x08).is_good());
  EXPECT_EQ(initiator.run({0x1a, 8, kControl, 0, 255, 0}).data[2], 0x90) << "WP";
  other.clear_attention();
  for (Initiator* each : {&initiator, &other}) {
    EXPECT_TRUE(each->run(block_cdb(Opcode::write_10, 0, 1), filled(512, 1))
                    .is(SenseKey::data_protect, AdditionalSense::lu_software_write_protected));
    EXPECT_TRUE(each->run(block_cdb(Opcode::read_10, 0, 1)).is_good());
  }
  ASSERT_TRUE(set_bits(initiator, kControl, 4, 0x08, false).is_good());
  EXPECT_TRUE(initiator.run(block_cdb(Opcode::write_10, 0, 1), filled(512, 1)).is_good());
}

TEST_F(ModeSelect, WithoutWceEveryWriteIsDurable) {
  const auto flags_of_write = [&](Initiator& from) {
    EXPECT_TRUE(from.run(block_cdb(Opcode::write_10, 0, 1), filled(512, 1)).is_good());
    return bench.device().calls.back().flags;
  };
  EXPECT_EQ(sense_page(initiator, kCaching)[2], 0x04);
  EXPECT_EQ(flags_of_write(other), 0);
  ASSERT_TRUE(set_bits(initiator, kCaching, 2, 0x04, false).is_good());
  EXPECT_EQ(bench.device().calls.back().op, block::Op::flush) << "what was cached is written";
  other.clear_attention();
  EXPECT_EQ(flags_of_write(initiator), block::kFua);
  EXPECT_EQ(flags_of_write(other), block::kFua);
  ASSERT_TRUE(set_bits(initiator, kCaching, 2, 0x04).is_good());
  EXPECT_EQ(flags_of_write(initiator), 0);
}

TEST_F(ModeSelect, WithoutWceUnmapIsFlushed) {
  ASSERT_TRUE(set_bits(initiator, kCaching, 2, 0x04, false).is_good());
  bench.device().calls.clear();
  const Data list = {0, 22, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 8, 0, 0, 0, 0};
  ASSERT_TRUE(initiator.run({0x42, 0, 0, 0, 0, 0, 0, 0, 24, 0}, bytes_of(list)).is_good());
  ASSERT_EQ(bench.device().calls.size(), 2U);
  EXPECT_EQ(bench.device().calls[0].op, block::Op::unmap);
  EXPECT_EQ(bench.device().calls[1].op, block::Op::flush);
}

TEST(ModeSelectCaching, WceIsFixedWhereThereIsNoVolatileCache) {
  Bench bench;
  Initiator& initiator = bench.initiator();
  initiator.clear_attention();
  EXPECT_EQ(sense_page(initiator, kCaching, 1)[2], 0);
  EXPECT_TRUE(is_parameter_fault(set_bits(initiator, kCaching, 2, 0x04), 4 + 2, 2));
}

TEST_F(ModeSelect, AFlushThatFailsIsTold) {
  bench.device().answers[block::Op::flush] = block::Status::write_error;
  EXPECT_TRUE(set_bits(initiator, kCaching, 2, 0x04, false)
                  .is(SenseKey::medium_error, AdditionalSense::write_error));
}

// ---- Informational exceptions

TEST_F(ModeSelect, TestRaisesAUnitAttentionWhenMrieSaysSo) {
  Data page = sense_page(initiator, kExceptions);
  page[2] = 0x04;
  page[3] = 2;
  ASSERT_TRUE(select(initiator, page).is_good());
  EXPECT_TRUE(initiator.run({0, 0, 0, 0, 0, 0})
                  .is_attention(AdditionalSense::failure_prediction_threshold_exceeded_false));
  EXPECT_TRUE(initiator.run({0, 0, 0, 0, 0, 0}).is_good());
}

TEST_F(ModeSelect, TestIsToldOnRequest) {
  EXPECT_EQ(initiator.run({3, 0, 0, 0, 252, 0}).data[12], 0);
  ASSERT_TRUE(set_bits(initiator, kExceptions, 2, 0x04).is_good());
  for (int i = 0; i < 2; ++i) {
    const Outcome outcome = initiator.run({3, 0, 0, 0, 252, 0});
    EXPECT_EQ(outcome.data[2], 0) << "NO SENSE";
    EXPECT_EQ(outcome.data[12], 0x5d);
    EXPECT_EQ(outcome.data[13], 0xff);
  }
  ASSERT_TRUE(set_bits(initiator, kExceptions, 2, 0x04, false).is_good());
  EXPECT_EQ(initiator.run({3, 0, 0, 0, 252, 0}).data[12], 0);
}

TEST_F(ModeSelect, RefusesTestWithDexcptAndOtherMethods) {
  EXPECT_TRUE(is_parameter_fault(set_bits(initiator, kExceptions, 2, 0x0c), 4 + 2, 2));
  Data page = sense_page(initiator, kExceptions);
  for (const std::uint8_t method : Data{1, 3, 4, 5, 7, 12}) {
    page[3] = method;
    EXPECT_TRUE(is_parameter_fault(select(initiator, page), 4 + 3, 3)) << int{method};
  }
}

// ---- Saved values

// Stored as by an earlier run of the unit.
void keep(MemoryStore& store, const state::Record& record) {
  const Uuid unit = block::testing::FakeDevice(64).uuid();
  EXPECT_TRUE(
      store.commit_blocking({{state::Object::exclusive(unit.to_string()), "mode_pages", record}}));
}

TEST_F(ModeSelect, SavesNothingWithoutAStore) {
  EXPECT_TRUE(set_bits(initiator, kControl, 2, 0x04, true, true).is_invalid_field(1));
  EXPECT_TRUE(initiator.run({0x1a, 8, 0xca, 0, 255, 0})
                  .is_illegal(AdditionalSense::saving_parameters_not_supported));
  EXPECT_EQ(sense_page(initiator, kControl)[0] & 0x80, 0) << "PS";
}

TEST(SavedModePages, OutliveTheUnit) {
  MemoryStore store;
  LogicalUnitOptions options;
  options.store = &store;
  {
    Bench bench(64, options);
    bench.initiator().clear_attention();
    ASSERT_TRUE(set_bits(bench.initiator(), kControl, 2, 0x04, true, true).is_good());
    ASSERT_TRUE(set_bits(bench.initiator(), kControl, 5, 0x40).is_good());
    EXPECT_EQ(sense_page(bench.initiator(), kControl)[0], 0x8a) << "PS";
    const Data saved = sense_page(bench.initiator(), kControl, 3);
    EXPECT_EQ(saved[2] & 0x04, 0x04);
    EXPECT_EQ(saved[5] & 0x40, 0);
  }
  Bench bench(64, options);
  bench.initiator().clear_attention();
  const Data current = sense_page(bench.initiator(), kControl);
  EXPECT_EQ(current[2] & 0x04, 0x04);
  EXPECT_EQ(current[5] & 0x40, 0) << "it was not saved";
}

TEST(SavedModePages, AStoreThatFailsFailsTheCommandAndChangesNothing) {
  MemoryStore store;
  LogicalUnitOptions options;
  options.store = &store;
  Bench bench(64, options);
  bench.initiator().clear_attention();
  store.fails = true;
  EXPECT_TRUE(set_bits(bench.initiator(), kControl, 2, 0x04, true, true)
                  .is(SenseKey::hardware_error, AdditionalSense::internal_target_failure));
  EXPECT_EQ(sense_page(bench.initiator(), kControl)[2] & 0x04, 0);
}

TEST(SavedModePages, OnlyWhatCanChangeIsTakenFromTheStore) {
  MemoryStore store;
  LogicalUnitOptions options;
  options.store = &store;
  // An unknown page, then a caching page with WCE for a device without a cache.
  state::Record record;
  record.add("page").set_number("code", 2).set_number("subpage", 0).set_hex("values", "\x55");
  record.add("page")
      .set_number("code", 8)
      .set_number("subpage", 0)
      .set_hex("values", "\x04" + std::string(17, '\0'));
  keep(store, record);
  Bench bench(64, options);
  bench.initiator().clear_attention();
  EXPECT_EQ(sense_page(bench.initiator(), kCaching)[2], 0);
}

TEST(SavedModePages, DamageIsAnError) {
  MemoryStore store;
  block::testing::FakeDevice device(64);
  engine::sim::World world(1, 1);
  const std::vector<engine::Shard*> shards = world.shards();
  LogicalUnitOptions options;
  options.store = &store;
  state::Record record;
  record.add("page").set_number("code", 10).set_number("subpage", 0).set("values", "0");
  keep(store, record);
  block::Disk disk(device, shards);
  LogicalUnit unit(disk, options);
  const Result<void> restored = unit.restore(unit_features());
  ASSERT_FALSE(restored);
  EXPECT_EQ(restored.error().code, ErrorCode::malformed);
}

}  // namespace
}  // namespace lunar::scsi

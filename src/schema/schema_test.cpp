// A declaration of the test, used to read tables and specs and to generate help and reference.
#include <gtest/gtest.h>

#include "lunar/types.h"
#include "schema/fields.h"
#include "schema/nearest.h"
#include "schema/reference.h"
#include "schema/spec.h"

namespace lunar::schema {
namespace {

enum class Colour : std::uint8_t { red, green };

struct Wheel {
  std::uint64_t spokes = 0;
  std::string note;
};

struct Car {
  ByteCount trunk{};
  std::optional<std::uint32_t> doors;
  std::uint16_t seats = 4;
  bool open = false;
  std::uint64_t ready_ns = 2'000;
  Colour colour = Colour::green;
  std::optional<Uuid> uuid;
  std::string plate = "none yet";
  std::string key;
  std::vector<std::string> owners;
  std::vector<Wheel> wheels;
};

const Record<Wheel>& wheel_record() {
  static const Record<Wheel> record({number("spokes", &Wheel::spokes, 1, 40, "how many").required(),
                                     text("note", &Wheel::note, "for people")},
                                    [](const Wheel& wheel, const Table&) -> Checked {
                                      if (wheel.spokes % 2 == 0) return {};
                                      return fault("spokes", "must be even");
                                    });
  return record;
}

const Record<Car>& car_record() {
  static const Record<Car> record(
      {size("trunk", &Car::trunk, 8 * kGiB, "room").required().leading().example("1GiB"),
       number_of("doors", &Car::doors, {3, 5}, "how many").by_default("by the colour"),
       number("seat_count", &Car::seats, 1, 9, "how many").in_spec("seats").unit("people"),
       boolean("open", &Car::open, "has no roof"),
       duration("ready", &Car::ready_ns, 1'000, 60'000'000'000, "until it starts"),
       choice("colour", &Car::colour,
              std::vector<Named<Colour>>{{"red", Colour::red}, {"green", Colour::green}},
              "what it looks like"),
       uuid("uuid", &Car::uuid, "who it is"), text("plate", &Car::plate, "what it says"),
       path("key", &Car::key, "where it lies"), texts("owner", &Car::owners, "whose it is"),
       tables("wheel", &Car::wheels, wheel_record(), "what it stands on")});
  return record;
}

Value at(std::size_t line, auto content) { return Value{std::move(content), line}; }
Value text_value(std::string text) { return Value{std::move(text)}; }

// A table with the trunk that each needs, and one more member.
Table with(std::string key, Value value) {
  return Table{{{"trunk", text_value("1GiB")}, {std::move(key), std::move(value)}}, 1};
}

std::string fault_of(const Table& table) {
  const auto car = car_record().read(table);
  if (car) return "none";
  return std::to_string(car.error().line) + ": " + car.error().key + ": " + car.error().why;
}

TEST(Record, FillsAStructFromATypedTable) {
  Table wheel{{{"spokes", Value{std::int64_t{6}}}}, 9};
  Table table{{{"trunk", Value{std::int64_t{1} << 30}},
               {"doors", Value{std::int64_t{5}}},
               {"seat_count", Value{std::int64_t{2}}},
               {"open", Value{true}},
               {"ready", text_value("5 ms")},
               {"colour", text_value("red")},
               {"uuid", text_value("00112233-4455-6677-8899-aabbccddeeff")},
               {"plate", text_value("B 1")},
               {"key", text_value("/drawer")},
               {"owner", Value{std::vector<Value>{text_value("a"), text_value("b")}}},
               {"wheel", Value{std::vector<Value>{Value{wheel}, Value{wheel}}}}}};
  const auto car = car_record().read(table);
  ASSERT_TRUE(car) << car.error().key << car.error().why;
  EXPECT_EQ(car->trunk, ByteCount(kGiB));
  EXPECT_EQ(car->doors, 5U);
  EXPECT_EQ(car->seats, 2);
  EXPECT_TRUE(car->open);
  EXPECT_EQ(car->ready_ns, 5'000'000U);
  EXPECT_EQ(car->colour, Colour::red);
  EXPECT_EQ(car->uuid->to_string(), "00112233-4455-6677-8899-aabbccddeeff");
  EXPECT_EQ(car->plate, "B 1");
  EXPECT_EQ(car->key, "/drawer");
  EXPECT_EQ(car->owners, (std::vector<std::string>{"a", "b"}));
  ASSERT_EQ(car->wheels.size(), 2U);
  EXPECT_EQ(car->wheels[1].spokes, 6U);
}

TEST(Record, LeavesTheDefaultsOfTheStruct) {
  const auto car = car_record().read(Table{{{"trunk", text_value("512")}}});
  ASSERT_TRUE(car);
  EXPECT_EQ(car->doors, std::nullopt);
  EXPECT_EQ(car->seats, 4);
  EXPECT_EQ(car->ready_ns, 2'000U);
  EXPECT_EQ(car->colour, Colour::green);
  EXPECT_EQ(car->plate, "none yet");
}

TEST(Record, NamesTheParameterWhatWasGivenAndWhatIsAllowed) {
  EXPECT_EQ(fault_of(with("doors", at(3, std::int64_t{4}))), "3: doors: must be 3 or 5, not 4");
  EXPECT_EQ(fault_of(with("seat_count", at(3, std::int64_t{10}))),
            "3: seat_count: must be a whole number from 1 to 9, not 10");
  EXPECT_EQ(fault_of(with("seat_count", at(3, std::int64_t{-1}))),
            "3: seat_count: must be a whole number from 1 to 9, not -1");
  EXPECT_EQ(fault_of(with("seat_count", at(3, std::string("2")))),
            "3: seat_count: must be a whole number from 1 to 9, not '2'");
  EXPECT_EQ(fault_of(with("seat_count", at(3, Foreign{"a date or time"}))),
            "3: seat_count: must be a whole number from 1 to 9, not a date or time");
  EXPECT_EQ(fault_of(with("open", at(3, std::string("yes")))),
            "3: open: must be true or false, not 'yes'");
  EXPECT_EQ(fault_of(with("ready", at(3, true))),
            "3: ready: must be a number of us or a duration such as \"5ms\", not true");
  EXPECT_EQ(fault_of(with("ready", at(3, std::string("61s")))),
            "3: ready: must be from 0 to 60000000 us (1min), not '61s'");
  EXPECT_EQ(fault_of(with("ready", at(3, std::int64_t{INT64_MAX}))),
            "3: ready: must be from 0 to 60000000 us (1min), not 9223372036854775807");
  EXPECT_EQ(fault_of(with("colour", at(3, std::string("rde")))),
            "3: colour: must be one of red, green, not 'rde'; did you mean 'red'?");
  EXPECT_EQ(fault_of(with("plate", at(3, std::string()))), "3: plate: must not be empty");
  EXPECT_EQ(fault_of(with("owner", at(3, std::vector<Value>()))), "3: owner: must not be empty");
  EXPECT_EQ(fault_of(Table{{{"trunk", at(2, std::string("9GiB"))}}}),
            "2: trunk: must be at most 8 GiB, not 9 GiB");
  EXPECT_EQ(fault_of(Table{{{"trunk", at(2, std::string("8 GiB"))}}}), "none") << "at the bound";
  EXPECT_EQ(fault_of(Table{{{"trunk", at(2, std::vector<Value>())}}}),
            "2: trunk: must be a size such as \"10GiB\", not an array");
}

TEST(Record, NamesAnUnknownKeyBeforeAMissingOneWhichItMayBe) {
  EXPECT_EQ(fault_of(Table{{}, 7}), "7: trunk: is missing");
  const std::string unknown = fault_of(Table{{{"trnk", at(8, true)}, {"z", at(9, true)}}, 7});
  EXPECT_EQ(
      unknown,
      "8: trnk: unknown key (known here: trunk, doors, seat_count, open, ready, colour, uuid, "
      "plate, key, owner, wheel); did you mean 'trunk'?");
  const Reading some{.also_known = {"name"}, .others_allowed = false};
  EXPECT_TRUE(car_record().read(with("name", at(3, true)), some));
  const Reading any{.also_known = {}, .others_allowed = true};
  EXPECT_TRUE(car_record().read(with("anything", at(3, true)), any));
}

TEST(Record, NamesTheFaultInARow) {
  const auto rows = [](Table row) { return at(4, std::vector<Value>{Value{std::move(row)}}); };
  EXPECT_EQ(fault_of(with("wheel", rows({{{"spokes", at(5, std::int64_t{3})}}, 4}))),
            "5: wheel.spokes: must be even");
  EXPECT_EQ(fault_of(with("wheel", rows({{}, 6}))), "6: wheel.spokes: is missing");
  EXPECT_EQ(fault_of(with("wheel", rows({{{"spoke", at(5, true)}}, 4}))),
            "5: wheel.spoke: unknown key (known here: spokes, note); did you mean 'spokes'?");
  EXPECT_EQ(fault_of(with("wheel", at(4, std::int64_t{1}))),
            "4: wheel: must be an array of tables (wheel = [{…}]), not 1");
}

Result<Car> from_spec(std::string_view spec) {
  LUNAR_TRY_ASSIGN(const Table table, parse_spec(car_record().parameters(), "car", spec));
  auto car = car_record().read(table);
  if (!car) return fail(ErrorCode::invalid_argument, car.error().key + ": " + car.error().why);
  return std::move(*car);
}

TEST(Spec, HoldsTheSameInOneWord) {
  const auto car = from_spec("1GiB,seats=2,open,ready=300,colour=red,owner=a,owner=b,doors=3");
  ASSERT_TRUE(car) << car.error().message;
  EXPECT_EQ(car->trunk, ByteCount(kGiB));
  EXPECT_EQ(car->seats, 2);
  EXPECT_TRUE(car->open);
  EXPECT_EQ(car->ready_ns, 300'000U);
  EXPECT_EQ(car->colour, Colour::red);
  EXPECT_EQ(car->owners, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(car->doors, 3U);
  EXPECT_FALSE(from_spec("1GiB,open=false")->open);
}

TEST(Spec, SaysWhatIsWrong) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", "has no trunk: car:1GiB"},
      {",open", "has no trunk: car:1GiB"},
      {"big",
       "trunk: 'big' is not a size: it starts with no number (for example 512MiB, 10GiB, "
       "1TiB)"},
      {"1GiB,seat_count=2",
       "car has no option 'seat_count' (it has doors, seats, open, ready, colour, uuid, plate, "
       "key, "
       "owner)"},
      {"1GiB,trunk=1GiB",
       "car has no option 'trunk' (it has doors, seats, open, ready, colour, uuid, plate, key, "
       "owner)"},
      {"1GiB,wheel=1",
       "car has no option 'wheel' (it has doors, seats, open, ready, colour, uuid, plate, key, "
       "owner)"},
      {"1GiB,color=red",
       "car has no option 'color' (it has doors, seats, open, ready, colour, uuid, plate, key, "
       "owner); did you mean 'colour'?"},
      {"1GiB,doors", "doors needs a value: doors=…"},
      {"1GiB,seats=1,seats=1", "seats is given twice"},
      {"1GiB,open,open", "open is given twice"},
      {"1GiB,seats=2x", "seat_count: must be a whole number from 1 to 9, not '2x'"},
      {"1GiB,plate=", "plate: must not be empty"},
  };
  for (const auto& [spec, why] : cases) {
    const auto car = from_spec(spec);
    ASSERT_FALSE(car) << spec;
    EXPECT_EQ(car.error().code, ErrorCode::invalid_argument) << spec;
    EXPECT_EQ(car.error().message, why) << spec;
  }
}

TEST(Spec, HasAForm) {
  EXPECT_EQ(spec_form(car_record().parameters(), "car", false), "car:SIZE");
  EXPECT_EQ(spec_form(car_record().parameters(), "car"),
            "car:SIZE[,doors=3|5][,seats=NUMBER][,open][,ready=DURATION][,colour=red|green]"
            "[,uuid=UUID][,plate=TEXT][,key=PATH][,owner=TEXT]…");
  EXPECT_EQ(spec_form(wheel_record().parameters(), "wheel"), "wheel:[spokes=NUMBER][,note=TEXT]");
}

TEST(Reference, TellsEveryParameter) {
  const std::string help = help_lines(car_record().parameters());
  EXPECT_TRUE(
      help.starts_with("  SIZE              room\n"
                       "  doors=3|5         how many (default: by the colour)\n"
                       "  seats=NUMBER      how many (default: 4)\n"
                       "  open              has no roof (default: false)\n"
                       "  ready=DURATION    until it starts (default: 2us)\n"))
      << help;
  const std::string page = markdown(car_record().parameters(), "car");
  for (const std::string_view row :
       {"| key | in `--disk` | type | default | meaning |\n",
        "| `trunk` | `SIZE` | size: up to 8 GiB | required | room |\n",
        "| `doors` | `doors=3\\|5` | number: 3 or 5 | by the colour | how many |\n",
        "| `seat_count` | `seats=NUMBER` | number of people: 1 to 9 | 4 | how many |\n",
        "| `colour` | `colour=red\\|green` | name: red, green | green | what it looks like |\n",
        "| `ready` | `ready=DURATION` | duration, or a number of us: up to 1min | 2us | until it "
        "starts |\n",
        "| `wheel` | – | tables | none | what it stands on |\n",
        "\n`[[car.wheel]]`, what it stands on:\n\n| key | type | default | meaning |\n",
        "| `spokes` | number: 1 to 40 | required | how many |\n"})
    EXPECT_TRUE(page.contains(row)) << row << "in\n" << page;
}

TEST(Nearest, IsWhatSomebodyMayHaveMeant) {
  constexpr std::string_view kKnown[] = {"size", "block_size", "uuid", "readonly", "op"};
  EXPECT_EQ(nearest("sise", kKnown), "size");
  EXPECT_EQ(nearest("isze", kKnown), "size") << "two letters exchanged";
  EXPECT_EQ(nearest("blocksize", kKnown), "block_size");
  EXPECT_EQ(nearest("read_only", kKnown), "readonly");
  EXPECT_EQ(nearest("frobnicate", kKnown), "");
  EXPECT_EQ(nearest("", kKnown), "");
  EXPECT_EQ(nearest("xy", kKnown), "") << "nothing of it is right";
  EXPECT_EQ(nearest(std::string(65, 's'), kKnown), "") << "longer than what is compared";
  EXPECT_EQ(nearest("x", {}), "");
}

TEST(Duration, IsANumberAndAUnit) {
  EXPECT_EQ(parse_duration("200us"), 200'000U);
  EXPECT_EQ(parse_duration("1.5 ms"), 1'500'000U);
  EXPECT_EQ(parse_duration("0s"), 0U);
  EXPECT_EQ(parse_duration("2min"), 120'000'000'000U);
  for (const std::string_view text : {"", "5", "us", "5 h", "1.2.3s", "-1s", "5us ", "5  us",
                                      "99999999999999999999s", "9999999999.5min"}) {
    const auto duration = parse_duration(text);
    ASSERT_FALSE(duration) << text;
    EXPECT_EQ(duration.error().code, ErrorCode::invalid_argument);
    EXPECT_TRUE(duration.error().message.starts_with("'" + std::string(text) + "' is not a dur"));
  }
  EXPECT_EQ(format_duration(0), "0");
  EXPECT_EQ(format_duration(1'500'000), "1500us");
  EXPECT_EQ(format_duration(60'000'000'000), "1min");
}

}  // namespace
}  // namespace lunar::schema

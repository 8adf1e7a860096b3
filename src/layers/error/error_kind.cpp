#include "layers/error/error_kind.h"

#include <algorithm>
#include <array>
#include <string>

namespace lunar::layers {
namespace {

using block::Op;
using block::Status;

std::vector<schema::Named<std::uint8_t>> ops() {
  std::vector<schema::Named<std::uint8_t>> names = {{"any", kEveryOp}};
  for (const Op op : {Op::read, Op::write, Op::flush, Op::unmap, Op::write_zeroes, Op::write_same})
    names.emplace_back(block::to_string(op), op_bit(op));
  return names;
}

// What a medium can say; the rest of block::Status belongs to the waist.
constexpr std::array kStatuses = {
    Status::aborted,        Status::busy,        Status::gone,
    Status::hardware_error, Status::no_space,    Status::not_ready,
    Status::read_error,     Status::write_error, Status::write_protected};

// "hardware_error": a key's value has no blanks.
const std::string& key_of(Status status) {
  static const std::array<std::string, kStatuses.size()> keys = [] {
    std::array<std::string, kStatuses.size()> made;
    for (std::size_t i = 0; i < kStatuses.size(); ++i) {
      made[i] = block::to_string(kStatuses[i]);
      std::ranges::replace(made[i], ' ', '_');
    }
    return made;
  }();
  return keys[static_cast<std::size_t>(std::ranges::find(kStatuses, status) - kStatuses.begin())];
}

std::vector<schema::Named<Status>> statuses() {
  std::vector<schema::Named<Status>> names;
  for (const Status status : kStatuses) names.emplace_back(key_of(status), status);
  return names;
}

schema::Checked check_rule(const ErrorRule& rule, const schema::Table& given) {
  if (rule.action == ErrorAction::corrupt && rule.ops != op_bit(Op::read))
    return schema::fault("action", "corrupt goes with op = \"read\"");
  if (rule.action != ErrorAction::fail && given.find("status") != nullptr)
    return schema::fault("status", "goes with action = \"fail\"");
  if (rule.action != ErrorAction::corrupt && given.find("offset") != nullptr)
    return schema::fault("offset", "goes with action = \"corrupt\"");
  return {};
}

schema::Record<ErrorRule> rule() {
  const std::vector<schema::Named<ErrorAction>> actions = {
      {"fail", ErrorAction::fail}, {"corrupt", ErrorAction::corrupt}, {"hang", ErrorAction::hang}};
  return {{schema::choice("op", &ErrorRule::ops, ops(), "which requests"),
           schema::choice("action", &ErrorRule::action, actions,
                          "fail; invert a byte of a read; hang until the initiator aborts")
               .required(),
           schema::number("lba", &ErrorRule::first, 0, INT64_MAX, "the first block"),
           schema::number("count", &ErrorRule::count, 1, INT64_MAX, "how many blocks")
               .by_default("all"),
           schema::number("times", &ErrorRule::times, 0, UINT32_MAX,
                          "how often on each shard; 0: always"),
           schema::choice("status", &ErrorRule::status, statuses(), "of fail: how it ends"),
           schema::number("offset", &ErrorRule::offset_bytes, 0, INT64_MAX,
                          "of corrupt: which byte of the device")},
          check_rule};
}

Result<std::unique_ptr<block::Device>> make(const ErrorParameters& given, kinds::Making& making) {
  ErrorLayer layer = create_error(making.name, std::move(making.base));
  for (const ErrorRule& each : given.inject) LUNAR_TRY(layer.control->add(each));
  return std::move(layer.device);
}

}  // namespace

const kinds::DeviceKind& error_kind() {
  static const kinds::DeviceKind kind(kinds::Declaration<ErrorParameters>{
      .name = "error",
      .meaning = "A layer that makes things go wrong on purpose.",
      .is_layer = true,
      .parameters = {schema::tables("inject", &ErrorParameters::inject, rule(),
                                    "rules, of which the first that fits a request decides")},
      .make = make});
  return kind;
}

}  // namespace lunar::layers

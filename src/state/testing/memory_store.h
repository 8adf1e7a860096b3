// A Store in memory that fails, delays and loses data on demand.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "engine/shard.h"
#include "state/store.h"

namespace lunar::state::testing {

class MemoryStore final : public Store {
 public:
  using Place = std::pair<std::string, std::string>;  // object, key

  engine::Task<Result<void>> commit(Transaction transaction, std::uint64_t patience_ns) override {
    if (delay_ns != 0) {
      const std::size_t life = power_losses_;
      const bool late = delay_ns > patience_ns;
      co_await engine::sleep_for(*engine::Shard::current(), late ? patience_ns : delay_ns);
      if (late) co_return fail(ErrorCode::cancelled, "the store takes too long");
      if (life != power_losses_) co_return fail(ErrorCode::io, "the power was lost");
    }
    co_return commit_blocking(std::move(transaction));
  }

  Result<void> commit_blocking(Transaction transaction) override {
    for (const Change& change : transaction) {
      if (fails || (!change.record && !forgets)) return fail(ErrorCode::io, "the store fails");
    }
    ++commits;
    for (const Change& change : transaction) {
      const Place place{change.object.name(), change.key};
      if (change.record) {
        texts[place] = to_text(*change.record);
      } else {
        texts.erase(place);
      }
    }
    return {};
  }

  Result<std::optional<Record>> load(const Object& object, std::string_view key) override {
    if (fails) return fail(ErrorCode::io, "the store fails");
    const auto found = texts.find({object.name(), std::string(key)});
    if (found == texts.end()) return std::nullopt;
    auto record = parse_record(found->second);
    if (!record) return wrap(record.error(), place_of(object, key));
    return std::move(*record);
  }

  [[nodiscard]] std::string place_of(const Object& object, std::string_view key) const override {
    return "memory/" + object.name() + "/" + std::string(key);
  }

  // Running commits fail and change nothing.
  void lose_power() { ++power_losses_; }

  // For tests with a single object.
  [[nodiscard]] std::optional<Record> find(std::string_view key) const {
    for (const auto& [place, text] : texts) {
      if (place.second != key) continue;
      if (auto record = parse_record(text)) return std::move(*record);
    }
    return std::nullopt;
  }

  std::map<Place, std::string> texts;
  std::size_t commits = 0;
  std::uint64_t delay_ns = 0;  // of each commit() on a shard
  bool fails = false;
  bool forgets = true;  // false: removing records fails

 private:
  std::size_t power_losses_ = 0;
};

}  // namespace lunar::state::testing

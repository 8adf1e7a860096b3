// A DurableStore in memory, that can be made to fail.
#pragma once

#include <map>
#include <string>

#include "scsi/state/durable_store.h"

namespace lunar::scsi::testing {

struct MemoryStore final : DurableStore {
  engine::Task<Result<void>> save(Uuid unit, std::string name, std::string value) override {
    (void)unit;
    if (fails || (value.empty() && !forgets)) co_return fail(ErrorCode::io, "the store fails");
    ++saves;
    if (value.empty()) {
      values.erase(name);
    } else {
      values[name] = std::move(value);
    }
    co_return Result<void>();
  }
  Result<std::string> load(const Uuid& unit, std::string_view name) override {
    (void)unit;
    if (fails) return fail(ErrorCode::io, "the store fails");
    const auto found = values.find(std::string(name));
    return found == values.end() ? std::string() : found->second;
  }

  std::map<std::string, std::string> values;
  std::size_t saves = 0;
  bool fails = false;
  bool forgets = true;  // it takes values, and removes them
};

}  // namespace lunar::scsi::testing

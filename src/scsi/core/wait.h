// What work on a logical unit waits for beside a command's own block request, and how that ends
// before its time: requests that the device server makes for itself (own_request.h), and what
// others hold or do (unless_unwanted.h).
//
// Each such Wait says on whose behalf it is, and stands in a list of its part of the logical unit
// (LogicalUnitShard). When a command is aborted or withdrawn, a self-test ends, or the part stops,
// the part ends those that nobody wants any more.
#pragma once

#include <cstdint>

#include "engine/clock.h"
#include "lunar/list.h"
#include "scsi/core/command.h"

namespace lunar::scsi {

class LogicalUnitShard;
struct SelfTest;

struct Behalf {
  LogicalUnitShard* part = nullptr;     // null: the logical unit is being opened
  const Command* command = nullptr;     // null: the unit's own work
  const SelfTest* self_test = nullptr;  // that it is a step of

  [[nodiscard]] bool is_wanted() const;
};

[[nodiscard]] inline Behalf on_behalf_of(const Command& command) {
  return {command.unit, &command, nullptr};
}

struct WaitHook : ListHook {};

// One shard.
class Wait : public WaitHook {
 public:
  // Nobody wants it any more. Called once; whoever waits is resumed from the shard's loop.
  virtual void give_up() = 0;
  [[nodiscard]] const Behalf& behalf() const { return behalf_; }

 protected:
  explicit Wait(const Behalf& behalf) : behalf_(behalf) {}
  ~Wait() = default;
  // From here until `end()` the part may call give_up().
  void begin();
  void end() { WaitHook::unlink(); }

 private:
  const Behalf behalf_;
};

// What ends a command does not wait longer than this for a medium that does not hear an abort,
// where what it has been asked cannot change it.
constexpr std::uint64_t kAbortPatienceNs = engine::kSecond;

}  // namespace lunar::scsi

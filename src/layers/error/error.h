// A layer that makes things go wrong on purpose, to see how those above bear it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "block/claim.h"

namespace lunar::layers {

enum class ErrorAction : std::uint8_t {
  fail,     // complete with `status`, without touching the device
  corrupt,  // reads only: the byte at `offset_bytes` of the device comes back inverted
  hang,     // keep the request until it is aborted
};

// A bit of ErrorRule::ops.
[[nodiscard]] constexpr std::uint8_t op_bit(block::Op op) {
  return static_cast<std::uint8_t>(1U << static_cast<unsigned>(op));
}

constexpr std::uint8_t kEveryOp = (1U << block::kOpCount) - 1;

// Applies to requests of the chosen ops that touch the blocks. As the waist hands them down: an
// emulated compare is a read here.
struct ErrorRule {
  std::uint8_t ops = kEveryOp;  // op_bit()s
  Lba first{};
  BlockCount count =
      BlockCount(UINT64_MAX);  // up to the end. Flush has no range: it always matches
  ErrorAction action = ErrorAction::fail;
  block::Status status = block::Status::hardware_error;
  std::uint64_t offset_bytes = 0;
  std::uint32_t times = 0;  // on each shard; 0: always
};

class ErrorControl {
 public:
  virtual ~ErrorControl() = default;
  // From any thread: each shard gets the rule by message, in one of its next loops, and later
  // channels from their start. The first rule that matches a request decides. invalid_argument.
  virtual Result<void> add(const ErrorRule& rule) = 0;
  // Removes all rules, likewise. What hangs goes on hanging.
  virtual void clear() = 0;
};

struct ErrorLayer {
  std::unique_ptr<block::Device> device;
  ErrorControl* control;  // as long as the device lives
};
ErrorLayer create_error(std::string name, block::Claim base);

}  // namespace lunar::layers

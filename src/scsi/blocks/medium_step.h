// Block requests of a command that runs as a sequence (run_sequence), one after the other:
//
//   command.op = …;
//   if (co_await medium_step(command) != block::Status::ok) co_return;
#pragma once

#include <coroutine>

#include "block/front.h"
#include "block/range.h"
#include "scsi/core/completion.h"
#include "scsi/core/logical_unit.h"

namespace lunar::scsi {

// Submits the command's own request as it is set up, and gives its status. If the command has been
// aborted, submits nothing and gives block::Status::aborted.
class MediumStep {
 public:
  using Submit = void (block::Front::*)(block::Request&);

  MediumStep(Command& command, Submit submit) : command_(command), submit_(submit) {}
  [[nodiscard]] bool await_ready() const noexcept {
    if (!is_unwanted(command_)) return false;
    command_.status = block::Status::aborted;
    return true;
  }
  void await_suspend(std::coroutine_handle<> waiter) noexcept {
    command_.sequence = waiter;
    command_.done = [](block::Request& request) noexcept { command_of(request).sequence.resume(); };
    (command_.unit->front().*submit_)(command_);
  }
  [[nodiscard]] block::Status await_resume() const noexcept { return command_.status; }

 private:
  Command& command_;
  Submit submit_;
};

[[nodiscard]] inline MediumStep medium_step(Command& command) {
  return {command, &block::Front::submit};
}
// For use inside the command's own exclusive range.
[[nodiscard]] inline MediumStep medium_step_as_holder(Command& command) {
  return {command, &block::Front::submit_as_holder};
}

inline void set_blocks(Command& command, const block::Range& range) {
  command.lba = range.lba;
  command.count = range.count;
}

}  // namespace lunar::scsi

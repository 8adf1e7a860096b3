// READ and WRITE (SBC-4 §5). Nearly all commands are these, so there is no coroutine and no
// allocation here.
#include "block/front.h"
#include "scsi/blocks/block_commands.h"
#include "scsi/blocks/block_range.h"
#include "scsi/core/completion.h"
#include "scsi/core/logical_unit.h"

namespace lunar::scsi {
namespace {

// ---- READ

void read_done(block::Request& request) noexcept {
  Command& command = command_of(request);
  if (command.status == block::Status::ok)
    command.data_in = Bytes(command.buffer.bytes()).first(bytes_of(command));
  set_outcome(command);
  end_now(command);
}

void submit_copying_read(Command& command) noexcept {
  command.flags = 0;
  with_buffer(command, bytes_of(command), [](Command& self) noexcept {
    self.set_buffer(self.buffer.data(), bytes_of(self));
    submit(self, read_done);
  });
}

void lent_done(block::Request& request) noexcept {
  Command& command = command_of(request);
  set_outcome(command);
  if (command.status == block::Status::ok) [[likely]] {
    // Data-in must be one piece. Copying several pieces only now could mix two writes.
    if (command.iov_count > 1 && !command.aborted) return submit_copying_read(command);
    const iovec& piece = command.buffers().front();
    command.loan = command.unit->hold();
    command.data_in = {static_cast<const std::byte*>(piece.iov_base), piece.iov_len};
  }
  end_now(command);
}

void submit_read(Command& command) noexcept {
  command.op = block::Op::read;
  if (command.unit->front().capabilities().lend && !command.stable_data_in) {
    command.flags = block::kLend;
    submit(command, lent_done);
    return;
  }
  submit_copying_read(command);
}

}  // namespace

bool decode_read(Command& command) { return decode_transfer(command); }

void execute_read(Command& command) {
  if (command.count.value == 0) {
    end_soon(command);
    return;
  }
  // SBC-4 §5.15, FUA: data must come from the medium, so a volatile cache is flushed first.
  if ((command.flags & block::kFua) != 0 && command.unit->unit().volatile_cache()) {
    command.op = block::Op::flush;
    command.flags = 0;
    submit(command, [](block::Request& request) noexcept {
      Command& self = command_of(request);
      if (self.status == block::Status::ok && !self.aborted) return submit_read(self);
      medium_done(request);
    });
    return;
  }
  submit_read(command);
}

bool decode_write(Command& command) {
  if (!decode_transfer(command)) return false;
  command.data_out_bytes = static_cast<std::uint32_t>(bytes_of(command));
  return true;
}

void execute_write(Command& command) {
  if (command.data_out.size() != bytes_of(command)) [[unlikely]]
    (void)take_blocks_given(command, command.unit->unit().block_size());
  if (command.count.value == 0) {
    end_soon(command);
    return;
  }
  command.op = block::Op::write;
  command.set_buffer(command.data_out.data(), bytes_of(command));
  submit(command, medium_done);
}

}  // namespace lunar::scsi

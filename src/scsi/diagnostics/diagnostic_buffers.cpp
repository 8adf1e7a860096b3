// READ BUFFER and WRITE BUFFER (SPC-5 §6.24, §6.25, §6.49).
#include <algorithm>

#include "scsi/core/nexus.h"
#include "scsi/core/parameter_data.h"
#include "scsi/diagnostics/diagnostic_commands.h"
#include "scsi/spec/buffer.h"

namespace lunar::scsi {
namespace {

using spec::AdditionalSense;
using spec::BufferCdb10;
using spec::BufferCdb16;
using spec::BufferMode;
using spec::Sense;

constexpr std::uint16_t kModeByte = 1;
constexpr std::uint8_t kModeBit = 4;
constexpr std::uint8_t kDataBufferId = 0;  // the only one

// Both CDB lengths as plain values, with the offsets of their fields.
struct BufferRequest {
  BufferMode mode{};
  std::uint8_t buffer_id = 0;
  std::uint64_t offset_bytes = 0;
  std::uint32_t length_bytes = 0;
  std::uint16_t id_byte = 0;
  std::uint16_t offset_byte = 0;
};

template <class Cdb>
BufferRequest request_of(const Command& command) {
  const auto cdb = cdb_of(command).as<Cdb>();
  return {static_cast<BufferMode>(cdb.mode & spec::kBufferModeMask),
          cdb.buffer_id,
          cdb.buffer_offset_bytes,
          cdb.length_bytes,
          offsetof(Cdb, buffer_id),
          offsetof(Cdb, buffer_offset_bytes)};
}
BufferRequest request_of(const Command& command) {
  const bool long_form = static_cast<spec::Opcode>(command.cdb[0]) == spec::Opcode::read_buffer_16;
  return long_form ? request_of<BufferCdb16>(command) : request_of<BufferCdb10>(command);
}

bool refuse_mode(Command& command) {
  return refuse(command, Sense::invalid_field_in_cdb(kModeByte, kModeBit));
}

// Data modes require an existing buffer.
bool check_data_buffer(Command& command, const BufferRequest& request) {
  if (request.buffer_id != kDataBufferId)
    return refuse(command, Sense::invalid_field_in_cdb(request.id_byte));
  if (request.offset_bytes > kDataBufferBytes)
    return refuse(command, Sense::invalid_field_in_cdb(request.offset_byte));
  return true;
}

// ---- READ BUFFER

bool check_read(Command& command, const BufferRequest& request) {
  switch (request.mode) {
    case BufferMode::data: return check_data_buffer(command, request);
    case BufferMode::echo: {
      const DiagnosticBuffers* buffers = command.itl->buffers.get();
      const bool written = buffers != nullptr && buffers->echo_bytes;
      return written ||
             refuse(command, Sense::illegal_request(AdditionalSense::command_sequence_error));
    }
    case BufferMode::echo_descriptor:
      if (request.buffer_id != 0)
        return refuse(command, Sense::invalid_field_in_cdb(request.id_byte));
      [[fallthrough]];
    case BufferMode::descriptor:
      // Reserved in this mode.
      return request.offset_bytes == 0 ||
             refuse(command, Sense::invalid_field_in_cdb(request.offset_byte));
  }
  return refuse_mode(command);
}

void produce(Command& command, ByteWriter& out) {
  const BufferRequest request = request_of(command);
  const DiagnosticBuffers* buffers = command.itl->buffers.get();
  switch (request.mode) {
    case BufferMode::data: {
      static constexpr DiagnosticBuffers kUnwritten{};
      const Bytes data = buffers == nullptr ? Bytes(kUnwritten.data) : Bytes(buffers->data);
      out.write_bytes(data.subspan(static_cast<std::size_t>(request.offset_bytes)));
      break;
    }
    case BufferMode::descriptor: {
      spec::BufferDescriptor descriptor;
      // All fields are zero for a buffer that does not exist.
      if (request.buffer_id == kDataBufferId)
        descriptor.buffer_capacity_bytes = static_cast<std::uint32_t>(kDataBufferBytes);
      out.write(descriptor);
      break;
    }
    case BufferMode::echo: out.write_bytes(Bytes(buffers->echo).first(*buffers->echo_bytes)); break;
    case BufferMode::echo_descriptor: {
      spec::EchoBufferDescriptor descriptor;
      descriptor.flags = descriptor.kEbos;
      descriptor.buffer_capacity_bytes = static_cast<std::uint16_t>(kEchoBufferBytes);
      out.write(descriptor);
      break;
    }
  }
}

// ---- WRITE BUFFER

bool check_write(Command& command, const BufferRequest& request) {
  constexpr std::uint16_t kLengthByte = offsetof(BufferCdb10, length_bytes);
  switch (request.mode) {
    case BufferMode::data:
      if (!check_data_buffer(command, request)) return false;
      return request.length_bytes <= kDataBufferBytes - request.offset_bytes ||
             refuse(command, Sense::invalid_field_in_cdb(kLengthByte));
    case BufferMode::echo:
      return request.length_bytes <= kEchoBufferBytes ||
             refuse(command, Sense::invalid_field_in_cdb(kLengthByte));
    case BufferMode::descriptor:
    case BufferMode::echo_descriptor: break;
  }
  return refuse_mode(command);
}

void store(ItlNexus& itl, const BufferRequest& request, Bytes data) {
  if (itl.buffers == nullptr) itl.buffers = std::make_unique<DiagnosticBuffers>();
  DiagnosticBuffers& buffers = *itl.buffers;
  if (request.mode == BufferMode::echo) {
    std::ranges::copy(data, buffers.echo.begin());
    buffers.echo_bytes = data.size();
  } else {
    std::ranges::copy(data,
                      buffers.data.begin() + static_cast<std::ptrdiff_t>(request.offset_bytes));
  }
}

}  // namespace

bool decode_read_buffer(Command& command) {
  const BufferRequest request = request_of(command);
  command.allocation_length = request.length_bytes;
  return check_read(command, request);
}

void execute_read_buffer(Command& command) {
  constexpr std::size_t kMaxBytes = std::max(kDataBufferBytes, kEchoBufferBytes);
  respond<produce, kMaxBytes>(command);
}

bool decode_write_buffer(Command& command) {
  const BufferRequest request = request_of(command);
  if (!check_write(command, request)) return false;
  command.data_out_bytes = request.length_bytes;
  if (request.length_bytes == 0) command.direction = DataDirection::none;
  return true;
}

void execute_write_buffer(Command& command) {
  if (command.data_out.size() != command.data_out_bytes) {
    set_check_condition(command,
                        Sense::illegal_request(AdditionalSense::parameter_list_length_error));
  } else {
    store(*command.itl, request_of(command), command.data_out);
  }
  end_soon(command);
}

}  // namespace lunar::scsi

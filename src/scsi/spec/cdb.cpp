#include "scsi/spec/cdb.h"

#include <fmt/format.h>

#include <cstring>
#include <iterator>
#include <limits>

namespace lunar::scsi::spec {
namespace {

constexpr std::uint8_t kServiceActionMask = 0x1f;
constexpr std::uint8_t kGroupNumberMask = 0x3f;
// Bytes up to and including ADDITIONAL CDB LENGTH, and the end of the service action.
constexpr std::size_t kVariableHeader = 8;
constexpr std::size_t kVariableServiceActionEnd = 10;

constexpr std::uint32_t kLba6Mask = 0x1fffff;  // SBC-3, READ (6): 21 bits
constexpr std::uint64_t kBlocks6 = 256;        // meaning of TRANSFER LENGTH zero in READ (6)

template <WireStruct T>
BlockCommand decode_as(const Cdb& cdb) {
  // Reads in place: copying so few bytes and reading them at once in other widths stalls the
  // processor (16 ns of a READ's 68).
  const T& wire = *reinterpret_cast<const T*>(cdb.bytes().data());
  BlockCommand command;
  command.lba = Lba(wire.logical_block_address);
  command.blocks = BlockCount(wire.transfer_length_blocks);
  command.flags = BlockFlags{wire.flags};
  command.group_number = wire.group_number & kGroupNumberMask;
  return command;
}

BlockCommand decode_6(const Cdb& cdb) {
  const auto wire = cdb.as<BlockCdb6>();
  BlockCommand command;
  command.lba = Lba(wire.logical_block_address & kLba6Mask);
  command.blocks =
      BlockCount(wire.transfer_length_blocks == 0 ? kBlocks6 : wire.transfer_length_blocks);
  return command;
}

CdbBytes to_bytes(Bytes wire) {
  CdbBytes bytes;
  std::memcpy(bytes.storage.data(), wire.data(), wire.size());
  bytes.length = static_cast<std::uint8_t>(wire.size());
  return bytes;
}

// LbaInt and BlocksInt are the widths of the layout's fields.
template <WireStruct T, class LbaInt, class BlocksInt>
std::optional<CdbBytes> encode_as(Opcode opcode, const BlockCommand& command) {
  if (command.lba.value > std::numeric_limits<LbaInt>::max()) return std::nullopt;
  if (command.blocks.value > std::numeric_limits<BlocksInt>::max()) return std::nullopt;
  if (command.group_number > kGroupNumberMask) return std::nullopt;
  T wire;
  wire.operation_code = static_cast<std::uint8_t>(opcode);
  wire.flags = command.flags.value;
  wire.logical_block_address = static_cast<LbaInt>(command.lba.value);
  wire.transfer_length_blocks = static_cast<BlocksInt>(command.blocks.value);
  wire.group_number = command.group_number;
  return to_bytes(as_bytes(wire));
}

std::optional<CdbBytes> encode_6(Opcode opcode, const BlockCommand& command) {
  // Zero blocks, flags and group numbers cannot be expressed in six bytes.
  if (command.lba.value > kLba6Mask || command.blocks.value == 0 ||
      command.blocks.value > kBlocks6 || command.flags.value != 0 || command.group_number != 0) {
    return std::nullopt;
  }
  BlockCdb6 wire;
  wire.operation_code = static_cast<std::uint8_t>(opcode);
  wire.logical_block_address = static_cast<std::uint32_t>(command.lba.value);
  wire.transfer_length_blocks = static_cast<std::uint8_t>(command.blocks.value % kBlocks6);
  return to_bytes(as_bytes(wire));
}

}  // namespace

std::optional<Cdb> Cdb::parse(Bytes bytes) {
  if (bytes.size() < kMinCdbLength) return std::nullopt;
  const auto opcode = static_cast<Opcode>(bytes[0]);
  std::size_t length = cdb_length(opcode);
  if (opcode == Opcode::variable_length_cdb) {
    if (bytes.size() < kVariableServiceActionEnd) return std::nullopt;
    length = kVariableHeader + static_cast<std::size_t>(bytes[kVariableHeader - 1]);
    if (length < kVariableServiceActionEnd) return std::nullopt;
  } else if (length == 0) {
    length = bytes.size();
  }
  if (length > bytes.size() || length > kMaxCdbLength) return std::nullopt;
  return Cdb(bytes.first(length));
}

ServiceActionCode Cdb::service_action() const {
  if (!has_service_action(opcode())) return 0;
  if (opcode() != Opcode::variable_length_cdb) return byte(1) & kServiceActionMask;
  return static_cast<ServiceActionCode>((byte(8) << 8) | byte(9));
}

std::uint8_t Cdb::control() const {
  return opcode() == Opcode::variable_length_cdb ? byte(1) : byte(size() - 1);
}

std::string to_text(const Cdb& cdb) {
  std::string text = to_text(cdb.opcode(), cdb.service_action()) + " [";
  for (std::size_t i = 0; i < cdb.size(); ++i) {
    fmt::format_to(std::back_inserter(text), "{}{:02x}", i == 0 ? "" : " ", cdb.byte(i));
  }
  return text + "]";
}

BlockCommand decode_block_command(const Cdb& cdb) {
  switch (cdb.size()) {
    case sizeof(BlockCdb10): return decode_as<BlockCdb10>(cdb);
    case sizeof(BlockCdb16): return decode_as<BlockCdb16>(cdb);
    case sizeof(BlockCdb12): return decode_as<BlockCdb12>(cdb);
    case sizeof(BlockCdb6): return decode_6(cdb);
    case sizeof(BlockCdb32): return decode_as<BlockCdb32>(cdb);
  }
  assert(false && "not a block command");
  return {};
}

BlockCommand decode_compare_and_write(const Cdb& cdb) {
  const auto wire = cdb.as<CompareAndWriteCdb>();
  BlockCommand command;
  command.lba = Lba(wire.logical_block_address);
  command.blocks = BlockCount(wire.number_of_logical_blocks);
  command.flags = BlockFlags{wire.flags};
  command.group_number = wire.group_number & kGroupNumberMask;
  return command;
}

std::optional<CdbBytes> encode_block_command(Opcode opcode, const BlockCommand& command) {
  switch (cdb_length(opcode)) {
    case sizeof(BlockCdb6): return encode_6(opcode, command);
    case sizeof(BlockCdb10):
      return encode_as<BlockCdb10, std::uint32_t, std::uint16_t>(opcode, command);
    case sizeof(BlockCdb12):
      return encode_as<BlockCdb12, std::uint32_t, std::uint32_t>(opcode, command);
    case sizeof(BlockCdb16):
      return encode_as<BlockCdb16, std::uint64_t, std::uint32_t>(opcode, command);
  }
  return std::nullopt;
}

}  // namespace lunar::scsi::spec

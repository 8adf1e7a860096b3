// Command descriptor blocks (SPC-5 §4.2): a view of a CDB, and commands on block ranges as plain
// values. Quirks of the 6-byte CDBs are resolved here. Other commands are in cdb_structs.h.
#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/endian.h"
#include "lunar/types.h"
#include "scsi/spec/opcodes.h"

namespace lunar::scsi::spec {

constexpr std::size_t kMinCdbLength = 6;
constexpr std::size_t kFixedCdbLength = 16;  // longest CDB without variable length
// 7Fh: ADDITIONAL CDB LENGTH is one byte, counts from byte 8, and is a multiple of four.
constexpr std::size_t kMaxCdbLength = 8 + 252;

// Length by the group code, bits 7..5 of the operation code (SPC-5 §4.2). 0 for groups without a
// fixed length: variable length, reserved and vendor specific.
[[nodiscard]] constexpr std::size_t cdb_length(Opcode opcode) {
  constexpr std::array<std::uint8_t, 8> kLengths = {6, 10, 10, 0, 16, 12, 0, 0};
  return kLengths[static_cast<std::uint8_t>(opcode) >> 5];
}

// CONTROL byte (SAM-5 §5.2): the initiator requests ACA
constexpr std::uint8_t kControlNaca = 0x04;

// A checked view of a CDB. The bytes must outlive it. Cheap to copy.
class Cdb {
 public:
  // Takes the CDB from the front of `bytes`, which a transport may have padded; all bytes if the
  // group has no known length. Nothing: too few bytes, or a length above kMaxCdbLength.
  [[nodiscard]] static std::optional<Cdb> parse(Bytes bytes);

  [[nodiscard]] Opcode opcode() const { return static_cast<Opcode>(byte(0)); }
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  [[nodiscard]] Bytes bytes() const { return bytes_; }
  // index < size()
  [[nodiscard]] std::uint8_t byte(std::size_t index) const {
    return static_cast<std::uint8_t>(bytes_[index]);
  }
  // 0 for operation codes without service actions.
  [[nodiscard]] ServiceActionCode service_action() const;
  // The last byte, or byte 1 of a variable length CDB.
  [[nodiscard]] std::uint8_t control() const;
  [[nodiscard]] bool naca() const { return (control() & kControlNaca) != 0; }

  // The CDB as a struct of this file or cdb_structs.h. The struct must not be longer.
  template <WireStruct T>
  [[nodiscard]] T as() const {
    assert(bytes_.size() >= sizeof(T));
    return *load<T>(bytes_);
  }

 private:
  explicit Cdb(Bytes bytes) : bytes_(bytes) {}
  Bytes bytes_;
};

// "READ (10) [28 00 00 00 00 00 00 00 08 00]"
[[nodiscard]] std::string to_text(const Cdb& cdb);

// ---- Block ranges: READ, WRITE, ORWRITE, WRITE AND VERIFY, VERIFY, WRITE SAME, SYNCHRONIZE CACHE,
// ---- PRE-FETCH share these layouts (SBC-4 §5).

struct BlockCdb6 {  // READ (6), WRITE (6)
  std::uint8_t operation_code = 0;
  be24 logical_block_address;               // 21 bits
  std::uint8_t transfer_length_blocks = 0;  // 0 means 256
  std::uint8_t control = 0;
};
static_assert(sizeof(BlockCdb6) == 6);
static_assert(offsetof(BlockCdb6, logical_block_address) == 1);
static_assert(offsetof(BlockCdb6, transfer_length_blocks) == 4);

struct BlockCdb10 {
  std::uint8_t operation_code = 0;
  std::uint8_t flags = 0;
  be32 logical_block_address;
  std::uint8_t group_number = 0;
  be16 transfer_length_blocks;
  std::uint8_t control = 0;
};
static_assert(sizeof(BlockCdb10) == 10);
static_assert(offsetof(BlockCdb10, logical_block_address) == 2);
static_assert(offsetof(BlockCdb10, group_number) == 6);
static_assert(offsetof(BlockCdb10, transfer_length_blocks) == 7);
static_assert(offsetof(BlockCdb10, control) == 9);

struct BlockCdb12 {
  std::uint8_t operation_code = 0;
  std::uint8_t flags = 0;
  be32 logical_block_address;
  be32 transfer_length_blocks;
  std::uint8_t group_number = 0;
  std::uint8_t control = 0;
};
static_assert(sizeof(BlockCdb12) == 12);
static_assert(offsetof(BlockCdb12, logical_block_address) == 2);
static_assert(offsetof(BlockCdb12, transfer_length_blocks) == 6);
static_assert(offsetof(BlockCdb12, group_number) == 10);

struct BlockCdb16 {
  std::uint8_t operation_code = 0;
  std::uint8_t flags = 0;
  be64 logical_block_address;
  be32 transfer_length_blocks;
  std::uint8_t group_number = 0;
  std::uint8_t control = 0;
};
static_assert(sizeof(BlockCdb16) == 16);
static_assert(offsetof(BlockCdb16, logical_block_address) == 2);
static_assert(offsetof(BlockCdb16, transfer_length_blocks) == 10);
static_assert(offsetof(BlockCdb16, group_number) == 14);

struct BlockCdb32 {  // of 7Fh
  std::uint8_t operation_code = 0;
  std::uint8_t control = 0;
  be32 reserved;
  std::uint8_t group_number = 0;
  std::uint8_t additional_cdb_length = 0x18;
  be16 service_action;
  std::uint8_t flags = 0;
  std::uint8_t reserved2 = 0;
  be64 logical_block_address;
  be32 expected_initial_logical_block_reference_tag;
  be16 expected_logical_block_application_tag;
  be16 logical_block_application_tag_mask;
  be32 transfer_length_blocks;
};
static_assert(sizeof(BlockCdb32) == 32);
static_assert(offsetof(BlockCdb32, group_number) == 6);
static_assert(offsetof(BlockCdb32, additional_cdb_length) == 7);
static_assert(offsetof(BlockCdb32, service_action) == 8);
static_assert(offsetof(BlockCdb32, flags) == 10);
static_assert(offsetof(BlockCdb32, logical_block_address) == 12);
static_assert(offsetof(BlockCdb32, expected_initial_logical_block_reference_tag) == 20);
static_assert(offsetof(BlockCdb32, transfer_length_blocks) == 28);

// Flags of a block command. Which bits exist depends on the command; the device server's usage map
// rejects the others.
struct BlockFlags {
  std::uint8_t value = 0;

  static constexpr std::uint8_t kProtectMask = 0xe0;  // RD/WR/VR/OR PROTECT
  static constexpr std::uint8_t kDpo = 0x10;
  static constexpr std::uint8_t kFua = 0x08;            // READ, WRITE, ORWRITE
  static constexpr std::uint8_t kRarc = 0x04;           // READ: rebuild assist recovery control
  static constexpr std::uint8_t kByteCheckMask = 0x06;  // VERIFY, WRITE AND VERIFY
  static constexpr std::uint8_t kAnchor = 0x10;         // WRITE SAME
  static constexpr std::uint8_t kUnmap = 0x08;          // WRITE SAME
  static constexpr std::uint8_t kNdob = 0x01;           // WRITE SAME (16): no data-out buffer
  static constexpr std::uint8_t kImmed = 0x02;          // SYNCHRONIZE CACHE, PRE-FETCH

  [[nodiscard]] constexpr std::uint8_t protect() const { return value >> 5; }
  [[nodiscard]] constexpr bool dpo() const { return (value & kDpo) != 0; }
  [[nodiscard]] constexpr bool fua() const { return (value & kFua) != 0; }
  [[nodiscard]] constexpr bool rarc() const { return (value & kRarc) != 0; }
  [[nodiscard]] constexpr std::uint8_t byte_check() const {
    return static_cast<std::uint8_t>((value & kByteCheckMask) >> 1);
  }
  [[nodiscard]] constexpr bool anchor() const { return (value & kAnchor) != 0; }
  [[nodiscard]] constexpr bool unmap() const { return (value & kUnmap) != 0; }
  [[nodiscard]] constexpr bool ndob() const { return (value & kNdob) != 0; }
  [[nodiscard]] constexpr bool immed() const { return (value & kImmed) != 0; }
  bool operator==(const BlockFlags&) const = default;
};

// BYTCHK of VERIFY (SBC-4); 2 is reserved.
constexpr std::uint8_t kByteCheckNone = 0;        // verify the medium, no data-out
constexpr std::uint8_t kByteCheckCompare = 1;     // against as many blocks of data-out
constexpr std::uint8_t kByteCheckCompareOne = 3;  // every block against one block of data-out

struct BlockCommand {
  Lba lba;
  BlockCount blocks;  // 0 has the command's meaning: nothing, or up to the end of the medium
  BlockFlags flags;
  std::uint8_t group_number = 0;  // 0..63
  bool operator==(const BlockCommand&) const = default;
};

// `cdb`: one of the commands above, with 6, 10, 12, 16 or 32 bytes.
[[nodiscard]] BlockCommand decode_block_command(const Cdb& cdb);

// COMPARE AND WRITE (SBC-4). Its block count is one byte.
struct CompareAndWriteCdb {
  std::uint8_t operation_code = 0;
  std::uint8_t flags = 0;
  be64 logical_block_address;
  be24 reserved;
  std::uint8_t number_of_logical_blocks = 0;
  std::uint8_t group_number = 0;
  std::uint8_t control = 0;
};
static_assert(sizeof(CompareAndWriteCdb) == 16);
static_assert(offsetof(CompareAndWriteCdb, logical_block_address) == 2);
static_assert(offsetof(CompareAndWriteCdb, number_of_logical_blocks) == 13);
static_assert(offsetof(CompareAndWriteCdb, group_number) == 14);

[[nodiscard]] BlockCommand decode_compare_and_write(const Cdb& cdb);

// WRITE ATOMIC (16) (SBC-4)
struct WriteAtomic16Cdb {
  std::uint8_t operation_code = 0;
  std::uint8_t flags = 0;
  be64 logical_block_address;
  be16 atomic_boundary_blocks;
  be16 transfer_length_blocks;
  std::uint8_t group_number = 0;
  std::uint8_t control = 0;
};
static_assert(sizeof(WriteAtomic16Cdb) == 16);
static_assert(offsetof(WriteAtomic16Cdb, logical_block_address) == 2);
static_assert(offsetof(WriteAtomic16Cdb, atomic_boundary_blocks) == 10);
static_assert(offsetof(WriteAtomic16Cdb, transfer_length_blocks) == 12);
static_assert(offsetof(WriteAtomic16Cdb, group_number) == 14);

// ---- For initiators and tests.

struct CdbBytes {
  std::array<std::byte, 32> storage{};
  std::uint8_t length = 0;
  [[nodiscard]] Bytes bytes() const { return Bytes(storage).first(length); }
};

// The shortest correct CDB for the operation code's group (not for 7Fh). Nothing: an address or
// count does not fit.
[[nodiscard]] std::optional<CdbBytes> encode_block_command(Opcode opcode,
                                                           const BlockCommand& command);

}  // namespace lunar::scsi::spec

// A bench whose disk keeps protection information, and blocks with theirs.
#pragma once

#include <vector>

#include "base/crc16.h"
#include "scsi/core/protection_area.h"
#include "scsi/testing/bench.h"

namespace lunar::scsi::testing {

class ProtectedBench : public Bench {
 public:
  explicit ProtectedBench(std::uint8_t type, std::uint64_t blocks = 2048,
                          LogicalUnitOptions options = {}, std::size_t shards = 1,
                          block::Capabilities capabilities = full(), std::uint32_t block_size = 512)
      : Bench(FakeDevice::with_protection(blocks, type, block_size), std::move(options), shards,
              capabilities),
        block_size_(block_size) {
    device().protection_area->the_capabilities = capabilities;
    initiator().clear_attention();
  }

  // The eight bytes of the block as they lie on the medium, told as the standard has them.
  [[nodiscard]] std::vector<std::uint8_t> stored(std::uint64_t lba) {
    const std::size_t at =
        block::kProtectionFormatBlocks * block::kProtectionAreaBlockBytes + lba * 8;
    std::vector<std::uint8_t> bytes;
    for (std::size_t i = 0; i < 8; ++i) {
      bytes.push_back(static_cast<std::uint8_t>(~device().protection_area->medium[at + i]));
    }
    return bytes;
  }
  // A block of the medium changes by itself.
  void damage(std::uint64_t lba) { device().medium[lba * block_size_] ^= std::byte{1}; }
  // MODE SELECT of ATO and DPICZ.
  void set_control(bool ato, bool dpicz = false) {
    const Outcome present = initiator().run({0x1a, 0x08, 0x0a, 0, 255, 0});
    const Bytes page = std::as_bytes(std::span(present.data));
    std::vector<std::byte> list(page.begin(), page.end());
    list[4] &= std::byte{0x3f};  // PS
    const auto set = [&](std::size_t byte, std::byte bit, bool on) {
      list[byte] = on ? list[byte] | bit : list[byte] & ~bit;
    };
    set(6, std::byte{0x08}, dpicz);
    set(9, std::byte{0x80}, ato);
    [[maybe_unused]] const Outcome outcome =
        initiator().run({0x15, 0x10, 0, 0, 16, 0}, std::move(list));
    assert(outcome.is_good());
  }

 private:
  std::uint32_t block_size_;
};

// `count` blocks of `value`, each with its guard and tags.
[[nodiscard]] inline std::vector<std::byte> with_tags(std::size_t count, std::uint8_t value,
                                                      std::uint16_t application_tag,
                                                      std::uint32_t reference_tag,
                                                      std::size_t block_size = 512) {
  std::vector<std::byte> all;
  for (std::size_t i = 0; i < count; ++i) {
    const std::vector<std::byte> block(block_size, std::byte{value});
    spec::ProtectionInformation information;
    information.guard = crc16_t10dif(block);
    information.application_tag = application_tag;
    information.reference_tag = static_cast<std::uint32_t>(reference_tag + i);
    all.insert(all.end(), block.begin(), block.end());
    const Bytes bytes = as_bytes(information);
    all.insert(all.end(), bytes.begin(), bytes.end());
  }
  return all;
}

[[nodiscard]] inline std::vector<std::uint8_t> as_numbers(const std::vector<std::byte>& bytes) {
  std::vector<std::uint8_t> numbers;
  for (const std::byte byte : bytes) numbers.push_back(static_cast<std::uint8_t>(byte));
  return numbers;
}

// READ (32), WRITE (32) and their kin.
[[nodiscard]] inline std::vector<std::uint8_t> long_cdb(std::uint16_t action, std::uint64_t lba,
                                                        std::uint32_t blocks, std::uint8_t flags,
                                                        std::uint32_t reference_tag,
                                                        std::uint16_t application_tag = 0,
                                                        std::uint16_t mask = 0) {
  spec::BlockCdb32 wire;
  wire.operation_code = 0x7f;
  wire.service_action = action;
  wire.flags = flags;
  wire.logical_block_address = lba;
  wire.expected_initial_logical_block_reference_tag = reference_tag;
  wire.expected_logical_block_application_tag = application_tag;
  wire.logical_block_application_tag_mask = mask;
  wire.transfer_length_blocks = blocks;
  const Bytes bytes = as_bytes(wire);
  const auto* first = reinterpret_cast<const std::uint8_t*>(bytes.data());
  return {first, first + bytes.size()};
}

[[nodiscard]] constexpr std::uint8_t protect(unsigned value) {
  return static_cast<std::uint8_t>(value << 5);
}

}  // namespace lunar::scsi::testing

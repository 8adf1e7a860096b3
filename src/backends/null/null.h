// A disk that reads as zeroes and forgets what is written: what the layers above cost by
// themselves.
#pragma once

#include <memory>
#include <string>

#include "lunar/block/device.h"

namespace lunar::backends {

struct NullOptions {
  std::string name{};
  ByteCount size{};                // a multiple of block_size
  std::uint32_t block_size = 512;  // 512 or 4096
  Uuid uuid{};                     // whoever knows it gives it; a name is none
  bool keeps_uuid = false;         // the same after a restart
};

// invalid_argument: size or block size.
Result<std::unique_ptr<block::Device>> create_null(const NullOptions& options);

}  // namespace lunar::backends

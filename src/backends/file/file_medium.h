// A file disk's medium while it is open.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "backends/file/file_condition.h"
#include "engine/file_io.h"

namespace lunar::backends {

// Shared by the device and its channels. Any thread.
struct FileMedium {
  // `bytes`: of the disk. `is_buffered`: writes are in the page cache first.
  FileMedium(std::unique_ptr<engine::File> opened, const std::string& path, std::uint64_t bytes,
             bool is_buffered)
      : file(std::move(opened)), condition(*file, path, bytes), buffered(is_buffered) {}

  const std::unique_ptr<engine::File> file;
  FileCondition condition;
  const bool buffered;
};

}  // namespace lunar::backends

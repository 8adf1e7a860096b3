// Files and block devices through the kernel.
#pragma once

#include "engine/file_io.h"

namespace lunar::engine {

// Stateless; its Files are for shards whose driver is a UringDriver.
class UringFileIo final : public FileIo {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, const FileOptions& options) override;
};

}  // namespace lunar::engine

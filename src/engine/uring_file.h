// Files and block devices through the kernel.
#pragma once

#include "engine/file_io.h"

namespace lunar::engine {

// Its Files are for shards whose driver is a UringDriver.
class UringFileIo final : public FileIo {
 public:
  explicit UringFileIo(SystemRoots roots = {}) : roots_(std::move(roots)) {}
  Result<std::unique_ptr<File>> open(const std::string& path, const FileOptions& options) override;

 private:
  SystemRoots roots_;
};

}  // namespace lunar::engine

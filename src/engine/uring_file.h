// Files and block devices of the kernel, through io_uring.
#pragma once

#include <chrono>

#include "engine/file_io.h"
#include "engine/restart_patience.h"

namespace lunar::engine {

// Its Files work on shards whose driver is a UringDriver.
class UringFileIo final : public FileIo {
 public:
  // `patience`: how long open() waits for another owner of the file.
  explicit UringFileIo(SystemRoots roots = {},
                       std::chrono::milliseconds patience = kRestartPatience)
      : roots_(std::move(roots)), patience_(patience) {}
  Result<std::unique_ptr<File>> open(const std::string& path, const FileOptions& options) override;

 private:
  SystemRoots roots_;
  std::chrono::milliseconds patience_;
};

}  // namespace lunar::engine

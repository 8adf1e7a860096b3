// Ensures that one process uses an object: FOLDER/OBJECT/lock, held with flock() until the process
// ends, however it ends. Earlier versions of lunar lock the same files.
#pragma once

#include <chrono>
#include <map>
#include <string>

#include "engine/descriptor.h"
#include "lunar/result.h"

namespace lunar::state {

// Single-threaded; may block.
class ObjectLocks {
 public:
  // `patience`: how long, from now on, to wait for another process, which may have been killed
  // (engine/restart_patience.h).
  ObjectLocks(std::string folder, std::chrono::milliseconds patience);

  // Locks an object, and creates its folder if needed. Does nothing if this process has locked it.
  // busy: another process has locked it; permission, no_resource, io.
  Result<void> lock(const std::string& object);

 private:
  const std::string folder_;
  const std::chrono::steady_clock::time_point patient_until_;
  std::map<std::string, engine::Descriptor> locks_;
};

}  // namespace lunar::state

// One process an object: FOLDER/OBJECT/lock, held with flock() until the process ends, however it
// ends. Earlier versions of lunar have locked the same files.
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
  // `patience`: for how long from now on one waits for another process, which may have been killed
  // (engine/restart_patience.h).
  ObjectLocks(std::string folder, std::chrono::milliseconds patience);

  // Makes the folder of the object as needed. At once for what is locked already. busy: another
  // process has it; permission, no_resource, io.
  Result<void> lock(const std::string& object);

 private:
  const std::string folder_;
  const std::chrono::steady_clock::time_point patient_until_;
  std::map<std::string, engine::Descriptor> locks_;
};

}  // namespace lunar::state

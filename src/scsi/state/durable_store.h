// What logical units remember over a power loss: registrations made with APTPL, saved mode pages,
// identifying information. Small values under a name, by the identity of the device.
#pragma once

#include <string>
#include <string_view>

#include "engine/task.h"
#include "lunar/result.h"
#include "lunar/uuid.h"

namespace lunar::scsi {

class DurableStore {
 public:
  virtual ~DurableStore() = default;
  // On any shard; completes there when the value will be found after a power loss. An empty value
  // removes the name. The name is of [a-z_].
  virtual engine::Task<Result<void>> save(Uuid unit, std::string name, std::string value) = 0;
  // Blocking: before shards serve the unit. Empty when nothing was saved.
  virtual Result<std::string> load(const Uuid& unit, std::string_view name) = 0;
};

}  // namespace lunar::scsi

// A SCSI target device as its initiators know it: a name and numbered logical units.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "scsi/core/lun_map.h"
#include "scsi/state/target_ports.h"

namespace lunar::scsi {

// Threading: the name is constant; maps and ports are those of whoever manages the target, one
// thread at a time. DeviceServers take them when they are made, and later by adopt() and
// adopt_ports(): what they have taken never changes, so that they read it without a lock. Outlives
// its DeviceServers.
class Target {
 public:
  explicit Target(std::string name)
      : name_(std::move(name)),
        maps_(std::make_shared<const LunMaps>()),
        ports_(std::make_shared<const TargetPorts>()) {}

  // The SCSI name string of the target device.
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::shared_ptr<const LunMaps>& maps() const { return maps_; }
  void set_maps(std::shared_ptr<const LunMaps> maps) { maps_ = std::move(maps); }
  // Maps a number for all initiators without a host of their own. As LunMap::add.
  Result<void> add(Lun lun, LogicalUnit& unit) {
    auto next = std::make_shared<LunMaps>(*maps_);
    LUNAR_TRY(next->others.add(lun, unit));
    set_maps(std::move(next));
    return {};
  }

  [[nodiscard]] const std::shared_ptr<const TargetPorts>& ports() const { return ports_; }
  void set_ports(std::shared_ptr<const TargetPorts> ports) { ports_ = std::move(ports); }

 private:
  std::string name_;
  std::shared_ptr<const LunMaps> maps_;
  std::shared_ptr<const TargetPorts> ports_;
};

}  // namespace lunar::scsi

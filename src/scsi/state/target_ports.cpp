#include "scsi/state/target_ports.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace lunar::scsi {

void TargetPorts::put(TargetPort port) {
  assert(port.number != 0);
  (void)remove(port.number);
  const auto place = std::ranges::upper_bound(ports_, port.number, {}, &TargetPort::number);
  ports_.insert(place, std::move(port));
  look_at_changes();
}

bool TargetPorts::remove(std::uint16_t number) {
  const auto removed =
      std::erase_if(ports_, [number](const TargetPort& port) { return port.number == number; });
  look_at_changes();
  return removed != 0;
}

void TargetPorts::look_at_changes() {
  implicit_ = std::ranges::any_of(
      ports_, [](const TargetPort& port) { return port.group.implicit_changes; });
  explicit_ = std::ranges::any_of(
      ports_, [](const TargetPort& port) { return port.group.explicit_changes; });
}

const TargetPort* TargetPorts::find(std::uint16_t number) const {
  const auto found = std::ranges::find(ports_, number, &TargetPort::number);
  return found == ports_.end() ? nullptr : &*found;
}

}  // namespace lunar::scsi

// The states of asymmetric logical unit access (SPC-5 §5.17.2.4), and their names: in the
// configuration file, in the log, and on the wire.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

namespace lunar {

// How a target's logical units are reached by one of its portal groups. The values are those of the
// wire.
enum class AluaState : std::uint8_t {
  active_optimized = 0x0,
  active_non_optimized = 0x1,  // serves everything; hosts prefer another path
  standby = 0x2,               // serves neither reads nor writes
  unavailable = 0x3,           // serves nearly nothing
  transitioning = 0xf,         // hosts wait for what comes next
};

// Every state that people may choose.
constexpr std::pair<std::string_view, AluaState> kAluaStates[] = {
    {"active/optimized", AluaState::active_optimized},
    {"active/non-optimized", AluaState::active_non_optimized},
    {"standby", AluaState::standby},
    {"unavailable", AluaState::unavailable},
    {"transitioning", AluaState::transitioning}};

[[nodiscard]] constexpr std::string_view to_string(AluaState state) {
  for (const auto& [name, each] : kAluaStates) {
    if (each == state) return name;
  }
  return "unknown state";
}

}  // namespace lunar

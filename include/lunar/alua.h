// Asymmetric logical unit access (ALUA, SPC-5 §5.17.2.4): the states and their names. The
// configuration file and the log use the same names.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

namespace lunar {

// Access state of a target port group. The values are those on the wire.
enum class AluaState : std::uint8_t {
  active_optimized = 0x0,
  active_non_optimized = 0x1,  // all commands work; hosts prefer another path
  standby = 0x2,               // neither reads nor writes
  unavailable = 0x3,           // nearly no commands
  transitioning = 0xf,         // hosts wait for the next state
};

// The states that an administrator may set.
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

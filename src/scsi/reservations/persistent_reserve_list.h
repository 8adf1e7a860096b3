// What a PERSISTENT RESERVE OUT says: its CDB and its parameter list, read but not yet understood.
#pragma once

#include <cstdint>
#include <expected>
#include <vector>

#include "scsi/core/command.h"
#include "scsi/spec/opcodes.h"
#include "scsi/spec/sense.h"
#include "scsi/spec/transport_id.h"

namespace lunar::scsi {

constexpr std::uint8_t kSpecIPtBit = 3;  // of the byte `flags` of the parameter list

struct PersistentReserveList {
  spec::ServiceActionCode action = 0;
  std::uint8_t scope = 0;
  std::uint8_t type = 0;
  std::uint64_t key = 0;                 // RESERVATION KEY
  std::uint64_t service_action_key = 0;  // SERVICE ACTION RESERVATION KEY
  bool aptpl = false;
  bool spec_i_pt = false;
  bool all_target_ports = false;
  bool unregister = false;
  std::vector<spec::TransportId> initiators;  // of SPEC_I_PT, or the one of REGISTER AND MOVE
  std::uint16_t relative_target_port_id = 0;
};

// Whether it is REGISTER or REGISTER AND IGNORE EXISTING KEY.
[[nodiscard]] bool registers(spec::ServiceActionCode code);

// Of a command whose data is there; or the sense data that refuses it.
[[nodiscard]] std::expected<PersistentReserveList, spec::Sense> parse_persistent_reserve_list(
    const Command& command);

}  // namespace lunar::scsi

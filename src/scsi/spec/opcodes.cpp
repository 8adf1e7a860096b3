#include "scsi/spec/opcodes.h"

#include <fmt/format.h>

#include <string_view>

namespace lunar::scsi::spec {
namespace {

struct ServiceActionName {
  Opcode opcode;
  ServiceActionCode code;
  std::string_view text;
};

constexpr ServiceActionName kServiceActionNames[] = {
#define LUNAR_ROW(opcode, name, code, text) {Opcode::opcode, code, text},
    LUNAR_SERVICE_ACTION_LIST(LUNAR_ROW)
#undef LUNAR_ROW
};

}  // namespace

std::string to_text(Opcode opcode) {
  switch (opcode) {
#define LUNAR_CASE(name, code, text) \
  case Opcode::name: return text;
    LUNAR_OPCODE_LIST(LUNAR_CASE)
#undef LUNAR_CASE
  }
  return fmt::format("OPERATION CODE {:02X}h", static_cast<std::uint8_t>(opcode));
}

std::string to_text(Opcode opcode, ServiceActionCode service_action) {
  if (!has_service_action(opcode)) return to_text(opcode);
  for (const ServiceActionName& row : kServiceActionNames) {
    if (row.opcode == opcode && row.code == service_action) return std::string(row.text);
  }
  return fmt::format("{}, SERVICE ACTION {:02X}h", to_text(opcode), service_action);
}

}  // namespace lunar::scsi::spec

// A target's sense data: any bytes decode to nothing, or to a value that survives both formats.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/bytes.h"
#include "scsi/spec/sense.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lunar;
  using namespace lunar::scsi::spec;
  const auto sense = decode_sense(Bytes(reinterpret_cast<const std::byte*>(data), size));
  if (!sense) return 0;
  if (to_text(*sense).empty()) std::abort();
  if (decode_sense(encode(*sense, SenseFormat::descriptor).bytes()) != sense) std::abort();

  // The fixed format has 32 bits, and no validity bit for COMMAND-SPECIFIC INFORMATION.
  Sense narrow = *sense;
  if (narrow.information > 0xffffffffU) narrow.information.reset();
  if (narrow.command_specific > 0xffffffffU || narrow.command_specific == 0U) {
    narrow.command_specific.reset();
  }
  if (decode_sense(encode(*sense, SenseFormat::fixed).bytes()) != narrow) std::abort();
  return 0;
}

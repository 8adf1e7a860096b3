#include "layers/delay/delay_kind.h"

#include "engine/clock.h"
#include "layers/delay/delay.h"

namespace lunar::layers {
namespace {

schema::Record<DelayParameters> parameters() {
  return {schema::duration("read_delay_us", &DelayParameters::read_ns, engine::kMicrosecond,
                           kMaxDelayNs, "how long reads wait"),
          schema::duration("write_delay_us", &DelayParameters::write_ns, engine::kMicrosecond,
                           kMaxDelayNs, "how long all else waits")};
}

Result<std::unique_ptr<block::Device>> make(const DelayParameters& given, kinds::Making& making) {
  DelayOptions options;
  for (std::size_t i = 0; i < block::kOpCount; ++i) {
    const auto op = static_cast<block::Op>(i);
    const bool reads = op == block::Op::read || op == block::Op::compare;
    options.average_ns[i] = reads ? given.read_ns : given.write_ns;
  }
  return create_delay(making.name, std::move(making.base), options);
}

}  // namespace

const kinds::DeviceKind& delay_kind() {
  static const kinds::DeviceKind kind(
      kinds::Declaration<DelayParameters>{.name = "delay",
                                          .meaning = "A layer that makes its device slow.",
                                          .is_layer = true,
                                          .parameters = parameters(),
                                          .make = make});
  return kind;
}

}  // namespace lunar::layers

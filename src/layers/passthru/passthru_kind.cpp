#include "layers/passthru/passthru_kind.h"

#include "layers/passthru/passthru.h"

namespace lunar::layers {

const kinds::DeviceKind& passthru_kind() {
  static const kinds::DeviceKind kind(kinds::Declaration<PassthruParameters>{
      .name = "passthru",
      .meaning = "A layer that changes nothing: shows what a layer costs.",
      .is_layer = true,
      .parameters = {{}, {}},
      .make = [](const PassthruParameters&,
                 kinds::Making& making) -> Result<std::unique_ptr<block::Device>> {
        return create_passthru(making.name, std::move(making.base));
      }});
  return kind;
}

}  // namespace lunar::layers

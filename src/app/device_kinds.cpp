// The only place that lists kinds of device: a line each.
#include "app/device_kinds.h"

#include "backends/file/file_kind.h"
#include "backends/null/null_kind.h"
#include "backends/ram/ram_kind.h"
#include "layers/delay/delay_kind.h"
#include "layers/error/error_kind.h"
#include "layers/passthru/passthru_kind.h"
#include "scsi/core/protection_area.h"

namespace lunar::app {

const kinds::DeviceKinds& device_kinds() {
  // clang-format off
  static const kinds::DeviceKinds kinds{
      &backends::ram_kind(),
      &backends::null_kind(),
      &backends::file_kind(),
      &layers::passthru_kind(),
      &layers::delay_kind(),
      &layers::error_kind(),
  };
  // clang-format on
  return kinds;
}

const kinds::Looking& what_kinds_may_ask() {
  static const kinds::Looking looking{
      .protection_type = [](std::span<const std::byte> beginning) -> std::optional<std::uint8_t> {
        if (beginning.size() < scsi::kStoredProtectionFormatBytes) return {};
        const auto format =
            scsi::parse_protection_format(beginning.first(scsi::kStoredProtectionFormatBytes));
        if (!format) return {};
        return static_cast<std::uint8_t>(format->made);
      }};
  return looking;
}

}  // namespace lunar::app

#include "control/devices_page.h"

#include <fmt/format.h>

#include "schema/reference.h"
#include "schema/spec.h"

namespace lunar::control {

std::string disk_help(const kinds::DeviceKinds& kinds) {
  std::string text;
  for (const kinds::DeviceKind* kind : kinds)
    text += fmt::format("  {}\n", schema::spec_form(kind->parameters(), kind->name()));
  return text;
}

std::string kind_help(const kinds::DeviceKind& kind) {
  return fmt::format("{}\n\n  --disk {}\n\n{}", kind.meaning(),
                     schema::spec_form(kind.parameters(), kind.name()),
                     schema::help_lines(kind.parameters()));
}

std::string devices_page(const kinds::DeviceKinds& kinds) {
  std::string text =
      "# Kinds of device\n\n"
      "This page is made by `lunar reference` from the declarations of the kinds; do not edit it. "
      "A "
      "device is a\n[[device]] of the [configuration file](../configuration.md), which gives it a "
      "`name` and names its kind as\n`type`, or a `--disk KIND:…` of the command line. `lunar help "
      "KIND` tells the same.\n\n"
      "| kind | is |\n|---|---|\n";
  for (const kinds::DeviceKind* kind : kinds)
    text += fmt::format("| [`{0}`](#{0}) | {1} |\n", kind->name(), kind->meaning());
  for (const kinds::DeviceKind* kind : kinds) {
    text += fmt::format("\n## {}\n\n{}\n\n`--disk {}`\n", kind->name(), kind->meaning(),
                        schema::spec_form(kind->parameters(), kind->name()));
    if (!kind->parameters().empty()) text += "\n" + schema::markdown(kind->parameters(), "device");
  }
  return text;
}

}  // namespace lunar::control

// docs/configuration.md, docs/reference/devices.md and the declarations say the same.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "app/device_kinds.h"
#include "control/config.h"
#include "control/devices_page.h"

namespace lunar::control {
namespace {

std::string page(const std::string& name = "docs/configuration.md") {
  std::ifstream file(LUNAR_SOURCE_DIR "/" + name);
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

std::vector<std::string> toml_blocks(const std::string& text) {
  constexpr std::string_view kBegin = "```toml\n";
  std::vector<std::string> blocks;
  for (std::size_t at = text.find(kBegin); at != std::string::npos; at = text.find(kBegin, at)) {
    at += kBegin.size();
    blocks.push_back(text.substr(at, text.find("```", at) - at));
  }
  return blocks;
}

TEST(ConfigurationPage, HasExamplesThatParse) {
  const auto blocks = toml_blocks(page());
  EXPECT_GE(blocks.size(), 6U);
  for (const std::string& block : blocks) {
    // Which cores there are is the machine's business.
    std::string text = block;
    if (const auto shards = text.find("shards = 2"); shards != std::string::npos)
      text.replace(shards, 10, "shards = 1");
    const auto config = parse_config(text, "docs/configuration.md", app::device_kinds());
    EXPECT_TRUE(config) << config.error().message << "\nin\n" << block;
  }
}

TEST(DevicesPage, IsTheOneThatTheDeclarationsMake) {
  EXPECT_EQ(page("docs/reference/devices.md"), devices_page(app::device_kinds()))
      << "make it anew: lunar reference > docs/reference/devices.md";
}

TEST(Pages, OfEachKindLeadToItsParameters) {
  for (const kinds::DeviceKind* kind : app::device_kinds()) {
    if (kind->is_layer()) continue;
    const std::string name(kind->name());
    EXPECT_NE(page("docs/backends/" + name + ".md").find("(../reference/devices.md#" + name + ")"),
              std::string::npos)
        << name;
  }
}

// The keys that the parser itself says it knows at a place.
std::vector<std::string> known_keys(const std::string& toml) {
  const auto config = parse_config(toml, "c.toml", app::device_kinds());
  EXPECT_FALSE(config);
  const std::string message = config ? "" : config.error().message;
  constexpr std::string_view kBegin = "(known here: ";
  const std::size_t begin = message.find(kBegin);
  EXPECT_NE(begin, std::string::npos) << message;
  std::vector<std::string> keys;
  std::istringstream words(message.substr(begin + kBegin.size()));
  for (std::string word; words >> word;) keys.push_back(word.substr(0, word.find_first_of(",)")));
  return keys;
}

TEST(ConfigurationPage, ListsEveryKey) {
  const std::string text = page();
  const std::string ram = "[[device]]\nname='d'\ntype='ram'\nsize=512\n";
  const std::string places[] = {"x=1",
                                "[[target]]\nname='iqn.2026-11.io.lunar:t'\nx=1",
                                ram +
                                    "[[target]]\nname='iqn.2026-11.io.lunar:t'\n"
                                    "[[target.lun]]\ndevice='d'\nx=1",
                                "[[target]]\nname='iqn.2026-11.io.lunar:t'\n"
                                "[[target.port_group]]\ntag=1\nx=1",
                                "[[target]]\nname='iqn.2026-11.io.lunar:t'\n"
                                "[[target.host]]\nname='h'\ninitiator='i'\nx=1",
                                ram +
                                    "[[target]]\nname='iqn.2026-11.io.lunar:t'\n"
                                    "[[target.host]]\nname='h'\ninitiator='i'\n"
                                    "[[target.host.lun]]\ndevice='d'\nx=1",
                                "[[portal]]\nlisten='127.0.0.1'\nx=1"};
  for (const std::string& place : places) {
    for (const std::string& key : known_keys(place))
      EXPECT_NE(text.find("\n| `" + key + "` | "), std::string::npos) << key << " of\n" << place;
  }
}

}  // namespace
}  // namespace lunar::control

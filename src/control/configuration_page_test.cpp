// docs/configuration.md and the parser say the same.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "control/config.h"

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
    const auto config = parse_config(text, "docs/configuration.md");
    EXPECT_TRUE(config) << config.error().message << "\nin\n" << block;
  }
}

// The options that the parser itself says a kind of --disk has.
std::vector<std::string> known_options(std::string_view spec) {
  const auto device = parse_disk(std::string(spec) + ",frobnicate");
  EXPECT_FALSE(device);
  const std::string message = device ? "" : device.error().message;
  std::istringstream words(message.substr(message.find("(it has ") + 8));
  std::vector<std::string> options;
  for (std::string word; words >> word;)
    options.push_back(word.substr(0, word.find_first_of(",)")));
  return options;
}

TEST(Pages, ListEveryOptionOfEveryKindOfDisk) {
  const std::string readme = page("README.md");
  const std::pair<const char*, const char*> kinds[] = {
      {"ram", "ram:1MiB"}, {"null", "null:1MiB"}, {"file", "file:d"}};
  for (const auto& [kind, spec] : kinds) {
    const std::string own = page("docs/backends/" + std::string(kind) + ".md");
    const auto options = known_options(spec);
    EXPECT_GE(options.size(), 2U);
    for (const std::string& option : options) {
      EXPECT_NE(own.find("[," + option), std::string::npos) << option << " of " << kind;
      const std::size_t row = readme.find("\n| `" + option);
      ASSERT_NE(row, std::string::npos) << option;
      const std::string line = readme.substr(row + 1, readme.find('\n', row + 1) - row - 1);
      const bool of_kind =
          line.find("| all |") != std::string::npos || line.find(kind) != std::string::npos;
      EXPECT_TRUE(of_kind) << kind << " is not in: " << line;
    }
  }
}

// The keys that the parser itself says it knows at a place.
std::vector<std::string> known_keys(const std::string& toml) {
  const auto config = parse_config(toml, "c.toml");
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
  const std::string layer = ram + "[[device]]\nname='l'\nbase='d'\n";
  const std::string rule = layer + "type='error'\n[[device.inject]]\nx=1\n";
  const std::string places[] = {"x=1",
                                ram + "x=1",
                                "[[device]]\nname='d'\ntype='file'\npath='p'\nx=1",
                                layer + "type='passthru'\nx=1",
                                layer + "type='delay'\nx=1",
                                layer + "type='error'\nx=1",
                                rule + "action='fail'",
                                rule + "action='corrupt'\nop='read'",
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

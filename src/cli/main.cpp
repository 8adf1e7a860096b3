// The lunar program: reads the command line, calls the library.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "app/serve.h"

#ifndef LUNAR_VERSION
#define LUNAR_VERSION "unknown"
#endif

namespace {

constexpr int kExitUsage = 2;

void add_serve(CLI::App& app, lunar::app::ServeOptions& options, std::string& log_level) {
  CLI::App* serve = app.add_subcommand("serve", "Serve disks over iSCSI until SIGTERM or SIGINT");
  serve
      ->add_option("--disk", options.disks,
                   "A disk, the next LUN of the target, from 0: ram:SIZE, null:SIZE or\n"
                   "file:PATH[,size=SIZE][,block=4096][,cache=buffered][,readonly]")
      ->type_name("SPEC")
      ->allow_extra_args(false);
  serve->add_option("--listen", options.listen, "A portal (default 127.0.0.1:3260)")
      ->type_name("ADDR:PORT")
      ->allow_extra_args(false);
  serve
      ->add_option("--target", options.target,
                   "The target's name (default iqn.2026-11.io.lunar:disks)")
      ->type_name("IQN");
  serve->add_option("--shards", options.shards, "How many shards (2), or on which cores (0,2-3)")
      ->type_name("N|LIST");
  serve->add_option("--config", options.config_path, "A TOML file that says the same and more")
      ->type_name("FILE");
  serve
      ->add_option("--log-level", log_level,
                   "trace, debug, info, warning, error or off (default info)")
      ->type_name("L");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("lunar: a user-space block-storage target", "lunar");
  app.require_subcommand(1);
  app.set_help_flag("-h,--help", "Print this help");
  lunar::app::ServeOptions options;
  std::string log_level;
  add_serve(app, options, log_level);
  CLI::App* version = app.add_subcommand("version", "Print the version");
  CLI::App* help = app.add_subcommand("help", "Print this help");

  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    CLI::App* about = app.got_subcommand("serve") ? app.get_subcommand("serve") : &app;
    fmt::print("{}", about->help());
    return 0;
  } catch (const CLI::ParseError& error) {
    fmt::print(stderr, "lunar: {} (see lunar help)\n", error.what());
    return kExitUsage;
  }
  if (version->parsed()) {
    fmt::print("lunar {}\n", LUNAR_VERSION);
    return 0;
  }
  if (help->parsed()) {
    fmt::print("{}\n{}", app.help(), app.get_subcommand("serve")->help());
    return 0;
  }
  if (!log_level.empty()) {
    const auto level = lunar::log::parse_level(log_level);
    if (!level) {
      fmt::print(stderr, "lunar: --log-level: {}\n", level.error().message);
      return kExitUsage;
    }
    options.log_level = *level;
  }
  return lunar::app::serve(options);
}

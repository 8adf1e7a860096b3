// The lunar program: reads the command line, calls the library.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string>
#include <utility>

#include "app/serve.h"
#include "cli/bench_command.h"

namespace {

using lunar::ErrorCode;
using lunar::app::ServeOptions;

CLI::App* add_serve(CLI::App& app, ServeOptions& options) {
  CLI::App* serve = app.add_subcommand("serve", "Serve disks over iSCSI until SIGTERM or SIGINT");
  const auto add = [serve](const char* name, auto& to, const char* type, const char* about) {
    serve->add_option(name, to, about)->type_name(type)->allow_extra_args(false);
  };
  add("--disk", options.disks, "SPEC",
      "A disk, the next LUN of the target, from 0: ram:SIZE, null:SIZE or\n"
      "file:PATH[,size=SIZE][,block=4096][,cache=buffered][,readonly];\n"
      "ram and file with [,protection=1|2|3], ram with [,pages=huge|small]");
  add("--listen", options.listen, "SPEC",
      "A portal, ADDR:PORT[,ipv4][,advertise=ADDR:PORT] (default 127.0.0.1:3260);\n"
      "ipv4: [::] takes IPv4 too; advertise: what discovery tells instead, may be repeated");
  add("--target", options.target, "IQN",
      "The target of the disks (default iqn.2026-11.io.lunar:disks-\n"
      "and 12 digits that stand for this machine)");
  add("--shards", options.shards, "N|LIST",
      "How many shards (2), or on which cores (0,2-3); default: one a core, at most 4");
  add("--config", options.config_path, "FILE", "A TOML file that says the same and more");
  add("--state", options.state, "DIR",
      "Where persistent reservations and saved settings are kept\n"
      "(default /var/lib/lunar for root, else ~/.local/state/lunar)");
  add("--log-level", options.log_level, "L",
      "trace, debug, info, warning, error or off (default info)");
  serve->footer(
      "SIZE is a number with KiB, MiB, GiB or TiB behind it. --disk and --listen can be repeated.\n"
      "For example: lunar serve --disk ram:1GiB --disk file:disk.img,size=10GiB");
  return serve;
}

int complain(std::string message) {
  return lunar::app::complain({ErrorCode::invalid_argument, std::move(message)});
}

// What the parser left over in `app`.
int complain_of_extra(const CLI::App& app, const std::string& extra) {
  if (app.get_parent() == nullptr && !extra.starts_with('-'))
    return complain(fmt::format("there is no command '{}' (serve, bench, version, help)", extra));
  const std::string help =
      app.get_parent() == nullptr ? "lunar help" : fmt::format("lunar help {}", app.get_name());
  return complain(extra.starts_with('-')
                      ? fmt::format("there is no option {} (see {})", extra, help)
                      : fmt::format("'{}' stands where an option should (see {})", extra, help));
}

int print_version() {
  fmt::print("lunar {}\n", LUNAR_VERSION);
  return 0;
}

// App::help() would be that of the command in whose place we are.
void print_help_of(const CLI::App& app) {
  const std::string name =
      app.get_parent() == nullptr ? "lunar" : fmt::format("lunar {}", app.get_name());
  fmt::print("{}", app.get_formatter()->make_help(&app, name, CLI::AppFormatMode::Normal));
}

int print_help(const CLI::App& app, const std::string& topic) {
  if (topic.empty()) {
    print_help_of(app);
    return 0;
  }
  const auto is_meant = [&](const CLI::App* command) { return command->get_name() == topic; };
  const auto found = app.get_subcommands(is_meant);
  if (found.empty())
    return complain(fmt::format("there is no command '{}' (serve, bench, version, help)", topic));
  print_help_of(*found.front());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("lunar: disks over the network", "lunar");
  app.footer("lunar help COMMAND tells more; docs/configuration.md describes the file.");
  app.set_version_flag("--version", LUNAR_VERSION, "Print the version");
  app.require_subcommand(0, 1);
  ServeOptions options;
  std::string topic;
  CLI::App* const serve = add_serve(app, options);
  const lunar::cli::BenchCommand bench(app);
  CLI::App* const version = app.add_subcommand("version", "Print the version");
  CLI::App* const help = app.add_subcommand("help", "Print this help, or that of a command");
  help->add_option("COMMAND", topic);
  // What is wrong is told here, in one line, and not by the parser.
  for (CLI::App* each : {&app, serve, bench.command(), version, help}) each->allow_extras();

  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return print_help(app,
                      app.get_subcommands().empty() ? "" : app.get_subcommands()[0]->get_name());
  } catch (const CLI::CallForVersion&) {
    return print_version();
  } catch (const CLI::ParseError& error) {
    return complain(fmt::format("{} (see lunar help)", error.what()));
  }
  for (const CLI::App* each : {&app, serve, bench.command(), version, help}) {
    if (!each->remaining().empty()) return complain_of_extra(*each, each->remaining().front());
  }
  for (const CLI::Option* option : std::as_const(*serve).get_options()) {
    if (option->count() != 0 && std::ranges::count(option->results(), "") != 0)
      return complain(fmt::format("{} is given without a value", option->get_name()));
  }
  if (version->parsed()) return print_version();
  if (help->parsed()) return print_help(app, topic);
  if (serve->parsed()) return lunar::app::serve(options);
  if (bench.command()->parsed()) return bench.run();
  return complain("give a command: serve, bench, version or help");
}

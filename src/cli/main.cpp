// The lunar program: reads the command line and calls the library.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <utility>

#include "app/device_kinds.h"
#include "app/serve.h"
#include "cli/bench_command.h"
#include "control/devices_page.h"

namespace {

using lunar::ErrorCode;
using lunar::app::ServeOptions;

CLI::App* add_serve(CLI::App& app, ServeOptions& options) {
  CLI::App* serve = app.add_subcommand("serve", "Serve disks over iSCSI until SIGTERM or SIGINT");
  const auto add = [serve](const char* name, auto& to, const char* type, const std::string& about) {
    serve->add_option(name, to, about)->type_name(type)->allow_extra_args(false);
  };
  add("--disk", options.disks, "SPEC",
      "A disk, the next LUN of the target, from 0 (lunar help KIND lists the options):\n" +
          lunar::control::disk_help(lunar::app::device_kinds()));
  add("--listen", options.listen, "SPEC",
      "A portal, ADDR:PORT[,tag=N][,ipv4][,advertise=ADDR:PORT] (default 127.0.0.1:3260);\n"
      "tag: its portal group; ipv4: [::] accepts IPv4, too; advertise: the address that\n"
      "discovery reports instead, may be repeated");
  add("--target", options.target, "IQN",
      "The target of the disks (default iqn.2026-11.io.lunar:disks-\n"
      "and 12 hexadecimal digits derived from this machine's ID)");
  add("--shards", options.shards, "N|LIST",
      "How many shards (2), or on which cores (0,2-3); default: one per core, at most 4");
  add("--config", options.config_path, "FILE", "A TOML file that says the same and more");
  add("--state", options.state, "DIR",
      "Folder for persistent reservations and saved settings\n"
      "(default /var/lib/lunar for root, else ~/.local/state/lunar)");
  add("--log-level", options.log_level, "L",
      "trace, debug, info, warning, error or off (default info)");
  serve->footer(
      "SIZE is a number with KiB, MiB, GiB or TiB behind it. --disk and --listen can be repeated.\n"
      "For example: lunar serve --disk ram:1GiB --disk file:disk.img,size=10GiB\n"
      "Exit codes: 0 after SIGTERM or SIGINT; 2 for what you have to correct; 1 for what another\n"
      "program or the machine has to (an address in use, a locked file, no memory).");
  return serve;
}

int complain(std::string message) {
  return lunar::app::complain({ErrorCode::invalid_argument, std::move(message)});
}

// Arguments that the parser has left over in `app`.
int complain_of_extra(const CLI::App& app, const std::string& extra) {
  if (app.get_parent() == nullptr && !extra.starts_with('-'))
    return complain(fmt::format("there is no command '{}' (serve, bench, version, help)", extra));
  const std::string help =
      app.get_parent() == nullptr ? "lunar help" : fmt::format("lunar help {}", app.get_name());
  return complain(extra.starts_with('-')
                      ? fmt::format("there is no option {} (see {})", extra, help)
                      : fmt::format("'{}' stands where an option should (see {})", extra, help));
}

// An option that was given more often than allowed. Null: none.
const CLI::Option* find_repeated(const CLI::App& app) {
  for (const CLI::Option* option : app.get_options()) {
    const auto most = static_cast<std::size_t>(option->get_items_expected_max());
    if (option->get_items_expected_max() != 0 && option->count() > most) return option;
  }
  return nullptr;
}

int print_version() {
  std::puts("lunar " LUNAR_VERSION);
  return 0;
}

int print_reference() {
  std::fputs(lunar::control::devices_page(lunar::app::device_kinds()).c_str(), stdout);
  return 0;
}

// Not App::help(): that would print the help of the enclosing command.
void print_help_of(const CLI::App& app) {
  const std::string name =
      app.get_parent() == nullptr ? "lunar" : fmt::format("lunar {}", app.get_name());
  std::fputs(app.get_formatter()->make_help(&app, name, CLI::AppFormatMode::Normal).c_str(),
             stdout);
}

int print_help(const CLI::App& app, const std::string& topic) {
  if (topic.empty()) {
    print_help_of(app);
    return 0;
  }
  const auto is_meant = [&](const CLI::App* command) { return command->get_name() == topic; };
  const auto found = app.get_subcommands(is_meant);
  if (const auto* kind = lunar::app::device_kinds().find(topic); found.empty() && kind != nullptr) {
    std::fputs(lunar::control::kind_help(*kind).c_str(), stdout);
    return 0;
  }
  if (found.empty())
    return complain(fmt::format("there is no command '{}' (serve, bench, version, help)", topic));
  print_help_of(*found.front());
  return 0;
}

int run(int argc, char** argv) {
  CLI::App app("lunar: disks over the network", "lunar");
  app.footer(
      "lunar help COMMAND and lunar help KIND (of a disk) say more; docs/configuration.md "
      "describes the file.");
  app.set_version_flag("--version", LUNAR_VERSION, "Print the version");
  app.require_subcommand(0, 1);
  ServeOptions options;
  std::string topic;
  CLI::App* const serve = add_serve(app, options);
  const lunar::cli::BenchCommand bench(app);
  CLI::App* const version = app.add_subcommand("version", "Print the version");
  CLI::App* const help = app.add_subcommand("help", "Print this help, or that of a command");
  help->add_option("COMMAND", topic, "or a kind of disk");
  CLI::App* const reference = app.add_subcommand("reference")->group("");  // for docs/reference
  // Errors are reported here, in one line each, not by the parser.
  for (CLI::App* each : {&app, serve, bench.command(), version, help, reference})
    each->allow_extras();

  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return print_help(app,
                      app.get_subcommands().empty() ? "" : app.get_subcommands()[0]->get_name());
  } catch (const CLI::CallForVersion&) {
    return print_version();
  } catch (const CLI::ParseError& error) {
    for (const CLI::App* each : {serve, bench.command()}) {
      if (const CLI::Option* option = find_repeated(*each))
        return complain(fmt::format("{} is given twice", option->get_name()));
    }
    return complain(fmt::format("{} (see lunar help)", error.what()));
  }
  for (const CLI::App* each : {&app, serve, bench.command(), version, help, reference}) {
    if (!each->remaining().empty()) return complain_of_extra(*each, each->remaining().front());
  }
  for (const CLI::Option* option : std::as_const(*serve).get_options()) {
    if (option->count() != 0 && std::ranges::count(option->results(), "") != 0)
      return complain(fmt::format("{} is given without a value", option->get_name()));
  }
  if (version->parsed()) return print_version();
  if (help->parsed()) return print_help(app, topic);
  if (reference->parsed()) return print_reference();
  if (serve->parsed()) return lunar::app::serve(options);
  if (bench.command()->parsed()) return bench.run();
  return complain("give a command: serve, bench, version or help");
}

}  // namespace

int main(int argc, char** argv) {
  constexpr int kFailed = 1;
  // Catches errors that no part has turned into its own.
  try {
    return run(argc, argv);
  } catch (const std::bad_alloc&) {
    std::fputs("lunar: out of memory (see ulimit -v)\n", stderr);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "lunar: %s\n", error.what());
  }
  return kFailed;
}

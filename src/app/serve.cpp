#include "app/serve.h"

#include <fmt/format.h>
#include <pthread.h>

#include <csignal>
#include <cstdio>

#include "app/build.h"
#include "base/size.h"
#include "lunar/server.h"

namespace lunar::app {
namespace {

constexpr int kExitUsage = 2;
constexpr std::chrono::milliseconds kDrain{2500};

int complain(const Error& error) {
  fmt::print(stderr, "lunar: {}\n", error.message);
  return kExitUsage;
}

// Blocks the signals that end us, for every thread that will be started, so that sigwait() gets
// them.
sigset_t block_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return set;
}

void announce(const Server& server, const control::Config& config) {
  for (const control::TargetConfig& target : config.targets) {
    for (const control::LunConfig& lun : target.luns) {
      fmt::print("lunar: {} LUN {}: {}\n", target.name, lun.lun, lun.device);
    }
  }
  for (const std::string& where : server.listening()) fmt::print("lunar: listening on {}\n", where);
  fmt::print("lunar: ready, {} {}\n", server.shard_count(),
             server.shard_count() == 1 ? "shard" : "shards");
  std::fflush(stdout);
}

}  // namespace

Result<control::Config> merge(const ServeOptions& options) {
  control::Config config;
  if (!options.config_path.empty()) {
    LUNAR_TRY_ASSIGN(config, control::load_config(options.config_path));
  }
  if (!options.shards.empty()) config.shards = options.shards;
  if (options.log_level) config.log_level = options.log_level;
  if (!options.disks.empty() || config.targets.empty()) {
    // --disk and --target speak of one target; a file may have it already, and others.
    const std::string name =
        options.target.empty() ? std::string(control::kDefaultTarget) : options.target;
    control::TargetConfig* target = nullptr;
    for (control::TargetConfig& each : config.targets) {
      if (each.name == name) target = &each;
    }
    if (target == nullptr)
      target = &config.targets.emplace_back(control::TargetConfig{name, "", {}});
    for (const std::string& spec : options.disks) {
      LUNAR_TRY_ASSIGN(control::DeviceConfig device, control::parse_disk(spec));
      const auto lun =
          static_cast<std::uint16_t>(target->luns.empty() ? 0 : target->luns.back().lun + 1);
      device.name = fmt::format("disk{}", config.devices.size());
      target->luns.push_back(
          {.lun = lun, .device = device.name, .read_only = false, .removable = false});
      config.devices.push_back(std::move(device));
    }
  }
  for (const std::string& listen : options.listen) config.portals.push_back({listen, 1});
  if (config.portals.empty()) config.portals.push_back({std::string(control::kDefaultListen), 1});
  return config;
}

int serve(const ServeOptions& options) {
  const sigset_t signals = block_signals();
  auto config = merge(options);
  if (!config) return complain(config.error());
  if (config->log_level) log::set_level(*config->log_level);
  auto server = Server::create({.shards = config->shards});
  if (!server) return complain(server.error());
  if (auto built = build(**server, *config); !built) return complain(built.error());
  if (auto started = (*server)->start(); !started) return complain(started.error());
  announce(**server, *config);

  int signal = 0;
  sigwait(&signals, &signal);
  log::info("stopping on {}", signal == SIGINT ? "SIGINT" : "SIGTERM");
  (*server)->stop(kDrain);
  return 0;
}

}  // namespace lunar::app

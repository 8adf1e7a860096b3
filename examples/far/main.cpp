// A program that serves a disk which is far away (far_disk.h).
//
//   far_example 127.0.0.1:3260 [PATIENCE_MS]
//
// It prints where it listens. Lines on its standard input say what happens to the disk: "break",
// "mend", "grow MIB"; each is answered by "ok". It ends with the input.
#include <charconv>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <string>
#include <string_view>

#include "far_disk.h"
#include "lunar/server.h"

using namespace lunar;

constexpr const char* kTarget = "iqn.2026-11.io.lunar:far";
constexpr std::size_t kBytes = 8UL << 20;

std::size_t number_in(std::string_view text) {
  std::size_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

Result<void> serve(const char* portal, std::chrono::milliseconds patience) {
  LUNAR_TRY(set_log_level("error"));
  LUNAR_TRY_ASSIGN(const auto server, Server::create({.device_patience = patience}));
  auto made = std::make_unique<FarDisk>("far", kBytes);
  FarDisk& disk = *made;  // the server's, and there until it ends
  LUNAR_TRY(server->add_device(std::move(made)));
  LUNAR_TRY(server->add_target(kTarget));
  LUNAR_TRY(server->map(kTarget, Lun(0), "far"));
  LUNAR_TRY(server->add_portal(portal));
  LUNAR_TRY(server->start());
  std::printf("iscsi://%s/%s/0\n", server->listening().front().c_str(), kTarget);
  std::fflush(stdout);
  for (std::string line; std::getline(std::cin, line);) {
    if (line == "break") disk.break_line();
    if (line == "mend") disk.mend_line();
    if (line.starts_with("grow ")) disk.grow(number_in(line.substr(5)) << 20);
    std::puts("ok");
    std::fflush(stdout);
  }
  server->stop();
  return {};
}

int main(int argc, char** argv) {
  const std::chrono::milliseconds patience(argc > 2 ? number_in(argv[2]) : 20000);
  const Result<void> served = serve(argc > 1 ? argv[1] : "127.0.0.1:3260", patience);
  if (!served) std::fprintf(stderr, "far_example: %s\n", served.error().message.c_str());
  return served ? 0 : 1;
}

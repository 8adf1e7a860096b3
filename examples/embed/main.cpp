// A program that serves a disk of its own over iSCSI: every block is filled with its own address.
//
//   embed_example 127.0.0.1:3260
//
// It prints where it listens and serves until SIGTERM or SIGINT.
#include <csignal>
#include <cstdio>

#include "lunar/server.h"

using namespace lunar;

constexpr block::Limits kLimits = [] {
  block::Limits limits;
  limits.capacity = BlockCount(1 << 20);
  return limits;
}();
constexpr block::Capabilities kReadsOnly{.writable = false};
constexpr const char* kTarget = "iqn.2026-11.io.lunar:embedded";

struct AddressChannel : block::Channel {
  void submit(block::Request& request) override {
    if (request.op != block::Op::read) return request.complete(block::Status::unsupported);
    std::uint64_t at = request.lba.value * kLimits.block_size;
    for (const iovec& piece : request.buffers()) {
      auto* bytes = static_cast<std::uint8_t*>(piece.iov_base);
      for (std::size_t i = 0; i < piece.iov_len; ++i, ++at)  // eight bytes each, the highest first
        bytes[i] = static_cast<std::uint8_t>(at / kLimits.block_size >> (56 - 8 * (at % 8)));
    }
    request.complete(block::Status::ok);
  }
};

struct AddressDisk : block::Device {
  AddressDisk() : Device("addresses", Uuid::from_name("lunar example: addresses")) {}
  [[nodiscard]] const char* kind() const override { return "addresses"; }
  [[nodiscard]] const block::Limits& limits() const override { return kLimits; }
  [[nodiscard]] const block::Capabilities& capabilities() const override { return kReadsOnly; }
  Result<std::unique_ptr<block::Channel>> open_channel(engine::Shard& /*shard*/) override {
    return std::make_unique<AddressChannel>();
  }
};

Result<void> serve(const char* portal, const sigset_t& until) {
  LUNAR_TRY(set_log_level("warning"));
  LUNAR_TRY_ASSIGN(const auto server, Server::create({}));
  LUNAR_TRY(server->add_device(std::make_unique<AddressDisk>()));
  LUNAR_TRY(server->add_target(kTarget));
  LUNAR_TRY(server->map(kTarget, Lun(0), "addresses"));
  LUNAR_TRY(server->add_portal(portal));
  LUNAR_TRY(server->start());
  std::printf("iscsi://%s/%s/0\n", server->listening().front().c_str(), kTarget);
  std::fflush(stdout);
  int signal = 0;
  sigwait(&until, &signal);
  server->stop();
  return {};
}

int main(int argc, char** argv) {
  sigset_t until;  // blocked before the shards' threads start, so that sigwait() gets them
  sigemptyset(&until);
  sigaddset(&until, SIGTERM);
  sigaddset(&until, SIGINT);
  pthread_sigmask(SIG_BLOCK, &until, nullptr);
  const Result<void> served = serve(argc > 1 ? argv[1] : "127.0.0.1:3260", until);
  if (!served) std::fprintf(stderr, "embed_example: %s\n", served.error().message.c_str());
  return served ? 0 : 1;
}

// What a Server is made of; for the composition root only.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "app/state_folder.h"
#include "block/registry.h"
#include "engine/blocking_worker.h"
#include "engine/shard_group.h"
#include "engine/uring_file.h"
#include "iscsi/service/service.h"
#include "lunar/server.h"
#include "scsi/core/logical_unit.h"
#include "state/store.h"

namespace lunar {

// Destroyed from the bottom up: what stands on something goes before it.
struct Server::Internals {
  // A call of the interface, one at a time. Never of a shard, which would wait for itself: that
  // ends the process with a line that says so.
  class Call {
   public:
    explicit Call(const Internals& self);

   private:
    std::unique_lock<std::mutex> lock_;
  };
  mutable std::mutex mutex;
  engine::UringFileIo files;
  engine::Prng prng{engine::Prng::system_seed()};
  std::unique_ptr<engine::ShardGroup> shards;
  // Their threads wake shards, and end before these.
  std::unique_ptr<state::Store> state_store;
  std::optional<app::MediaIdentities> identities;
  engine::BlockingWorker blocking_worker;
  std::optional<block::Registry> registry;
  struct MappedUnit {
    block::Claim claim;
    std::unique_ptr<scsi::LogicalUnit> unit;
    LunOptions options;       // that its users agree on
    bool writes = false;      // what the claim is
    std::size_t numbers = 0;  // that lead to it
  };
  std::map<const block::Disk*, MappedUnit> units;  // one logical unit a disk, whoever maps it
  std::optional<iscsi::Service> service;
  // What set_alua_state() has said, for logical units that come to a target later.
  struct AccessState {
    iscsi::TargetId target;
    std::uint16_t portal_group_tag;
    AluaState state;
    std::optional<bool> preferred;
  };
  std::vector<AccessState> access_states;
  std::vector<iscsi::Portal> pending_portals;  // until start()
  enum class State : unsigned char {
    set_up,   // add_*, map
    started,  // serving, or start() is about to fail
    failed,   // start() did: stopped for good
    stopped,  // for good
  };
  State state = State::set_up;

  [[nodiscard]] bool has_ended() const { return state == State::failed || state == State::stopped; }
  // Which method it is, for the error of one that comes too late.
  [[nodiscard]] Result<void> check_not_ended(const char* method) const;
};

}  // namespace lunar

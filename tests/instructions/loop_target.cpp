#include "loop_target.h"

#include <fmt/format.h>

#include "backends/ram/ram.h"

namespace lunar::instructions {
namespace {

engine::Task<void> add_target(iscsi::Service& service, Result<iscsi::TargetNode*>* added) {
  *added = co_await service.add_target(LoopTarget::kName);
}

}  // namespace

Result<std::unique_ptr<LoopTarget>> LoopTarget::start(std::size_t luns) {
  std::unique_ptr<LoopTarget> target(new LoopTarget);
  LUNAR_TRY(target->set_up(luns));
  return target;
}

Result<> LoopTarget::set_up(std::size_t luns) {
  LUNAR_TRY_ASSIGN(driver_, engine::UringDriver::create());
  LUNAR_TRY(driver_->enable());
  network_ = std::make_unique<engine::UringNetwork>(*driver_);
  const engine::ShardEnvironment environment{
      .clock = clock_, .driver = *driver_, .network = *network_, .seed = 1};
  shard_ = std::make_unique<engine::Shard>(0, environment);
  shards_ = {shard_.get()};
  engine::Shard::connect(shards_);
  engine::Shard::bind(shard_.get());

  service_ = std::make_unique<iscsi::Service>(shards_);
  Result<iscsi::TargetNode*> node;
  finish(add_target(*service_, &node));
  LUNAR_TRY(node);
  for (std::size_t i = 0; i < luns; ++i) {
    LUNAR_TRY_ASSIGN(auto device, backends::create_ram({.name = fmt::format("ram{}", i),
                                                        .size = ByteCount(kDiskBytes)}));
    devices_.push_back(std::move(device));
    disks_.push_back(std::make_unique<block::Disk>(*devices_.back(), shards_));
    units_.push_back(std::make_unique<scsi::LogicalUnit>(*disks_.back()));
    LUNAR_TRY((*node)->device.add(Lun(static_cast<std::uint16_t>(i)), *units_.back()));
  }
  Result<> outcome;
  finish(begin(&outcome));
  return outcome;
}

LoopTarget::~LoopTarget() {
  if (service_) finish(end());
  service_.reset();
  if (driver_) driver_->close_ring();
  engine::Shard::bind(nullptr);
}

namespace {

engine::Task<void> then_note(engine::Task<void> task, bool* done) {
  co_await task;
  *done = true;
}

}  // namespace

void LoopTarget::finish(engine::Task<void> task) {
  bool done = false;
  then_note(std::move(task), &done).detach();
  while (!done) turn();
}

engine::Task<void> LoopTarget::begin(Result<>* outcome) {
  for (const auto& unit : units_) {
    *outcome = co_await unit->open(*shard_);
    if (!*outcome) co_return;
  }
  *outcome = co_await service_->start();
  if (!*outcome) co_return;
  std::vector<iscsi::Portal> portals(1);
  portals[0].address.bytes = {127, 0, 0, 1};
  *outcome = co_await service_->open_portals(std::move(portals));
  if (*outcome) endpoint_ = iscsi::endpoint_of(service_->portals()[0].address);
}

engine::Task<void> LoopTarget::end() {
  co_await service_->stop(0);
  for (const auto& unit : units_) co_await unit->stop(*shard_);
}

}  // namespace lunar::instructions

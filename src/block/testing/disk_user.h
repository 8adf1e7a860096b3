// A user of a Disk on one simulated shard: submits, leases and borrows as a protocol would.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "block/await_request.h"
#include "block/disk.h"
#include "block/testing/bench.h"
#include "engine/sim/world.h"

namespace lunar::block::testing {

class TestUser final : DiskUser, FrontUser, Borrower {
 public:
  TestUser(engine::sim::World& world, Disk& disk, std::size_t shard)
      : world_(world), disk_(disk), shard_index_(shard) {
    disk_.subscribe(*this);
  }

  // ---- Its life. close() comes before its destructor.
  void start_to_open() {
    bind();
    open_now().detach();
  }
  Result<void> try_to_open() {
    start_to_open();
    world_.run_until([this] { return opened_.has_value(); });
    return *opened_;
  }
  void open() { ASSERT_TRUE(try_to_open()); }
  [[nodiscard]] bool is_open() const { return front_ != nullptr; }
  void close() {
    static_cast<FrontUser&>(*this).unlink();
    borrowing_.unlink();
    front_ = nullptr;
    world_.run([this] { return disk_.close(world_.shard(shard_index_)); }, shard_index_);
  }
  [[nodiscard]] Front& front() { return *front_; }

  // ---- Requests, with data of one value.
  struct Work : TestRequest {
    using TestRequest::TestRequest;
    std::vector<std::byte> data;
  };
  std::unique_ptr<Work> start(Op op, std::uint64_t lba, std::uint64_t count,
                              std::uint8_t value = 0) {
    auto work = make(op, lba, count, value);
    bind();
    front_->submit(*work);
    return work;
  }
  Status run(Op op, std::uint64_t lba, std::uint64_t count, std::uint8_t value = 0) {
    return finish(*start(op, lba, count, value));
  }
  Status run_as_holder(Op op, std::uint64_t lba, std::uint64_t count, std::uint8_t value = 0) {
    const auto work = make(op, lba, count, value);
    bind();
    front_->submit_as_holder(*work);
    return finish(*work);
  }

  // ---- An exclusive range, one at a time.
  void hold(Range range, Exclusion exclusion) {
    hold_ = std::make_unique<Hold>(range, exclusion);
    bind();
    take(*hold_).detach();
  }
  [[nodiscard]] bool has_range() const { return hold_->taken; }
  void give_back() {
    bind();
    give(std::move(hold_)).detach();
  }
  // What an atomic write is made of.
  Status write_atomic(std::uint64_t lba, std::uint64_t count, std::uint8_t value) {
    bind();
    std::optional<Status> outcome;
    write_alone({Lba(lba), BlockCount(count)}, value, outcome).detach();
    world_.run_until([&] { return outcome.has_value(); });
    return *outcome;
  }
  // Compares with a value, and writes another.
  Status compare_and_write(std::uint64_t lba, std::uint8_t expected, std::uint8_t value) {
    hold({Lba(lba), BlockCount(1)}, Exclusion::writes);
    world_.run_until([this] { return has_range(); });
    Status status = run_as_holder(Op::compare, lba, 1, expected);
    if (status == Status::ok) status = run_as_holder(Op::write, lba, 1, value);
    give_back();
    return status;
  }

  // ---- A write window, one at a time.
  MutableBytes lease(std::uint64_t lba, std::uint64_t count) {
    bind();
    const MutableBytes window = front_->write_window(Lba(lba), BlockCount(count));
    if (!window.empty()) {
      window_ = window;
      leased_ = {Lba(lba), BlockCount(count)};
    }
    return window;
  }
  // All of its data come, and it is written.
  Status submit_lease(std::uint8_t value) {
    std::ranges::fill(window_, std::byte{value});
    TestRequest request(Op::write, leased_->lba.value, leased_->count.value);
    request.set_buffer(window_.data(), window_.size());
    bind();
    front_->submit(request);
    const Status status = finish(request);
    end_lease();
    return status;
  }
  void end_lease() {
    bind();
    leased_.reset();
    if (waits_) lease_ended_.set();
  }

  // ---- Loans.
  void borrow(std::uint64_t lba, std::uint64_t count) {
    TestRequest read(Op::read, lba, count, kLend);
    bind();
    front_->submit(read);
    ASSERT_EQ(finish(read), Status::ok);
    Loan& loan = loans_.emplace_back();
    loan.data = {static_cast<const std::byte*>(read.iov->iov_base), read.iov->iov_len};
    loan.as_lent.assign(loan.data.begin(), loan.data.end());
  }
  [[nodiscard]] std::size_t kept() const { return kept_; }
  [[nodiscard]] bool loans_are_as_lent() const {
    return std::ranges::all_of(
        loans_, [](const Loan& loan) { return std::ranges::equal(loan.data, loan.as_lent); });
  }

  // ---- The state.
  std::vector<DiskState> told;
  bool refuses = false;     // what takes away
  std::size_t returns = 0;  // of the device

 private:
  struct Hold {
    Hold(Range range, Exclusion exclusion) : place(range, exclusion) {}
    RangeLocks::Hold place;
    bool taken = false;
  };
  struct Loan {
    Bytes data;
    std::vector<std::byte> as_lent;
    std::vector<std::byte> copy;
  };

  void bind() { engine::Shard::bind(&world_.shard(shard_index_)); }
  engine::Task<void> open_now() {
    opened_.reset();
    auto opening = disk_.open(world_.shard(shard_index_));
    Result<Front*> front = co_await opening;
    if (!front) {
      opened_ = std::unexpected(front.error());
      co_return;
    }
    front_ = *front;
    front_->add(static_cast<FrontUser&>(*this));
    front_->add(borrowing_);
    opened_.emplace();
  }
  std::unique_ptr<Work> make(Op op, std::uint64_t lba, std::uint64_t count, std::uint8_t value) {
    auto work = std::make_unique<Work>(op, lba, count);
    work->data = filled(count * disk_.device().limits().block_size, value);
    work->set_buffer(work->data.data(), work->data.size());
    return work;
  }
  Status finish(TestRequest& request) {
    world_.run_until([&] { return request.finished; });
    EXPECT_TRUE(request.finished);
    return request.status;
  }
  engine::Task<void> take(Hold& hold) {
    co_await disk_.range_locks().lock(hold.place);
    hold.taken = true;
  }
  engine::Task<void> give(std::unique_ptr<Hold> hold) {
    co_await disk_.range_locks().unlock(hold->place);
  }
  engine::Task<void> write_alone(Range range, std::uint8_t value, std::optional<Status>& outcome) {
    RangeLocks::Hold place(range, Exclusion::all);
    co_await disk_.range_locks().lock(place);
    AwaitableRequest which;
    which.prepare(Op::read, range.lba, range.count, kLend);
    Status status = co_await which.submit_as_holder_to(*front_);
    if (status == Status::ok) co_await disk_.keep_lent_data(which.buffers());
    std::vector<std::byte> data = filled(range.count.value * 512, value);
    AwaitableRequest write;
    write.prepare(Op::write, range.lba, range.count);
    write.set_buffer(data.data(), data.size());
    if (status == Status::ok) status = co_await write.submit_as_holder_to(*front_);
    co_await disk_.range_locks().unlock(place);
    outcome = status;
  }

  // ---- DiskUser, FrontUser, Borrower
  engine::Task<Result<void>> adopt(const DiskState& disk_state) override {
    const DiskState& now = disk_.state();
    const bool takes =
        disk_state.capacity < now.capacity || (disk_state.write_protected && !now.write_protected);
    if (takes && refuses) co_return fail(ErrorCode::busy, "not now");
    told.push_back(disk_state);
    co_return Result<void>();
  }
  engine::Task<void> came_back() override {
    ++returns;
    co_return;
  }
  engine::Task<void> leases_ended(Range range) override {
    if (!leased_ || !leased_->overlaps(range)) co_return;
    waits_ = true;
    lease_ended_.reset();
    co_await lease_ended_;
    waits_ = false;
  }
  [[nodiscard]] std::string name() override { return "a test"; }
  void keep_lent_data(Bytes memory) override {
    for (Loan& loan : loans_) {
      const bool overlaps = loan.data.data() < memory.data() + memory.size() &&
                            memory.data() < loan.data.data() + loan.data.size();
      if (!overlaps || !loan.copy.empty()) continue;
      loan.copy.assign(loan.data.begin(), loan.data.end());
      loan.data = loan.copy;
      ++kept_;
    }
  }

  engine::sim::World& world_;
  Disk& disk_;
  const std::size_t shard_index_;
  Front* front_ = nullptr;
  std::optional<Result<void>> opened_;
  Borrowing borrowing_{*this};
  std::unique_ptr<Hold> hold_;
  MutableBytes window_;
  std::optional<Range> leased_;
  bool waits_ = false;
  engine::Event lease_ended_;
  std::vector<Loan> loans_;
  std::size_t kept_ = 0;
};

}  // namespace lunar::block::testing

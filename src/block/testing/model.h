// Random requests against a device and against an array that says what must come out.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "block/iov.h"
#include "block/testing/bench.h"

namespace lunar::block::testing {

// The device holds only zeroes at first. Several requests run at once, but only on disjoint blocks,
// as the order of overlapping ones is nobody's promise.
class ModelRun {
 public:
  ModelRun(Bench& bench, std::uint64_t seed)
      : bench_(bench),
        prng_(seed),
        block_size_(bench.front().limits().block_size),
        blocks_(bench.front().limits().capacity.value),
        model_(blocks_ * block_size_) {}

  void run(unsigned rounds) {
    for (unsigned i = 0; i < rounds && !::testing::Test::HasFailure(); ++i) round();
    check_all();
  }

 private:
  static constexpr std::uint64_t kLanes = 4;

  struct Work {
    explicit Work(Op op, std::uint64_t lba, std::uint64_t count, RequestFlags flags)
        : request(op, lba, count, flags) {}
    TestRequest request;
    std::vector<std::byte> memory;
    std::vector<iovec> pieces_before;
  };

  // One request in each quarter of the device.
  void round() {
    std::vector<std::unique_ptr<Work>> works;
    for (std::uint64_t lane = 0; lane < kLanes; ++lane) {
      works.push_back(make(lane * blocks_ / kLanes, blocks_ / kLanes));
      bench_.front().submit(works.back()->request);
    }
    for (auto& work : works) {
      bench_.finish(work->request);
      check(*work);
    }
  }

  std::unique_ptr<Work> make(std::uint64_t first, std::uint64_t room) {
    static constexpr Op kOps[] = {Op::read,         Op::write,      Op::write,   Op::unmap,
                                  Op::write_zeroes, Op::write_same, Op::compare, Op::flush};
    const Op op = kOps[prng_.below(std::size(kOps))];
    const std::uint64_t offset = prng_.below(room + 1);
    const std::uint64_t count = op == Op::flush ? 0 : prng_.below(room - offset + 1);
    RequestFlags flags = 0;
    if (prng_.below(4) == 0) flags |= kFua;
    if (op == Op::write_zeroes && prng_.below(2) == 0) flags |= kMayUnmap;
    auto work = std::make_unique<Work>(op, first + offset, count, flags);
    switch (op) {
      case Op::read:
      case Op::write:
      case Op::compare: give_buffers(*work, count * block_size_); break;
      case Op::write_same: give_buffers(*work, block_size_); break;
      case Op::unmap:
      case Op::write_zeroes:
      case Op::flush: break;
    }
    if (op == Op::compare && prng_.below(2) == 0) {
      IovCursor(work->request.buffers()).copy_from(expected(*work));
    }
    return work;
  }
  // Pieces of any length at any address, filled with anything (now and then zeroes).
  void give_buffers(Work& work, std::size_t bytes) {
    const std::size_t skew = prng_.below(2) == 0 ? 0 : prng_.below(64);
    constexpr std::size_t kPage = 4096;
    work.memory.resize(bytes + skew + kPage);
    const auto fill = static_cast<std::uint8_t>(prng_.below(3) == 0 ? 0 : prng_.below(256));
    for (std::size_t i = 0; i < work.memory.size(); ++i) {
      work.memory[i] = static_cast<std::byte>(fill == 0 ? 0 : fill + i / block_size_);
    }
    auto address = reinterpret_cast<std::uintptr_t>(work.memory.data());
    std::byte* at = work.memory.data() + (round_up(address, kPage) - address) + skew % kPage;
    at = std::min(at, work.memory.data() + (work.memory.size() - bytes));
    while (bytes != 0) {
      std::size_t piece = bytes;
      if (prng_.below(2) == 0) piece = 1 + prng_.below(bytes);
      work.request.add_piece(at, piece);
      at += piece;
      bytes -= piece;
    }
    work.pieces_before = work.request.pieces;
  }

  Bytes expected(const Work& work) const {
    return Bytes(model_).subspan(work.request.lba.value * block_size_,
                                 work.request.count.value * block_size_);
  }
  MutableBytes expected(const Work& work) {
    return MutableBytes(model_).subspan(work.request.lba.value * block_size_,
                                        work.request.count.value * block_size_);
  }

  void check(Work& work) {
    const TestRequest& request = work.request;
    for (std::size_t i = 0; i < work.pieces_before.size(); ++i) {
      ASSERT_EQ(request.pieces[i].iov_base, work.pieces_before[i].iov_base);
      ASSERT_EQ(request.pieces[i].iov_len, work.pieces_before[i].iov_len);
    }
    IovCursor cursor(request.buffers());
    const MutableBytes model = expected(work);
    if (request.op == Op::compare) {
      if (const auto offset = cursor.mismatch(model)) {
        ASSERT_EQ(request.status, Status::miscompare);
        ASSERT_EQ(request.miscompare_offset, *offset);
        return;
      }
    }
    ASSERT_EQ(request.status, Status::ok) << to_string(request.op);
    switch (request.op) {
      case Op::read: ASSERT_FALSE(cursor.mismatch(model)) << "read at " << request.lba.value; break;
      case Op::write: cursor.copy_to(model); break;
      case Op::unmap:
      case Op::write_zeroes: std::fill(model.begin(), model.end(), std::byte{0}); break;
      case Op::write_same:
        for (std::size_t at = 0; at < model.size(); at += block_size_) {
          IovCursor(request.buffers()).copy_to(model.subspan(at, block_size_));
        }
        break;
      case Op::compare:
      case Op::flush: break;
    }
  }
  void check_all() {
    const std::uint64_t step = 64;
    std::vector<std::byte> buffer(step * block_size_);
    for (std::uint64_t lba = 0; lba < blocks_; lba += step) {
      const std::uint64_t count = std::min(step, blocks_ - lba);
      const auto part = MutableBytes(buffer).first(count * block_size_);
      ASSERT_EQ(bench_.run(Op::read, lba, count, part), Status::ok);
      ASSERT_TRUE(
          std::ranges::equal(part, Bytes(model_).subspan(lba * block_size_, count * block_size_)))
          << "from block " << lba;
    }
  }

  Bench& bench_;
  engine::Prng prng_;
  const std::uint64_t block_size_;
  const std::uint64_t blocks_;
  std::vector<std::byte> model_;
};

}  // namespace lunar::block::testing

// Chooses the blocks of a run's I/Os, and whether each is a read or a write.
#pragma once

#include <cstdint>

#include "bench/options.h"
#include "engine/prng.h"

namespace lunar::bench {

class Workload {
 public:
  static constexpr std::uint64_t kMaxChunks = UINT32_MAX;

  // The range has `chunks` I/Os (1 to kMaxChunks) of `blocks_per_io` blocks each. `read_percent`:
  // for Work::mix.
  Workload(Work work, unsigned read_percent, bool sequential, std::uint64_t chunks,
           std::uint32_t blocks_per_io, std::uint64_t seed)
      : work_(work),
        read_percent_(read_percent),
        sequential_(sequential),
        chunks_(chunks),
        blocks_per_io_(blocks_per_io),
        prng_(seed) {}

  struct Io {
    bool write = false;
    std::uint64_t chunk = 0;
    std::uint64_t lba = 0;
  };
  Io next() {
    const std::uint64_t chunk = sequential_ ? advance() : random();
    return {is_write(), chunk, chunk * blocks_per_io_};
  }

 private:
  // Avoids the divisions of Prng::below(). Its bias of one in 2**32 does not matter here.
  std::uint64_t random() { return ((prng_.next() >> 32) * chunks_) >> 32; }
  std::uint64_t advance() {
    const std::uint64_t chunk = cursor_;
    if (++cursor_ == chunks_) cursor_ = 0;
    return chunk;
  }
  bool is_write() {
    switch (work_) {
      case Work::read: return false;
      case Work::write: return true;
      case Work::mix: return ((prng_.next() >> 32) * 100) >> 32 >= read_percent_;
    }
    return false;
  }

  const Work work_;
  const unsigned read_percent_;
  const bool sequential_;
  const std::uint64_t chunks_;
  const std::uint32_t blocks_per_io_;
  engine::Prng prng_;
  std::uint64_t cursor_ = 0;
};

}  // namespace lunar::bench

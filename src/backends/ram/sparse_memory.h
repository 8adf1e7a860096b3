// Memory that exists where it was written to.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/bytes.h"
#include "lunar/result.h"
#include "lunar/types.h"

namespace lunar::backends {

// In what the kernel gives memory to a mapping at the first touch.
enum class Pages : std::uint8_t {
  small,  // 4 KiB
  huge,   // 2 MiB where the kernel has such at hand (transparent huge pages), else 4 KiB
};

// An anonymous mapping without reserved swap: untouched pages read as zeroes and cost nothing.
class Mapping {
 public:
  static Result<Mapping> create(std::uint64_t bytes, Pages pages = Pages::small);
  Mapping(Mapping&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
  Mapping& operator=(Mapping&&) = delete;
  ~Mapping();
  [[nodiscard]] MutableBytes bytes() const { return bytes_; }

 private:
  explicit Mapping(MutableBytes bytes) : bytes_(bytes) {}
  MutableBytes bytes_;
};

// The medium, and a map of which pieces of it have been written to. Any thread may call anything;
// what overlapping concurrent writes leave is, as on a disk, one of them.
class SparseMemory {
 public:
  static constexpr std::uint64_t kPieceBytes = 64 * kKiB;  // of the map
  static constexpr std::uint64_t kPageBytes = 4 * kKiB;    // what can be freed

  // `reserved`: what it can grow to, in address space; as much of it as can be had, at least
  // `bytes`.
  static Result<SparseMemory> create(std::uint64_t bytes, std::uint64_t reserved = 0,
                                     Pages pages = Pages::small);

  [[nodiscard]] std::uint64_t size() const {
    return std::atomic_ref(size_).load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t reserved() const { return medium_.bytes().size(); }
  // At most reserved(). What is beyond a smaller size is freed; nobody uses it meanwhile. The
  // memory stays where it is. By one thread at a time, while others use the rest.
  void resize(std::uint64_t bytes);

  [[nodiscard]] std::byte* at(std::uint64_t offset) const {
    return medium_.bytes().data() + offset;
  }

  // The bytes [offset, offset + length) have been written to: call it after the write, so that a
  // discard of the same bytes cannot slip between and leave data that the map denies.
  void mark(std::uint64_t offset, std::uint64_t length);
  // Zeroes the range and frees what pages it covers.
  void discard(std::uint64_t offset, std::uint64_t length);

  struct Run {
    std::uint64_t length;
    bool allocated;
  };
  // The run of equally allocated bytes that starts at `offset`, at most `limit` long.
  [[nodiscard]] Run run_at(std::uint64_t offset, std::uint64_t limit) const;

 private:
  SparseMemory(Mapping medium, Mapping map, std::uint64_t size)
      : medium_(std::move(medium)), map_(std::move(map)), size_(size) {}
  void free_range(std::uint64_t offset, std::uint64_t end, std::uint64_t end_of_medium);
  // One byte a piece, so that shards store to it without an atomic read-modify-write.
  [[nodiscard]] std::atomic_ref<std::uint8_t> piece(std::uint64_t index) const {
    return std::atomic_ref(reinterpret_cast<std::uint8_t&>(map_.bytes()[index]));
  }

  Mapping medium_;
  Mapping map_;
  mutable std::uint64_t size_;  // only through an atomic_ref
};

}  // namespace lunar::backends

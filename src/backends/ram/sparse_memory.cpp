#include "backends/ram/sparse_memory.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/medium_access.h"
#include "base/size.h"

namespace lunar::backends {

namespace {

constexpr std::uint64_t kHugePageBytes = 2 * kMiB;

// Begins at a multiple of `alignment`, one of pages. Null: errno says why.
std::byte* map_aligned(std::uint64_t bytes, std::uint64_t alignment) {
  const std::uint64_t room = bytes + alignment;
  void* mapped = mmap(nullptr, room, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  auto* const begin = static_cast<std::byte*>(mapped);
  const std::uint64_t before = -reinterpret_cast<std::uintptr_t>(begin) % alignment;
  const std::uint64_t end = before + round_up(bytes, SparseMemory::kPageBytes);
  if (before != 0) munmap(begin, before);
  if (end < room) munmap(begin + end, room - end);
  return begin + before;
}

}  // namespace

Result<Mapping> Mapping::create(std::uint64_t bytes, Pages pages) {
  std::byte* const memory =
      map_aligned(bytes, pages == Pages::huge ? kHugePageBytes : SparseMemory::kPageBytes);
  if (memory == nullptr) {
    return fail(ErrorCode::no_resource,
                fmt::format("cannot map {} of memory: {} (see vm.overcommit_memory and ulimit -v)",
                            format_size(bytes), std::strerror(errno)));
  }
  // A wish: a kernel that knows no huge pages serves as well.
  (void)madvise(memory, bytes, pages == Pages::huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
  return Mapping({memory, bytes});
}

Mapping::~Mapping() {
  if (!bytes_.empty()) munmap(bytes_.data(), bytes_.size());
}

Result<SparseMemory> SparseMemory::create(std::uint64_t bytes, std::uint64_t reserved,
                                          Pages pages) {
  auto roomy = Mapping::create(std::max(bytes, reserved), pages);
  // A limit of address space (ulimit -v) costs the room to grow, not the disk.
  if (!roomy && reserved > bytes) return create(bytes, bytes, pages);
  if (!roomy) return std::unexpected(roomy.error());
  const std::uint64_t pieces = round_up(roomy->bytes().size(), kPieceBytes) / kPieceBytes;
  LUNAR_TRY_ASSIGN(Mapping map, Mapping::create(pieces));
  return SparseMemory(std::move(*roomy), std::move(map), bytes);
}

void SparseMemory::resize(std::uint64_t bytes) {
  const std::uint64_t before = size();
  std::atomic_ref(size_).store(bytes, std::memory_order_relaxed);
  if (bytes < before) free_range(bytes, before, before);
}

void SparseMemory::mark(std::uint64_t offset, std::uint64_t length) {
  if (length == 0) return;
  const std::uint64_t last = (offset + length - 1) / kPieceBytes;
  for (std::uint64_t i = offset / kPieceBytes; i <= last; ++i) {
    // Mostly set already: a look keeps the line shared among cores.
    if (piece(i).load(std::memory_order_relaxed) == 0) piece(i).store(1, std::memory_order_relaxed);
  }
}

void SparseMemory::discard(std::uint64_t offset, std::uint64_t length) {
  free_range(offset, offset + length, size());
}

void SparseMemory::free_range(std::uint64_t offset, std::uint64_t end,
                              std::uint64_t end_of_medium) {
  // The map first and the memory then. A concurrent write that survives has touched its page after
  // it was freed, so by then it sees the cleared map, and marks it (the kernel's page table lock
  // orders the two).
  const std::uint64_t first_piece = round_up(offset, kPieceBytes) / kPieceBytes;
  const std::uint64_t end_piece =
      end == end_of_medium ? round_up(end, kPieceBytes) / kPieceBytes : end / kPieceBytes;
  for (std::uint64_t i = first_piece; i < end_piece; ++i) {
    if (piece(i).load(std::memory_order_relaxed) != 0) piece(i).store(0, std::memory_order_relaxed);
  }
  const std::uint64_t first_page = std::min(round_up(offset, kPageBytes), end);
  const std::uint64_t end_page = std::max(end / kPageBytes * kPageBytes, first_page);
  const MediumAccess access;
  std::memset(at(offset), 0, first_page - offset);
  if (first_page != end_page &&
      madvise(at(first_page), end_page - first_page, MADV_DONTNEED) != 0) {
    std::memset(at(first_page), 0, end_page - first_page);  // locked memory (mlockall) stays
  }
  std::memset(at(end_page), 0, end - end_page);
}

SparseMemory::Run SparseMemory::run_at(std::uint64_t offset, std::uint64_t limit) const {
  const auto allocated = [&](std::uint64_t at_offset) {
    return piece(at_offset / kPieceBytes).load(std::memory_order_relaxed) != 0;
  };
  const bool first = allocated(offset);
  const std::uint64_t end = offset + limit;
  std::uint64_t at_offset = offset;
  while (at_offset < end && allocated(at_offset) == first) {
    at_offset = (at_offset / kPieceBytes + 1) * kPieceBytes;
  }
  return {std::min(at_offset, end) - offset, first};
}

}  // namespace lunar::backends

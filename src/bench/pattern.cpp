#include "bench/pattern.h"

#include "base/endian.h"

namespace lunar::bench {
namespace {

// The finaliser of splitmix64: neighbouring values differ in half of their bits.
std::uint64_t word_at(std::uint64_t run, std::uint64_t offset_bytes) {
  std::uint64_t z = run + (offset_bytes / 8 + 1) * 0x9e3779b97f4a7c15U;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31);
}

}  // namespace

void fill_pattern(std::uint64_t run, std::uint64_t offset_bytes, MutableBytes into) {
  for (std::size_t at = 0; at < into.size(); at += 8) {
    const le64 word = word_at(run, offset_bytes + at);
    std::memcpy(into.data() + at, &word, sizeof word);
  }
}

std::optional<std::uint64_t> find_mismatch(std::uint64_t run, std::uint64_t offset_bytes,
                                           Bytes bytes) {
  for (std::size_t at = 0; at < bytes.size(); at += 8) {
    const auto word = load<le64>(bytes.subspan(at));
    if (!word || word->value() != word_at(run, offset_bytes + at)) return offset_bytes + at;
  }
  return std::nullopt;
}

}  // namespace lunar::bench

// Random numbers, reproducible from a seed. Not for secrets: those come from OpenSSL.
#pragma once

#include <array>
#include <cstdint>

namespace lunar::engine {

// xoshiro256**: 256 bits of state from one seed.
class Prng {
 public:
  explicit Prng(std::uint64_t seed);
  // A seed from the kernel.
  static std::uint64_t system_seed();

  std::uint64_t next();
  // Uniform in [0, bound), bound > 0.
  std::uint64_t below(std::uint64_t bound);
  std::array<std::uint8_t, 16> bytes16();

 private:
  std::array<std::uint64_t, 4> state_;
};

}  // namespace lunar::engine

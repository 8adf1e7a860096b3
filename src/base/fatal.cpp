#include "base/fatal.h"

#include <cstdio>
#include <cstdlib>

#include "base/log.h"

namespace lunar {

void fatal(std::string_view line) {
  log::flush(log::kExitPatience);
  // No allocation: the error may be that memory is exhausted.
  std::fprintf(stderr, "lunar: %.*s\n", static_cast<int>(line.size()), line.data());
  std::fflush(stderr);
  std::abort();
}

}  // namespace lunar

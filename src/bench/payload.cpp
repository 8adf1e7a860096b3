#include "bench/payload.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "bench/pattern.h"

namespace lunar::bench {

Result<Payload> Payload::make(std::size_t bytes, std::uint64_t run) {
  const int fd = memfd_create("lunar-bench-payload", MFD_CLOEXEC);
  void* memory = MAP_FAILED;
  if (fd >= 0 && ftruncate(fd, static_cast<off_t>(bytes)) == 0) {
    memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  }
  if (memory == MAP_FAILED) {
    const int error = errno;
    if (fd >= 0) close(fd);
    return fail(ErrorCode::no_resource,
                fmt::format("no memory for one I/O of {} bytes: {}", bytes, std::strerror(error)));
  }
  const MutableBytes whole{static_cast<std::byte*>(memory), bytes};
  fill_pattern(run, 0, whole);
  return Payload(fd, whole);
}

Payload::Payload(Payload&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), bytes_(std::exchange(other.bytes_, {})) {}

Payload::~Payload() {
  if (fd_ < 0) return;
  munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
  close(fd_);
}

}  // namespace lunar::bench

// Marks accesses to a medium's bytes for the thread sanitizer.
//
// A medium's bytes are the only data that shards share without synchronising. Overlapping commands
// may run on several shards at once; as on any disk, the result is that of one or the other (SAM-5:
// the device server orders only what task attributes ask for). The initiator orders commands that
// do not overlap in time; the sanitizer cannot see that order. So code that moves these bytes holds
// a MediumAccess, and the sanitizer ignores its accesses. Other builds pay nothing.
#pragma once

#include <cstddef>
#include <cstring>

#if defined(__SANITIZE_THREAD__)
#define LUNAR_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define LUNAR_THREAD_SANITIZER 1
#endif
#endif

#ifdef LUNAR_THREAD_SANITIZER
extern "C" {
void AnnotateIgnoreReadsBegin(const char* file, int line);
void AnnotateIgnoreReadsEnd(const char* file, int line);
void AnnotateIgnoreWritesBegin(const char* file, int line);
void AnnotateIgnoreWritesEnd(const char* file, int line);
}
#endif

namespace lunar {

class MediumAccess {
 public:
#ifdef LUNAR_THREAD_SANITIZER
  MediumAccess() {
    AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
  }
  ~MediumAccess() {
    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
    AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
  }
#else
  MediumAccess() {}   // NOLINT(modernize-use-equals-default): a used variable
  ~MediumAccess() {}  // NOLINT(modernize-use-equals-default)
#endif
  MediumAccess(const MediumAccess&) = delete;
  MediumAccess& operator=(const MediumAccess&) = delete;
};

// memmove where either side may be a medium's memory.
inline void copy_medium(std::byte* to, const std::byte* from, std::size_t count) {
  const MediumAccess access;
  std::memmove(to, from, count);
}

}  // namespace lunar

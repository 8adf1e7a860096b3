// Bytes of a medium are the one thing that shards share without ordering them: commands that
// overlap may be under way on several shards at once, and what they leave is, as on any disk, one
// or the other (SAM-5: the device server orders only what task attributes ask for). Commands that
// do not overlap in time are ordered by the initiator, which the thread sanitizer cannot see.
//
// So code that moves a medium's bytes says so with a MediumAccess, and the sanitizer looks away for
// its lifetime; everything else is still checked. Costs nothing in other builds.
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

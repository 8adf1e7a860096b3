// A SQLite VFS with faults: calls that fail, a process that dies in the middle of a change, a power
// loss that discards unsynced data.
#pragma once

#include <sqlite3.h>

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <string>

namespace lunar::state::testing {

// One at a time per process. Files are opened by one thread at a time.
class FaultyVfs {
 public:
  FaultyVfs() : real_(*sqlite3_vfs_find(nullptr)), vfs_(real_) {
    vfs_.iVersion = 1;
    vfs_.pNext = nullptr;
    vfs_.zName = kName;
    vfs_.pAppData = this;
    vfs_.szOsFile = static_cast<int>(sizeof(File)) + real_.szOsFile;
    vfs_.xOpen = open;
    vfs_.xDelete = remove;
    vfs_.xAccess = [](sqlite3_vfs* self, const char* path, int flags, int* result) {
      return of(self).real_.xAccess(&of(self).real_, path, flags, result);
    };
    vfs_.xFullPathname = [](sqlite3_vfs* self, const char* path, int bytes, char* out) {
      return of(self).real_.xFullPathname(&of(self).real_, path, bytes, out);
    };
    vfs_.xGetLastError = [](sqlite3_vfs*, int, char*) { return 0; };
    sqlite3_vfs_register(&vfs_, 0);
  }
  FaultyVfs(const FaultyVfs&) = delete;
  FaultyVfs& operator=(const FaultyVfs&) = delete;
  ~FaultyVfs() { sqlite3_vfs_unregister(&vfs_); }

  static constexpr const char* kName = "faulty";

  // Number of modifying calls, counted from the last reset to 0.
  unsigned calls = 0;
  unsigned syncs = 0;
  // Number of the first call that fails (0: none), how many fail, and with which code.
  unsigned fail_at = 0;
  unsigned failures = 1;
  int code = SQLITE_IOERR;
  std::function<void()> on_sync{};  // before each

  // From `call` on, nothing reaches the system, as after kill -9.
  void die_at(unsigned call) {
    fail_at = call;
    failures = ~0U;
  }
  // Discards what was not synced. No file may be open.
  void lose_power() {
    for (const auto& [path, written] : files_) {
      if (!written) {
        std::filesystem::remove(path);
      } else {
        std::ofstream(path, std::ios::binary | std::ios::trunc) << *written;
      }
    }
  }

 private:
  // A file as SQLite sees it. The real file follows it in memory. SQLite aligns it to 8 bytes.
  struct File : sqlite3_file {
    FaultyVfs* vfs;
    std::string* path;
    [[nodiscard]] sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
  };
  static_assert(alignof(File) <= 8 && sizeof(File) % 8 == 0);

  static FaultyVfs& of(sqlite3_vfs* self) { return *static_cast<FaultyVfs*>(self->pAppData); }
  static File& of(sqlite3_file* file) { return *static_cast<File*>(file); }

  [[nodiscard]] bool fails() {
    ++calls;
    return fail_at != 0 && calls >= fail_at && calls - fail_at < failures;
  }

  static int open(sqlite3_vfs* self, const char* path, sqlite3_file* out, int flags,
                  int* out_flags) {
    FaultyVfs& vfs = of(self);
    File& file = *static_cast<File*>(out);
    file.pMethods = nullptr;
    file.vfs = &vfs;
    const bool makes = (flags & SQLITE_OPEN_CREATE) != 0 && !std::filesystem::exists(path);
    if (makes && vfs.fails()) return SQLITE_CANTOPEN;
    const int result = vfs.real_.xOpen(&vfs.real_, path, file.real(), flags, out_flags);
    if (result != SQLITE_OK) return result;
    file.path = new std::string(path);
    if (makes) vfs.files_[path] = std::nullopt;
    file.pMethods = &kMethods;
    return SQLITE_OK;
  }
  static int remove(sqlite3_vfs* self, const char* path, int sync) {
    FaultyVfs& vfs = of(self);
    if (vfs.fails()) return vfs.code;
    return vfs.real_.xDelete(&vfs.real_, path, sync);
  }
  static int close(sqlite3_file* file) {
    delete of(file).path;
    return of(file).real()->pMethods->xClose(of(file).real());
  }
  static int write(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 offset) {
    if (of(file).vfs->fails()) return of(file).vfs->code;
    return of(file).real()->pMethods->xWrite(of(file).real(), bytes, count, offset);
  }
  static int truncate(sqlite3_file* file, sqlite3_int64 size) {
    if (of(file).vfs->fails()) return of(file).vfs->code;
    return of(file).real()->pMethods->xTruncate(of(file).real(), size);
  }
  static int sync(sqlite3_file* file, int flags) {
    FaultyVfs& vfs = *of(file).vfs;
    ++vfs.syncs;
    if (vfs.on_sync) vfs.on_sync();
    if (vfs.fails()) return vfs.code;
    const int result = of(file).real()->pMethods->xSync(of(file).real(), flags);
    if (result == SQLITE_OK) vfs.remember(file);
    return result;
  }
  // Reads through SQLite: opening and closing the file here would drop this process's locks.
  void remember(sqlite3_file* file) {
    sqlite3_int64 size = 0;
    of(file).real()->pMethods->xFileSize(of(file).real(), &size);
    std::string content(static_cast<std::size_t>(size), '\0');
    if (size != 0) {
      of(file).real()->pMethods->xRead(of(file).real(), content.data(), static_cast<int>(size), 0);
    }
    files_[*of(file).path] = std::move(content);
  }

  static inline const sqlite3_io_methods kMethods = [] {
    sqlite3_io_methods methods{};
    methods.iVersion = 1;
    methods.xClose = close;
    methods.xRead = [](sqlite3_file* file, void* bytes, int count, sqlite3_int64 offset) {
      return of(file).real()->pMethods->xRead(of(file).real(), bytes, count, offset);
    };
    methods.xWrite = write;
    methods.xTruncate = truncate;
    methods.xSync = sync;
    methods.xFileSize = [](sqlite3_file* file, sqlite3_int64* size) {
      return of(file).real()->pMethods->xFileSize(of(file).real(), size);
    };
    methods.xLock = [](sqlite3_file* file, int level) {
      return of(file).real()->pMethods->xLock(of(file).real(), level);
    };
    methods.xUnlock = [](sqlite3_file* file, int level) {
      return of(file).real()->pMethods->xUnlock(of(file).real(), level);
    };
    methods.xCheckReservedLock = [](sqlite3_file* file, int* result) {
      return of(file).real()->pMethods->xCheckReservedLock(of(file).real(), result);
    };
    methods.xFileControl = [](sqlite3_file* file, int op, void* argument) {
      return of(file).real()->pMethods->xFileControl(of(file).real(), op, argument);
    };
    methods.xSectorSize = [](sqlite3_file* file) {
      return of(file).real()->pMethods->xSectorSize(of(file).real());
    };
    methods.xDeviceCharacteristics = [](sqlite3_file* file) {
      return of(file).real()->pMethods->xDeviceCharacteristics(of(file).real());
    };
    return methods;
  }();

  sqlite3_vfs real_;
  sqlite3_vfs vfs_;
  // Contents of each file after a power loss. Unset: the file itself is lost.
  std::map<std::string, std::optional<std::string>> files_;
};

}  // namespace lunar::state::testing

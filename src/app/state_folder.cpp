#include "app/state_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <coroutine>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/log.h"
#include "base/start_thread.h"
#include "engine/shard.h"

namespace lunar::app {
namespace {

using engine::Descriptor;

constexpr std::size_t kMaxFileBytes = 16 * 1024 * 1024;

std::unexpected<Error> system_error(const std::string& path, const char* what) {
  const int error = errno;
  ErrorCode code = ErrorCode::io;
  if (error == EACCES || error == EPERM || error == EROFS) code = ErrorCode::permission;
  if (error == ENOSPC || error == EDQUOT || error == EMFILE) code = ErrorCode::no_resource;
  return fail(code, fmt::format("state {}: {}: {}", path, what, std::strerror(error)));
}

std::string header_of(std::string_view value) {
  return fmt::format("lunar state 1 {} {:08x}\n", value.size(), crc32c(as_bytes(value)));
}

// A signal is no answer.
int sync_file(int fd) {
  for (;;) {
    const int result = fsync(fd);
    if (result == 0 || errno != EINTR) return result;
  }
}

Result<void> sync_folder(const std::string& path) {
  const Descriptor folder(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0 || sync_file(folder.get()) != 0)
    return system_error(path, "cannot be synced");
  return {};
}

std::unexpected<Error> no_folder() {
  return fail(ErrorCode::not_found,
              "there is no state folder: neither HOME nor XDG_STATE_HOME is set, nor --state");
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// With all above it, each of them durable.
Result<void> make_folder(const std::string& path) {
  struct stat info{};
  if (stat(path.c_str(), &info) == 0) {
    if (S_ISDIR(info.st_mode)) return {};
    errno = ENOTDIR;
    return system_error(path, "cannot be used");
  }
  const std::string parent = parent_of(path);
  LUNAR_TRY(make_folder(parent));
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    return system_error(path, "cannot be made");
  Result<void> synced = sync_folder(parent);
  if (!synced) rmdir(path.c_str());  // or the next save would find it, and take it for durable
  return synced;
}

Result<void> write_all(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t count = write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return system_error(path, "cannot be written");
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

// A file with that text, or none when it is empty.
Result<void> replace_file(const std::string& path, const std::string& text) {
  if (text.empty()) {
    if (unlink(path.c_str()) != 0 && errno != ENOENT)
      return system_error(path, "cannot be removed");
    return {};
  }
  const std::string beside = path + ".new";
  {
    const Descriptor file(open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (file.get() < 0) return system_error(beside, "cannot be made");
    LUNAR_TRY(write_all(file.get(), text, beside));
    if (sync_file(file.get()) != 0) return system_error(beside, "cannot be synced");
  }
  if (rename(beside.c_str(), path.c_str()) != 0) return system_error(path, "cannot be replaced");
  return {};
}

Result<std::string> read_file(const Descriptor& file, const std::string& path) {
  std::string text;
  char piece[4096];
  for (;;) {
    const ssize_t count = read(file.get(), piece, sizeof(piece));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_error(path, "cannot be read");
    if (count == 0) return text;
    text.append(piece, static_cast<std::size_t>(count));
    if (text.size() > kMaxFileBytes) break;
  }
  return fail(ErrorCode::malformed, fmt::format("state {}: it is damaged: too long", path));
}

// Empty when there is none.
Result<std::string> text_of(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() >= 0) return read_file(file, path);
  if (errno == ENOENT) return std::string();
  return system_error(path, "cannot be read");
}

Result<std::string> check(const std::string& text, const std::string& path) {
  const std::size_t end_of_header = text.find('\n');
  if (end_of_header != std::string::npos) {
    std::string value = text.substr(end_of_header + 1);
    if (text.compare(0, end_of_header + 1, header_of(value)) == 0) return value;
  }
  return fail(ErrorCode::malformed,
              fmt::format("state {}: it is damaged: length or checksum do not fit; restore it, or "
                          "remove it to start without",
                          path));
}

}  // namespace

StateFolder::StateFolder(std::string path, std::function<Result<void>(const std::string&)> sync,
                         std::chrono::milliseconds patience)
    : given_(!path.empty()),
      path_(path.empty() ? default_state_folder() : std::move(path)),
      sync_folder_(std::move(sync)),
      patient_until_(std::chrono::steady_clock::now() + patience) {}

StateFolder::~StateFolder() {
  {
    const std::lock_guard guard(jobs_mutex_);
    ending_ = true;
  }
  jobs_changed_.notify_one();
  if (worker_.joinable()) worker_.join();
}

// ---- The thread

Result<void> StateFolder::start() {
  const std::lock_guard guard(jobs_mutex_);
  if (worker_.joinable()) return {};
  LUNAR_TRY_ASSIGN(worker_, start_thread("state", [this] { work(); }));
  return {};
}

void StateFolder::post(std::function<void()> job) {
  if (!start()) return job();
  {
    const std::lock_guard guard(jobs_mutex_);
    jobs_.push_back(std::move(job));
  }
  jobs_changed_.notify_one();
}

void StateFolder::work() {
  std::unique_lock guard(jobs_mutex_);
  for (;;) {
    jobs_changed_.wait(guard, [this] { return ending_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    const std::function<void()> job = std::move(jobs_.front());
    jobs_.pop_front();
    guard.unlock();
    job();
    guard.lock();
  }
}

namespace {

// Waits on a shard for what the thread does.
struct Waiting {
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) {
    engine::Shard* home = engine::Shard::current();
    start([this, home, waiter] {
      outcome = work();
      home->post_foreign([waiter] { waiter.resume(); });
    });
  }
  Result<void> await_resume() { return std::move(outcome); }

  std::function<void(std::function<void()>)> start;
  std::function<Result<void>()> work;
  Result<void> outcome{};
};

}  // namespace

engine::Task<Result<void>> StateFolder::save(Uuid unit, std::string name, std::string value) {
  Waiting waiting;
  waiting.start = [this](std::function<void()> job) { post(std::move(job)); };
  waiting.work = [this, &unit, &name, &value] { return save_now(unit, name, value); };
  co_return co_await waiting;
}

// ---- The files

Result<void> StateFolder::check_usable() const {
  if (path_.empty()) return no_folder();
  // The first of those above it that is there: the rest would be made in it.
  std::string path = path_;
  struct stat info{};
  errno = 0;
  while (stat(path.c_str(), &info) != 0 && errno == ENOENT && path != "/" && path != ".")
    path = parent_of(path);
  if (S_ISDIR(info.st_mode)) {
    if (faccessat(AT_FDCWD, path.c_str(), R_OK | W_OK | X_OK, AT_EACCESS) == 0) return {};
    return system_error(path, path == path_ ? "cannot be written" : "nothing can be made in it");
  }
  if (errno == EACCES) return system_error(path_, "cannot be used");
  return fail(ErrorCode::invalid_argument,
              fmt::format("state {}: cannot be used: it, or one above it, is no folder", path_));
}

Result<void> StateFolder::lock(const Uuid& unit) {
  const std::lock_guard guard(locks_mutex_);
  if (locks_.contains(unit)) return {};
  const std::string path = fmt::format("{}/{}/lock", path_, unit.to_string());
  Descriptor file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (file.get() < 0) return system_error(path, "cannot be made");
  if (!engine::lock_patiently(file.get(), LOCK_EX, patient_until_)) {
    if (errno != EWOULDBLOCK) return system_error(path, "cannot be locked");
    return fail(ErrorCode::busy,
                fmt::format("state {}: another process uses it; give this one a folder of its own "
                            "(--state), or the device another UUID",
                            path));
  }
  locks_.emplace(unit, std::move(file));
  return {};
}

Result<void> StateFolder::check_folder() const {
  if (path_.empty()) return no_folder();
  return {};
}

Result<void> StateFolder::save_now(const Uuid& unit, const std::string& name,
                                   const std::string& value) {
  LUNAR_TRY(check_folder());
  const std::string folder = fmt::format("{}/{}", path_, unit.to_string());
  LUNAR_TRY(make_folder(folder));
  LUNAR_TRY(lock(unit));
  return replace_durably(folder, name, value);
}

Result<void> StateFolder::replace_durably(const std::string& folder, const std::string& name,
                                          const std::string& value) {
  const std::string path = fmt::format("{}/{}", folder, name);
  LUNAR_TRY_ASSIGN(const std::string before, text_of(path));
  LUNAR_TRY(replace_file(path, value.empty() ? value : header_of(value) + value));
  Result<void> synced = sync(folder);
  if (synced) return {};
  // The caller goes on with the old value: it must be what the next start finds.
  Result<void> restored = replace_file(path, before);
  if (restored) restored = sync(folder);
  if (!restored) {
    log::limited(log::Level::error, path, "state",
                 "state {}: a new value could not be made durable, nor the old one again ({}): "
                 "which of them a power loss leaves is not known",
                 path, restored.error().message);
  }
  return synced;
}

Result<void> StateFolder::sync(const std::string& folder) const {
  return sync_folder_ ? sync_folder_(folder) : sync_folder(folder);
}

Result<std::string> StateFolder::load(const Uuid& unit, std::string_view name) {
  if (path_.empty()) return std::string();
  const std::string path = fmt::format("{}/{}/{}", path_, unit.to_string(), name);
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::string();
    if (errno == EACCES && !given_) return std::string();
    return system_error(path, "cannot be read");
  }
  LUNAR_TRY(lock(unit));
  LUNAR_TRY_ASSIGN(const std::string text, read_file(file, path));
  return check(text, path);
}

std::string StateFolder::place_of_identity(std::string_view key) const {
  return fmt::format("{}/devices/{}", path_, Uuid::from_name(key).to_string());
}

Result<std::string> StateFolder::load_identity(std::string_view key) {
  if (path_.empty()) return std::string();
  const std::string path = place_of_identity(key);
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::string();
    if (errno == EACCES && !given_) return std::string();
    return system_error(path, "cannot be read");
  }
  LUNAR_TRY_ASSIGN(const std::string text, read_file(file, path));
  return check(text, path);
}

Result<void> StateFolder::save_identity(std::string_view key, const std::string& record) {
  LUNAR_TRY(check_folder());
  const std::string folder = path_ + "/devices";
  LUNAR_TRY(make_folder(folder));
  return replace_durably(folder, Uuid::from_name(key).to_string(), record);
}

std::string default_state_folder() {
  if (geteuid() == 0) return "/var/lib/lunar";
  // As the XDG Base Directory Specification has it; relative paths there count as unset.
  const char* state_home = std::getenv("XDG_STATE_HOME");
  if (state_home != nullptr && state_home[0] == '/') return std::string(state_home) + "/lunar";
  const char* home = std::getenv("HOME");
  if (home != nullptr && home[0] == '/') return std::string(home) + "/.local/state/lunar";
  return {};
}

}  // namespace lunar::app

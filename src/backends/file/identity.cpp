#include "backends/file/identity.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"

namespace lunar::backends {
namespace {

constexpr const char* kUuidAttribute = "user.lunar.uuid";

// "7 since BOOT": what stands behind is the same while the machine runs.
std::string_view boot_of(const std::string& attachment) {
  return std::string_view(attachment).substr(std::min(attachment.find(' '), attachment.size()));
}

// Identity is never guessed: what cannot be told apart only across a restart of the machine are two
// blank media of one size.
bool is_same_device(const kinds::KnownMedium& then, const kinds::KnownMedium& now) {
  const std::string& attachment = then.signs.attachment;
  if (!attachment.empty() && attachment == now.signs.attachment) return true;
  if (then.signs.contents != now.signs.contents) return false;
  if (!then.signs.contents.empty()) return true;
  const bool one_boot = !attachment.empty() && boot_of(attachment) == boot_of(now.signs.attachment);
  return then.size_bytes == now.size_bytes && !one_boot;
}

class Identification {
 public:
  Identification(engine::File& file, engine::Prng* prng, const IdentityOptions& options)
      : file_(file), prng_(prng), options_(options) {}

  Result<std::optional<Uuid>> recognise() {
    const engine::FileInfo& info = file_.info();
    if (options_.uuid) return options_.uuid;
    if (!info.name.empty()) return Uuid::from_name("medium:" + info.name);
    if (!info.block_device) {
      LUNAR_TRY_ASSIGN(const std::optional<Uuid> attached, attribute());
      if (attached) return attached;
    }
    LUNAR_TRY_ASSIGN(const std::optional<kinds::KnownMedium> kept, load());
    if (!kept) return std::nullopt;
    const kinds::KnownMedium now = present(kept->uuid);
    const bool same =
        info.block_device ? is_same_device(*kept, now) : kept->signs.object == info.signs.object;
    return same ? std::optional(kept->uuid) : std::nullopt;
  }

  Result<Uuid> run() {
    const engine::FileInfo& info = file_.info();
    if (options_.uuid) return *options_.uuid;
    if (!info.name.empty()) return Uuid::from_name("medium:" + info.name);
    if (info.block_device) return of_block_device();
    return of_file();
  }

 private:
  Result<Uuid> of_file() {
    LUNAR_TRY_ASSIGN(const std::optional<Uuid> attached, attribute());
    if (attached) return *attached;
    std::optional<kinds::KnownMedium> kept;
    if (!file_.info().created) {  // what was kept was another's
      LUNAR_TRY_ASSIGN(kept, load());
    }
    if (kept && kept->signs.object != file_.info().signs.object) {
      log::warning("file {}: it is another file than the one with UUID {}: it gets one of its own",
                   options_.path, kept->uuid.to_string());
      kept.reset();
    }
    const Uuid uuid = kept ? kept->uuid : new_uuid();
    const Result<void> written = file_.set_attribute(kUuidAttribute, uuid.to_string(), true);
    if (written || kept) return uuid;
    if (written.error().code == ErrorCode::already_exists) {
      // Somebody else serves it, too, and was quicker.
      LUNAR_TRY_ASSIGN(const std::optional<Uuid> theirs, attribute());
      if (theirs) return *theirs;
    }
    return keep(uuid);
  }

  Result<Uuid> of_block_device() {
    LUNAR_TRY_ASSIGN(const std::optional<kinds::KnownMedium> kept, load());
    if (!kept) return keep(new_uuid());
    const kinds::KnownMedium now = present(kept->uuid);
    if (!is_same_device(*kept, now)) {
      return fail(
          ErrorCode::invalid_argument,
          fmt::format("file {}: its medium is not the one that was served here (it {}): give "
                      "uuid={} if it is, or remove {} if this is another",
                      options_.path, difference(*kept, now), kept->uuid.to_string(),
                      options_.store->place_of_identity(options_.key)));
    }
    // It is still known when what was found on it has changed; if not kept now, then next time.
    if (now != *kept) (void)save(now);
    return kept->uuid;
  }

  static std::string difference(const kinds::KnownMedium& then, const kinds::KnownMedium& now) {
    const auto name = [](const std::string& contents) {
      return contents.empty() ? "nothing" : contents.c_str();
    };
    if (then.signs.contents != now.signs.contents) {
      return fmt::format("held {} and holds {}", name(then.signs.contents),
                         name(now.signs.contents));
    }
    if (then.size_bytes == now.size_bytes) return "was taken away, and a blank one is in its place";
    return fmt::format("had {} bytes and has {}", then.size_bytes, now.size_bytes);
  }

  // Unset: there is none. What cannot be read, or is no UUID, is not taken for none.
  Result<std::optional<Uuid>> attribute() {
    const Result<std::string> text = file_.attribute(kUuidAttribute);
    if (!text) {
      const ErrorCode code = text.error().code;
      if (code == ErrorCode::not_found || code == ErrorCode::unsupported) return std::nullopt;
      return wrap(text.error(), fmt::format("file {}: its identity is not known", options_.path));
    }
    if (const auto uuid = Uuid::parse(*text)) return *uuid;
    return fail(
        ErrorCode::malformed,
        fmt::format("file {}: its attribute {} is no UUID: remove it (setfattr -x {} {}), or "
                    "give the disk a UUID, uuid=",
                    options_.path, kUuidAttribute, kUuidAttribute, options_.path));
  }

  Result<std::optional<kinds::KnownMedium>> load() {
    if (options_.store == nullptr) return std::nullopt;
    auto kept = options_.store->load_identity(options_.key);
    if (!kept) return wrap(kept.error(), fmt::format("file {}", options_.path));
    return kept;
  }

  [[nodiscard]] kinds::KnownMedium present(const Uuid& uuid) const {
    return {uuid, file_.info().size, file_.info().signs};
  }
  Result<void> save(const kinds::KnownMedium& record) {
    if (options_.store == nullptr) return fail(ErrorCode::not_found, "there is no state folder");
    return options_.store->save_identity(options_.key, record);
  }
  Result<Uuid> keep(const Uuid& uuid) {
    const Result<void> saved = save(present(uuid));
    if (saved) return uuid;
    return fail(ErrorCode::invalid_argument,
                fmt::format("file {}: neither its medium nor a state folder can keep its identity "
                            "({}): give it one, uuid={}",
                            options_.path, saved.error().message, uuid.to_string()));
  }

  Uuid new_uuid() {
    const auto random = prng_->bytes16();
    return Uuid::from_random(random);
  }

  engine::File& file_;
  engine::Prng* prng_;  // null: for recognise()
  const IdentityOptions& options_;
};

}  // namespace

Result<Uuid> identify(engine::File& file, engine::Prng& prng, const IdentityOptions& options) {
  return Identification(file, &prng, options).run();
}

Result<std::optional<Uuid>> recognise(engine::File& file, const IdentityOptions& options) {
  return Identification(file, nullptr, options).recognise();
}

}  // namespace lunar::backends

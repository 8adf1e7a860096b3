// A record: what is stored under one key, as entries with named fields. All records have one text
// form, readable by people, with a version, a length and a checksum.
//
//   lunar record 1 VERSION LENGTH CHECKSUM
//   registration key=161 holder=1 port=1 target=iqn.2026-11.example:a,t,0x0001
//
// A reader ignores unknown entries and fields, so adding some needs no new version. A record gets a
// new version when older readers would misunderstand it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lunar/result.h"

namespace lunar::state {

// Limit for the text of a record. The largest one written, 1024 registrations, is below 1 MiB.
constexpr std::size_t kMaxRecordBytes = 4UL * 1024 * 1024;

// One line of a record. Names consist of [a-z0-9_] and are not empty.
class Entry {
 public:
  explicit Entry(std::string_view name);

  // All return the entry, for chaining. A field is set once.
  Entry& set(std::string_view field, std::string_view value);  // any bytes
  Entry& set_number(std::string_view field, std::uint64_t value);
  Entry& set_hex(std::string_view field, std::string_view bytes);  // for mostly unprintable bytes

  [[nodiscard]] const std::string& name() const { return name_; }
  // Null: no such field.
  [[nodiscard]] const std::string* find(std::string_view field) const;
  // Nothing: no such field, not a number, or larger than `most`.
  [[nodiscard]] std::optional<std::uint64_t> number(std::string_view field,
                                                    std::uint64_t most = UINT64_MAX) const;
  [[nodiscard]] std::optional<bool> flag(std::string_view field) const;
  [[nodiscard]] std::optional<std::string> hex(std::string_view field) const;

  bool operator==(const Entry&) const = default;

 private:
  friend class Text;
  std::string name_;
  std::vector<std::pair<std::string, std::string>> fields_;
};

struct Record {
  std::uint32_t version = 1;
  std::vector<Entry> entries{};

  Entry& add(std::string_view name) { return entries.emplace_back(name); }
  // The first entry of that name. Null: none.
  [[nodiscard]] const Entry* find(std::string_view name) const;
  // unsupported: written by a later version of lunar.
  [[nodiscard]] Result<void> check_version(std::uint32_t newest) const;

  bool operator==(const Record&) const = default;
};

[[nodiscard]] std::string to_text(const Record& record);
// malformed: damaged; unsupported: written by a later version of lunar.
[[nodiscard]] Result<Record> parse_record(std::string_view text);

}  // namespace lunar::state

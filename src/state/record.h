// What is remembered under one key: entries with named fields. One text form for all records, so
// that people can read them, with a version, a length and a checksum.
//
//   lunar record 1 VERSION LENGTH CHECKSUM
//   registration key=161 holder=1 port=1 target=iqn.2026-11.example:a,t,0x0001
//
// A reader ignores entries and fields that it does not know: what is added later needs no other
// version. A record gets another version when older readers would misunderstand it.
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

// Of the text of one record. The largest that is written, 1024 registrations, has less than 1 MiB.
constexpr std::size_t kMaxRecordBytes = 4UL * 1024 * 1024;

// One line. Names are of [a-z0-9_] and not empty.
class Entry {
 public:
  explicit Entry(std::string_view name);

  // Each gives the entry, so that calls can follow one another. A field is set once.
  Entry& set(std::string_view field, std::string_view value);  // any bytes
  Entry& set_number(std::string_view field, std::uint64_t value);
  Entry& set_hex(std::string_view field, std::string_view bytes);  // readable where most are not

  [[nodiscard]] const std::string& name() const { return name_; }
  // Null: there is no such field.
  [[nodiscard]] const std::string* find(std::string_view field) const;
  // Nothing: there is none, or it has no such value, or more than `most`.
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
  // The first of that name; null: there is none.
  [[nodiscard]] const Entry* find(std::string_view name) const;
  // unsupported: a later lunar has written it.
  [[nodiscard]] Result<void> check_version(std::uint32_t newest) const;

  bool operator==(const Record&) const = default;
};

[[nodiscard]] std::string to_text(const Record& record);
// malformed: damaged; unsupported: a later lunar has written it.
[[nodiscard]] Result<Record> parse_record(std::string_view text);

}  // namespace lunar::state

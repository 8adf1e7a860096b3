#include "app/old_state.h"

#include <charconv>
#include <optional>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "lunar/uuid.h"
#include "scsi/spec/mode.h"

namespace lunar::app {
namespace {

using state::Entry;
using state::Record;

std::unexpected<Error> strange() {
  return fail(ErrorCode::malformed, "it is not in the form that lunar has written");
}

// Takes the text up to the separator; all that is left when there is none.
std::string_view take(std::string_view& rest, char separator) {
  const std::size_t at = rest.find(separator);
  const std::string_view head = rest.substr(0, at);
  rest.remove_prefix(at == std::string_view::npos ? rest.size() : at + 1);
  return head;
}

std::optional<std::uint64_t> number_of(std::string_view text, int base = 10) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Fields that are numbers, one after another. False: one is none.
bool take_numbers(std::string_view& rest, Entry& entry,
                  std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    const auto value = number_of(take(rest, ' '));
    if (!value) return false;
    entry.set_number(name, *value);
  }
  return true;
}

// "lunar reservations 1", "type 5" or "type -", a registration a line with its fields between tabs,
// "end".
Result<Record> reservations(std::string_view text) {
  if (take(text, '\n') != "lunar reservations 1") return strange();
  std::string_view type = take(text, '\n');
  if (take(type, ' ') != "type") return strange();
  Record record;
  if (type != "-") {
    const auto value = number_of(type);
    if (!value) return strange();
    record.add("reservation").set_number("type", *value);
  }
  while (text != "end\n") {
    std::string_view line = take(text, '\n');
    const std::string_view role = take(line, '\t');
    const auto key = number_of(take(line, '\t'), 16);
    const auto port = number_of(take(line, '\t'));
    const std::string_view target_port = take(line, '\t');
    if ((role != "holder" && role != "registered") || !key || !port || text.empty())
      return strange();
    record.add("registration")
        .set_number("key", *key)
        .set_number("holder", role == "holder" ? 1 : 0)
        .set_number("port", *port)
        .set("target_port", target_port)
        .set("initiator_port", line);
  }
  return record;
}

// "lunar self-tests 1", a result a line: code, outcome, segment, power on hours, LBA or "-", sense
// key, additional sense code.
Result<Record> self_tests(std::string_view text) {
  if (take(text, '\n') != "lunar self-tests 1") return strange();
  Record record;
  while (!text.empty()) {
    std::string_view line = take(text, '\n');
    Entry& entry = record.add("result");
    if (!take_numbers(line, entry, {"code", "outcome", "segment", "power_on_hours"}))
      return strange();
    if (line.starts_with("- ")) {
      line.remove_prefix(2);
    } else if (!take_numbers(line, entry, {"first_failure"})) {
      return strange();
    }
    if (!take_numbers(line, entry, {"sense_key", "additional_sense"}) || !line.empty())
      return strange();
  }
  return record;
}

// Mode pages one after another, each with its header.
Result<Record> mode_pages(std::string_view text) {
  ByteReader reader(as_bytes(text));
  Record record;
  while (reader.remaining() != 0) {
    const auto header = reader.read<scsi::spec::ModePageHeader>();
    if (!header) return strange();
    std::uint8_t subpage = 0;
    std::size_t length = header->page_length;
    if ((header->page_code & scsi::spec::kModePageSpf) != 0) {
      const auto rest = reader.read<be16>();
      if (!rest) return strange();
      subpage = header->page_length;  // where a subpage has its SUBPAGE CODE
      length = *rest;
    }
    const auto body = reader.read_bytes(length);
    if (!body) return strange();
    record.add("page")
        .set_number("code", header->page_code & scsi::spec::kModePageCodeMask)
        .set_number("subpage", subpage)
        .set_hex("values", as_text(*body));
  }
  return record;
}

// Words: kind, passes, invert, unrestricted exit, "protection=N" where there is one, the pattern in
// hexadecimal.
Result<Record> medium_operation(std::string_view text) {
  Record record;
  Entry& entry = record.add("operation");
  entry.set("kind", take(text, ' '));
  if (!take_numbers(text, entry, {"passes", "invert", "unrestricted_exit"})) return strange();
  constexpr std::string_view kProtection = "protection=";
  if (text.starts_with(kProtection)) {
    text.remove_prefix(kProtection.size());
    if (!take_numbers(text, entry, {"protection"})) return strange();
  }
  entry.set("pattern", text);
  return record;
}

// The length of the first of two, a new line, and both.
Result<Record> identifying_information(std::string_view text) {
  const auto length = number_of(take(text, '\n'));
  if (!length || *length > text.size()) return strange();
  Record record;
  record.add("information")
      .set_hex("bytes", text.substr(0, *length))
      .set("text", text.substr(*length));
  return record;
}

// A line a value, "NAME=VALUE".
Result<Record> medium(std::string_view text) {
  Record record;
  Entry& entry = record.add("medium");
  while (!text.empty()) {
    std::string_view line = take(text, '\n');
    const std::string_view name = take(line, '=');
    for (const std::string_view known : {"uuid", "size", "object", "attachment", "contents"}) {
      if (name == known && entry.find(known) == nullptr) entry.set(name, line);
    }
  }
  return record;
}

struct OldValue {
  const char* name;
  Result<Record> (*convert)(std::string_view text);
};
constexpr OldValue kOldValues[] = {{"reservations", reservations},
                                   {"self_tests", self_tests},
                                   {"mode_pages", mode_pages},
                                   {"medium_operation", medium_operation},
                                   {"identifying_information", identifying_information}};

}  // namespace

state::Object media_object() { return state::Object::shared("media"); }

std::vector<state::OldFile> old_state_files(const state::Object& object, std::string_view key) {
  std::vector<state::OldFile> files;
  if (!object.is_exclusive()) {
    files.push_back(
        {"devices/" + Uuid::from_name(key).to_string(), object.name(), std::string(key), medium});
    return files;
  }
  for (const OldValue& value : kOldValues)
    files.push_back({object.name() + "/" + value.name, object.name(), value.name, value.convert});
  return files;
}

}  // namespace lunar::app

#include "state/record.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <charconv>

#include "base/bytes.h"
#include "base/crc32c.h"

namespace lunar::state {
namespace {

constexpr std::string_view kMagic = "lunar record ";
constexpr unsigned kFormat = 1;

bool is_name(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

// Whether the character is written unescaped in a value.
bool is_plain(char c) { return c > ' ' && c < '\x7f' && c != '%'; }

template <class Integer>
std::optional<Integer> parse_number(std::string_view text, int base = 10) {
  Integer value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string escape(std::string_view value) {
  std::string text;
  text.reserve(value.size());
  for (const char c : value) {
    if (is_plain(c)) {
      text += c;
    } else {
      text += fmt::format("%{:02x}", static_cast<unsigned char>(c));
    }
  }
  return text;
}

std::optional<std::string> unescape(std::string_view text) {
  std::string value;
  value.reserve(text.size());
  while (!text.empty()) {
    if (text.front() != '%') {
      if (!is_plain(text.front())) return std::nullopt;
      value += text.front();
      text.remove_prefix(1);
      continue;
    }
    if (text.size() < 3) return std::nullopt;
    const auto byte = parse_number<std::uint8_t>(text.substr(1, 2), 16);
    if (!byte) return std::nullopt;
    value += static_cast<char>(*byte);
    text.remove_prefix(3);
  }
  return value;
}

// Takes the text up to the separator, which must exist.
std::optional<std::string_view> take(std::string_view& rest, char separator) {
  const std::size_t at = rest.find(separator);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view head = rest.substr(0, at);
  rest.remove_prefix(at + 1);
  return head;
}

std::uint32_t checksum_of(std::uint32_t version, std::string_view body) {
  const std::string head = fmt::format("{} {}\n", version, body.size());
  const std::uint32_t running = crc32c_update(kCrc32cSeed, as_bytes(std::string_view(head)));
  return crc32c_finish(crc32c_update(running, as_bytes(body)));
}

std::unexpected<Error> damaged() {
  return fail(ErrorCode::malformed, "it is damaged: length or checksum do not fit");
}
std::unexpected<Error> from_later(std::string_view what) {
  return fail(ErrorCode::unsupported,
              fmt::format("{}: a later version of lunar has written it", what));
}

}  // namespace

// Converts entries to lines and back.
class Text {
 public:
  static void append(std::string& text, const Entry& entry) {
    text += entry.name_;
    for (const auto& [name, value] : entry.fields_) {
      text += ' ';
      text += name;
      text += '=';
      text += escape(value);
    }
    text += '\n';
  }

  static std::optional<Entry> parse(std::string_view line) {
    const std::string_view name = line.substr(0, line.find(' '));
    if (!is_name(name)) return std::nullopt;
    Entry entry(name);
    line.remove_prefix(name.size());
    while (!line.empty()) {
      line.remove_prefix(1);  // the space
      std::string_view field = line.substr(0, line.find(' '));
      line.remove_prefix(field.size());
      const auto field_name = take(field, '=');
      if (!field_name || !is_name(*field_name) || entry.find(*field_name) != nullptr)
        return std::nullopt;
      auto value = unescape(field);
      if (!value) return std::nullopt;
      entry.fields_.emplace_back(*field_name, std::move(*value));
    }
    return entry;
  }
};

Entry::Entry(std::string_view name) : name_(name) { assert(is_name(name)); }

Entry& Entry::set(std::string_view field, std::string_view value) {
  assert(is_name(field) && find(field) == nullptr);
  fields_.emplace_back(field, value);
  return *this;
}

Entry& Entry::set_number(std::string_view field, std::uint64_t value) {
  return set(field, std::to_string(value));
}

Entry& Entry::set_hex(std::string_view field, std::string_view bytes) {
  std::string digits;
  digits.reserve(2 * bytes.size());
  for (const char c : bytes) digits += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return set(field, digits);
}

const std::string* Entry::find(std::string_view field) const {
  for (const auto& [name, value] : fields_) {
    if (name == field) return &value;
  }
  return nullptr;
}

std::optional<std::uint64_t> Entry::number(std::string_view field, std::uint64_t most) const {
  const std::string* text = find(field);
  if (text == nullptr) return std::nullopt;
  const auto value = parse_number<std::uint64_t>(*text);
  return value && *value <= most ? value : std::nullopt;
}

std::optional<bool> Entry::flag(std::string_view field) const {
  const auto value = number(field, 1);
  if (!value) return std::nullopt;
  return *value == 1;
}

std::optional<std::string> Entry::hex(std::string_view field) const {
  const std::string* digits = find(field);
  if (digits == nullptr || digits->size() % 2 != 0) return std::nullopt;
  std::string bytes;
  bytes.reserve(digits->size() / 2);
  for (std::size_t at = 0; at < digits->size(); at += 2) {
    const auto byte = parse_number<std::uint8_t>(std::string_view(*digits).substr(at, 2), 16);
    if (!byte) return std::nullopt;
    bytes += static_cast<char>(*byte);
  }
  return bytes;
}

const Entry* Record::find(std::string_view name) const {
  const auto found = std::ranges::find(entries, name, &Entry::name);
  return found == entries.end() ? nullptr : &*found;
}

Result<void> Record::check_version(std::uint32_t newest) const {
  if (version <= newest) return {};
  return from_later(fmt::format("it has version {}, and {} is known", version, newest));
}

std::string to_text(const Record& record) {
  std::string body;
  for (const Entry& entry : record.entries) Text::append(body, entry);
  return fmt::format("{}{} {} {} {:08x}\n", kMagic, kFormat, record.version, body.size(),
                     checksum_of(record.version, body)) +
         body;
}

Result<Record> parse_record(std::string_view text) {
  if (!text.starts_with(kMagic)) return damaged();
  text.remove_prefix(kMagic.size());
  auto header = take(text, '\n');
  if (!header) return damaged();
  const auto format_text = take(*header, ' ');
  const auto format = parse_number<unsigned>(format_text.value_or(""));
  if (!format) return damaged();
  if (*format != kFormat) return from_later(fmt::format("it has format {}", *format));
  const auto version_text = take(*header, ' ');
  const auto length_text = take(*header, ' ');
  const auto version = parse_number<std::uint32_t>(version_text.value_or(""));
  const auto length = parse_number<std::size_t>(length_text.value_or(""));
  const auto checksum = parse_number<std::uint32_t>(*header, 16);
  if (!version || length != text.size() || checksum != checksum_of(*version, text))
    return damaged();
  Record record;
  record.version = *version;
  while (!text.empty()) {
    const auto line = take(text, '\n');
    if (!line) return damaged();
    auto entry = Text::parse(*line);
    if (!entry) return damaged();
    record.entries.push_back(std::move(*entry));
  }
  return record;
}

}  // namespace lunar::state

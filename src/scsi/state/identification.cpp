#include "scsi/state/identification.h"

namespace lunar::scsi {
namespace {

constexpr std::uint32_t kRecordVersion = 1;
constexpr std::string_view kInformation = "information";

}  // namespace

state::Record to_record(const IdentifyingInformation& information) {
  state::Record record{.version = kRecordVersion};
  record.add(kInformation).set_hex("bytes", information.bytes).set("text", information.text);
  return record;
}

Result<IdentifyingInformation> identifying_information_of(const state::Record& record) {
  LUNAR_TRY(record.check_version(kRecordVersion));
  const state::Entry* entry = record.find(kInformation);
  const auto bytes = entry == nullptr ? std::nullopt : entry->hex("bytes");
  const std::string* text = entry == nullptr ? nullptr : entry->find("text");
  if (!bytes || text == nullptr || bytes->size() > kMaxIdentifyingBytes ||
      text->size() > kMaxTextIdentifyingBytes)
    return fail(ErrorCode::malformed, "is no identifying information");
  return IdentifyingInformation{*bytes, *text};
}

}  // namespace lunar::scsi

#include "iscsi/session/pdu_queue.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <functional>
#include <utility>

#include "base/crc32c.h"
#include "base/medium_access.h"

namespace lunar::iscsi {
namespace {

bool overlaps(Bytes a, Bytes b) {
  const std::less<const std::byte*> before;  // of any two addresses
  return before(a.data(), b.data() + b.size()) && before(b.data(), a.data() + a.size());
}

}  // namespace

void copy_data(OutboundPdu& pdu, Bytes data) {
  if (data.empty()) return;
  std::byte* to = pdu.inline_data.data();
  if (data.size() > pdu.inline_data.size()) {
    // Text, echoes. Not from the buffer pool: what waits for it could be what would free it.
    pdu.memory = std::make_unique_for_overwrite<std::byte[]>(data.size());
    to = pdu.memory.get();
  }
  std::memcpy(to, data.data(), data.size());
  pdu.data = {to, data.size()};
}

void PduQueue::push(OutboundPdu& pdu) {
  const be24 length = static_cast<std::uint32_t>(pdu.data.size());
  std::memcpy(pdu.header.data() + offsetof(spec::Bhs, data_segment_length), &length, sizeof length);
  pdu.header_length = spec::kBhsLength;
  if (header_digest_) {
    const le32 digest = crc32c({pdu.header.data(), spec::kBhsLength});
    std::memcpy(pdu.header.data() + spec::kBhsLength, &digest, sizeof digest);
    pdu.header_length += spec::kDigestLength;
  }
  const std::size_t padding = spec::padded_length(pdu.data.size()) - pdu.data.size();
  pdu.trailer_length = static_cast<std::uint8_t>(padding);
  std::memset(pdu.trailer.data(), 0, spec::kPduAlignment);
  if (data_digest_ && !pdu.data.empty()) {
    const std::uint32_t running =
        crc32c_update(crc32c_update(kCrc32cSeed, pdu.data), {pdu.trailer.data(), padding});
    const le32 digest = crc32c_finish(running);
    std::memcpy(pdu.trailer.data() + padding, &digest, sizeof digest);
    pdu.trailer_length += spec::kDigestLength;
  }
  pdus_.push_back(pdu);
  ++count_;
  pushed_bytes_ += size_of(pdu);
  if (pdu.memory) [[unlikely]]
    owned_bytes_ += pdu.data.size();
}

bool PduQueue::keep(Bytes memory, std::size_t limit) {
  for (OutboundPdu& pdu : pdus_) {
    if (pdu.memory || !overlaps(pdu.data, memory)) continue;
    if (pdu.data.size() > limit || kept_bytes_ > limit - pdu.data.size()) return false;
    pdu.memory = std::make_unique_for_overwrite<std::byte[]>(pdu.data.size());
    copy_medium(pdu.memory.get(), pdu.data.data(), pdu.data.size());
    pdu.data = {pdu.memory.get(), pdu.data.size()};
    pdu.kept = true;
    kept_bytes_ += pdu.data.size();
  }
  return true;
}

OutboundPdu* PduQueue::find_data_in(std::uint32_t initiator_task_tag) {
  OutboundPdu* last = nullptr;
  for (OutboundPdu& pdu : pdus_) {
    const auto header = load<spec::Bhs>(pdu.header);
    if (header->opcode() == spec::Opcode::data_in &&
        header->initiator_task_tag == initiator_task_tag) {
      last = &pdu;
    }
  }
  return last;
}

std::span<iovec> PduQueue::gather(std::span<iovec> out, std::size_t limit) {
  std::size_t pieces = 0;
  std::size_t skip = offset_;
  // Adds a piece without what has gone of it; false when there is no room.
  const auto add = [&](const std::byte* data, std::size_t length) {
    if (skip >= length) {
      skip -= length;
      return true;
    }
    if (pieces == out.size() || limit == 0) return false;
    const std::size_t count = std::min(length - skip, limit);
    out[pieces++] = {const_cast<std::byte*>(data) + skip, count};
    limit -= count;
    skip = 0;
    return true;
  };
  for (OutboundPdu& pdu : pdus_) {
    if (!add(pdu.header.data(), pdu.header_length) || !add(pdu.data.data(), pdu.data.size()) ||
        !add(pdu.trailer.data(), pdu.trailer_length)) {
      break;
    }
  }
  return out.first(pieces);
}

}  // namespace lunar::iscsi

// The initiator's side of the task router: I_T and I_T_L nexuses (SAM-5 §4.8). All of it lives on
// the one shard of the session that it belongs to.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/cache_line.h"
#include "base/ip_prefix.h"
#include "block/front_user.h"
#include "lunar/list.h"
#include "lunar/types.h"
#include "scsi/core/command.h"
#include "scsi/spec/lun.h"
#include "scsi/state/nexus_identity.h"
#include "scsi/state/restrictions.h"
#include "scsi/state/unit_attention.h"

namespace lunar::block {
class Front;
}  // namespace lunar::block

namespace lunar::scsi {

class LogicalUnitShard;
class LunMap;
class Nexus;
class Target;
class TargetPorts;

// The buffers of READ BUFFER and WRITE BUFFER, with which initiators test the way to us (SPC-5
// §6.24). Small, as each I_T_L nexus may have them, from its first WRITE BUFFER on.
constexpr std::size_t kDataBufferBytes = 4096;
constexpr std::size_t kEchoBufferBytes = 4096;
struct DiagnosticBuffers {
  std::array<std::byte, kDataBufferBytes> data{};
  std::array<std::byte, kEchoBufferBytes> echo{};
  std::optional<std::size_t> echo_bytes;  // of the last that was written
};

// An I_T nexus as one logical unit sees it: its task set (by default each I_T nexus has its own,
// TST 001b, so that ordering never needs another shard) and its unit attentions. Made at the first
// command that addresses the logical unit; in the list of its LogicalUnitShard.
struct alignas(kCacheLine) ItlNexus : ListHook {
  // `borrower`: null when it borrows nothing.
  ItlNexus(Nexus& owner, LogicalUnitShard& logical_unit, Lun number, block::Borrower* borrower);
  ItlNexus(const ItlNexus&) = delete;
  ItlNexus& operator=(const ItlNexus&) = delete;
  ~ItlNexus();  // its task set is empty

  Nexus& nexus;
  LogicalUnitShard& unit;
  const Lun lun;
  UnitAttentions attentions;
  Restrictions restrictions = 0;  // as the unit's state wants
  bool prevents_removal = false;  // PREVENT ALLOW MEDIUM REMOVAL
  // The task set, in order of arrival.
  List<Command, TaskSetHook> task_set;
  std::uint32_t task_count = 0;
  // How many of them are not SIMPLE: while zero, commands start at once. One more while
  // `when_empty` is set, so that only then every command that leaves looks at it, and one while
  // those of other nexuses count, too (SharedTaskSet).
  std::uint32_t ordering = 0;
  // The number leads elsewhere now, and this is in its LogicalUnitShard's list only until the task
  // set has become empty. Enqueued then.
  engine::Runnable* when_empty = nullptr;
  std::unique_ptr<DiagnosticBuffers> buffers;  // null: no WRITE BUFFER yet
  // Of its commands' loans. The nexus keeps it when the number leads elsewhere, as data may still
  // wait to be sent.
  std::unique_ptr<block::Borrowing> borrowing;
};

// Threading: one shard; created before DeviceServer::attach and destroyed after detach.
class alignas(kCacheLine) Nexus : public ListHook {
 public:
  // `initiator_port_name` as in RFC 7143 §4.2.7: "iqn…,i,0x<isid>"; `target_port_name`
  // "iqn…,t,0x<tpgt>". `initiator_address`: numeric, empty when it is not known.
  Nexus(std::string initiator_port_name, std::string target_port_name,
        std::uint16_t relative_target_port_id, const std::string& initiator_address = {});
  ~Nexus();

  [[nodiscard]] const std::string& initiator_port_name() const { return initiator_port_name_; }
  // Its part that names the initiator, of whatever session.
  [[nodiscard]] std::string_view initiator_name() const;
  [[nodiscard]] const std::optional<IpAddress>& initiator_address() const {
    return initiator_address_;
  }
  [[nodiscard]] const std::string& target_port_name() const { return target_port_name_; }
  // Of all I_T nexuses that there ever were in this process, never 0: a session that comes back
  // under the same names is another.
  [[nodiscard]] std::uint64_t id() const { return id_; }
  [[nodiscard]] std::uint16_t relative_target_port_id() const { return relative_target_port_id_; }

  // Whose device server it is attached to; null: none.
  [[nodiscard]] Target* target() const { return target_; }
  // The target's ports; while attached, and not beyond the next co_await.
  [[nodiscard]] const TargetPorts& ports() const { return *ports_; }

  // ---- The device server's.
  // Null: this nexus has not addressed the number yet. At most kMaxLun.
  [[nodiscard]] ItlNexus* find(Lun lun) const {
    const Chunk* chunk = chunks_[lun.value / kChunkLuns].get();
    return chunk == nullptr ? nullptr : (*chunk)[lun.value % kChunkLuns].get();
  }
  ItlNexus& add(Lun lun, LogicalUnitShard& unit);
  // Takes the number's out; null when there is none. Its commands are the caller's care.
  std::unique_ptr<ItlNexus> remove(Lun lun);
  // The numbers that this initiator sees; while attached.
  [[nodiscard]] const LunMap& luns() const { return *luns_; }
  void set_luns(const LunMap* luns) { luns_ = luns; }
  // visit(ItlNexus&) of each number that has been addressed.
  template <class Visit>
  void for_each(Visit visit) {
    for (const std::unique_ptr<Chunk>& chunk : chunks_) {
      if (chunk == nullptr) continue;
      for (const std::unique_ptr<ItlNexus>& itl : *chunk) {
        if (itl != nullptr) visit(*itl);
      }
    }
  }
  // Those of the REPORT LUNS well known logical unit.
  [[nodiscard]] UnitAttentions& well_known_attentions() { return well_known_attentions_; }
  // Takes the first of one of its logical units. REPORTED LUNS DATA HAS CHANGED is told once, for
  // all of them: LUICLR in VPD page 86h (SPC-5 §7.7.7).
  [[nodiscard]] spec::Sense take(UnitAttentions& attentions);
  // The initiator knows of the change of its logical unit inventory.
  void inventory_told();
  // Forgets all of its I_T_L nexuses, whose task sets are empty.
  void clear();
  void set_target(Target* target) { target_ = target; }
  void set_ports(const TargetPorts* ports) { ports_ = ports; }

  // Who sends data-in that is memory of the medium (Command::loan): the transport, before the first
  // command. It outlives the attachment. None: every command has stable_data_in, or what its
  // data-in shows meanwhile does not matter.
  void set_borrower(block::Borrower& borrower) { borrower_ = &borrower; }

 private:
  static constexpr std::size_t kChunkLuns = 256;
  using Chunk = std::array<std::unique_ptr<ItlNexus>, kChunkLuns>;

  void remember(ItlNexus& itl);

  std::string initiator_port_name_;
  std::string target_port_name_;
  std::uint16_t relative_target_port_id_;
  std::uint64_t id_;
  std::optional<IpAddress> initiator_address_;
  UnitAttentions well_known_attentions_;
  const LunMap* luns_ = nullptr;
  Target* target_ = nullptr;
  const TargetPorts* ports_ = nullptr;
  block::Borrower* borrower_ = nullptr;
  // Of logical units that have lost a number; each Front's once.
  struct Former {
    const block::Front* front;
    std::unique_ptr<block::Borrowing> borrowing;
  };
  std::vector<Former> former_;
  std::array<std::unique_ptr<Chunk>, (spec::kMaxLun + 1) / kChunkLuns> chunks_;
};

// The names by which reservations and priorities know it.
[[nodiscard]] NexusIdentity identity_of(const Nexus& nexus);

}  // namespace lunar::scsi

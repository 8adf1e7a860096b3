// Mode parameters (SPC-5, SBC-4): headers, block descriptors and the pages of a disk.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/endian.h"

namespace lunar::scsi::spec {

// PC of MODE SENSE
enum class PageControl : std::uint8_t { current = 0, changeable = 1, defaults = 2, saved = 3 };

enum class ModePage : std::uint8_t {
  read_write_error_recovery = 0x01,
  disconnect_reconnect = 0x02,
  caching = 0x08,
  control = 0x0a,
  protocol_specific_logical_unit = 0x18,
  protocol_specific_port = 0x19,
  power_condition = 0x1a,
  informational_exceptions_control = 0x1c,
  all_pages = 0x3f,  // in a CDB only
};
constexpr std::uint8_t kControlExtensionSubpage = 0x01;
constexpr std::uint8_t kAllSubpages = 0xff;  // in a CDB only

// DEVICE-SPECIFIC PARAMETER of a disk
constexpr std::uint8_t kModeWriteProtected = 0x80;  // WP
constexpr std::uint8_t kModeDpoFua = 0x10;          // DPOFUA: both bits are supported

struct ModeParameterHeader6 {
  std::uint8_t mode_data_length = 0;  // bytes after this field; reserved in MODE SELECT
  std::uint8_t medium_type = 0;
  std::uint8_t device_specific_parameter = 0;
  std::uint8_t block_descriptor_length = 0;
};
static_assert(sizeof(ModeParameterHeader6) == 4);
static_assert(offsetof(ModeParameterHeader6, device_specific_parameter) == 2);
static_assert(offsetof(ModeParameterHeader6, block_descriptor_length) == 3);

struct ModeParameterHeader10 {
  be16 mode_data_length;  // bytes after this field; reserved in MODE SELECT
  std::uint8_t medium_type = 0;
  std::uint8_t device_specific_parameter = 0;
  std::uint8_t flags = 0;
  std::uint8_t reserved = 0;
  be16 block_descriptor_length;

  static constexpr std::uint8_t kLongLba = 0x01;
};
static_assert(sizeof(ModeParameterHeader10) == 8);
static_assert(offsetof(ModeParameterHeader10, medium_type) == 2);
static_assert(offsetof(ModeParameterHeader10, device_specific_parameter) == 3);
static_assert(offsetof(ModeParameterHeader10, flags) == 4);
static_assert(offsetof(ModeParameterHeader10, block_descriptor_length) == 6);

// FFFFFFFFh blocks: more than fit into the field
struct ShortLbaBlockDescriptor {
  be32 number_of_logical_blocks;
  std::uint8_t reserved = 0;
  be24 logical_block_length_bytes;
};
static_assert(sizeof(ShortLbaBlockDescriptor) == 8);
static_assert(offsetof(ShortLbaBlockDescriptor, logical_block_length_bytes) == 5);

// With LONGLBA (SBC-4)
struct LongLbaBlockDescriptor {
  be64 number_of_logical_blocks;
  be32 reserved;
  be32 logical_block_length_bytes;
};
static_assert(sizeof(LongLbaBlockDescriptor) == 16);
static_assert(offsetof(LongLbaBlockDescriptor, logical_block_length_bytes) == 12);

// Byte 0 of a page: PS, SPF, PAGE CODE
constexpr std::uint8_t kModePagePs = 0x80;   // MODE SENSE: can be saved
constexpr std::uint8_t kModePageSpf = 0x40;  // a ModeSubpageHeader follows
constexpr std::uint8_t kModePageCodeMask = 0x3f;

struct ModePageHeader {
  std::uint8_t page_code = 0;
  std::uint8_t page_length = 0;  // bytes after the header
};
static_assert(sizeof(ModePageHeader) == 2);

struct ModeSubpageHeader {
  std::uint8_t page_code = 0;
  std::uint8_t subpage_code = 0;
  be16 page_length;  // bytes after the header
};
static_assert(sizeof(ModeSubpageHeader) == 4);
static_assert(offsetof(ModeSubpageHeader, page_length) == 2);

// 01h (SBC-4)
struct ReadWriteErrorRecoveryPage {
  ModePageHeader header{static_cast<std::uint8_t>(ModePage::read_write_error_recovery), 0x0a};
  std::uint8_t flags = 0;
  std::uint8_t read_retry_count = 0;
  std::array<std::uint8_t, 3> obsolete{};
  std::uint8_t lbpere = 0;
  std::uint8_t write_retry_count = 0;
  std::uint8_t reserved = 0;
  be16 recovery_time_limit_ms;

  static constexpr std::uint8_t kAwre = 0x80;
  static constexpr std::uint8_t kArre = 0x40;
  static constexpr std::uint8_t kTb = 0x20;
  static constexpr std::uint8_t kRc = 0x10;
  static constexpr std::uint8_t kEer = 0x08;
  static constexpr std::uint8_t kPer = 0x04;
  static constexpr std::uint8_t kDte = 0x02;
  static constexpr std::uint8_t kDcr = 0x01;
};
static_assert(sizeof(ReadWriteErrorRecoveryPage) == 12);
static_assert(offsetof(ReadWriteErrorRecoveryPage, read_retry_count) == 3);
static_assert(offsetof(ReadWriteErrorRecoveryPage, lbpere) == 7);
static_assert(offsetof(ReadWriteErrorRecoveryPage, write_retry_count) == 8);
static_assert(offsetof(ReadWriteErrorRecoveryPage, recovery_time_limit_ms) == 10);

// 08h (SBC-4)
struct CachingPage {
  ModePageHeader header{static_cast<std::uint8_t>(ModePage::caching), 0x12};
  std::uint8_t flags = 0;
  std::uint8_t retention_priorities = 0;  // DEMAND READ, WRITE
  be16 disable_pre_fetch_transfer_length;
  be16 minimum_pre_fetch;
  be16 maximum_pre_fetch;
  be16 maximum_pre_fetch_ceiling;
  std::uint8_t flags12 = 0;
  std::uint8_t number_of_cache_segments = 0;
  be16 cache_segment_size;
  std::uint8_t reserved = 0;
  be24 obsolete;

  static constexpr std::uint8_t kIc = 0x80;
  static constexpr std::uint8_t kAbpf = 0x40;
  static constexpr std::uint8_t kCap = 0x20;
  static constexpr std::uint8_t kDisc = 0x10;
  static constexpr std::uint8_t kSize = 0x08;
  static constexpr std::uint8_t kWce = 0x04;  // a volatile write cache is on
  static constexpr std::uint8_t kMf = 0x02;
  static constexpr std::uint8_t kRcd = 0x01;  // the read cache is off
  static constexpr std::uint8_t kFsw = 0x80;  // flags12
  static constexpr std::uint8_t kDra = 0x20;
  static constexpr std::uint8_t kNvDis = 0x01;
};
static_assert(sizeof(CachingPage) == 20);
static_assert(offsetof(CachingPage, retention_priorities) == 3);
static_assert(offsetof(CachingPage, disable_pre_fetch_transfer_length) == 4);
static_assert(offsetof(CachingPage, maximum_pre_fetch_ceiling) == 10);
static_assert(offsetof(CachingPage, flags12) == 12);
static_assert(offsetof(CachingPage, number_of_cache_segments) == 13);
static_assert(offsetof(CachingPage, cache_segment_size) == 14);

// 0Ah (SPC-5)
struct ControlPage {
  ModePageHeader header{static_cast<std::uint8_t>(ModePage::control), 0x0a};
  std::uint8_t flags2 = 0;  // TST, TMF_ONLY, DPICZ, D_SENSE, GLTSD, RLEC
  std::uint8_t flags3 = 0;  // QUEUE ALGORITHM MODIFIER, NUAR, QERR
  std::uint8_t flags4 = 0;  // RAC, UA_INTLCK_CTRL, SWP
  std::uint8_t flags5 = 0;  // ATO, TAS, ATMPE, RWWP, AUTOLOAD MODE
  be16 obsolete;
  be16 busy_timeout_period_100ms;  // FFFFh: unlimited
  be16 extended_self_test_completion_time_s;

  static constexpr std::uint8_t kTstMask = 0xe0;      // flags2
  static constexpr std::uint8_t kTstPerNexus = 0x20;  // one task set per I_T nexus
  static constexpr std::uint8_t kTmfOnly = 0x10;
  static constexpr std::uint8_t kDpicz = 0x08;
  static constexpr std::uint8_t kDSense = 0x04;  // descriptor format sense data
  static constexpr std::uint8_t kGltsd = 0x02;
  static constexpr std::uint8_t kRlec = 0x01;
  static constexpr std::uint8_t kUnrestrictedReordering = 0x10;  // flags3
  static constexpr std::uint8_t kNuar = 0x08;
  static constexpr std::uint8_t kQerrMask = 0x06;
  static constexpr std::uint8_t kQerrTaskSet = 0x02;
  static constexpr std::uint8_t kUaIntlckCtrlMask = 0x30;  // flags4
  static constexpr std::uint8_t kUaIntlckReserved = 0x10;
  static constexpr std::uint8_t kUaIntlckStatuses = 0x30;  // some statuses also cause attentions
  static constexpr std::uint8_t kSwp = 0x08;               // software write protect
  static constexpr std::uint8_t kAto = 0x80;               // flags5
  static constexpr std::uint8_t kTas = 0x40;  // commands aborted by others end in TASK ABORTED
};
static_assert(sizeof(ControlPage) == 12);
static_assert(offsetof(ControlPage, flags2) == 2);
static_assert(offsetof(ControlPage, flags5) == 5);
static_assert(offsetof(ControlPage, busy_timeout_period_100ms) == 8);
static_assert(offsetof(ControlPage, extended_self_test_completion_time_s) == 10);

// 0Ah/01h (SPC-5)
struct ControlExtensionPage {
  ModeSubpageHeader header{static_cast<std::uint8_t>(ModePage::control) | kModePageSpf,
                           kControlExtensionSubpage, std::uint16_t{0x1c}};
  std::uint8_t flags = 0;
  std::uint8_t initial_command_priority = 0;
  std::uint8_t maximum_sense_data_length = 0;  // 0: no limit
  std::array<std::uint8_t, 25> reserved{};

  static constexpr std::uint8_t kTcmos = 0x04;
  static constexpr std::uint8_t kScsip = 0x02;
  static constexpr std::uint8_t kIaluae = 0x01;        // implicit ALUA may change states
  static constexpr std::uint8_t kPriorityMask = 0x0f;  // initial_command_priority
};
static_assert(sizeof(ControlExtensionPage) == 32);
static_assert(offsetof(ControlExtensionPage, flags) == 4);
static_assert(offsetof(ControlExtensionPage, initial_command_priority) == 5);
static_assert(offsetof(ControlExtensionPage, maximum_sense_data_length) == 6);

// 1Ah (SPC-5). Timers count 100 ms and apply if their condition's bit is set.
struct PowerConditionPage {
  ModePageHeader header{static_cast<std::uint8_t>(ModePage::power_condition), 0x26};
  std::uint8_t flags2 = 0;  // PM_BG_PRECEDENCE, STANDBY_Y
  std::uint8_t flags3 = 0;  // IDLE_C, IDLE_B, IDLE_A, STANDBY_Z
  be32 idle_a_condition_timer_100ms;
  be32 standby_z_condition_timer_100ms;
  be32 idle_b_condition_timer_100ms;
  be32 idle_c_condition_timer_100ms;
  be32 standby_y_condition_timer_100ms;
  std::array<std::uint8_t, 15> reserved{};
  std::uint8_t check_condition_flags = 0;  // CCF IDLE, CCF STANDBY, CCF STOPPED

  static constexpr std::uint8_t kStandbyY = 0x01;  // flags2
  static constexpr std::uint8_t kIdleC = 0x08;     // flags3
  static constexpr std::uint8_t kIdleB = 0x04;
  static constexpr std::uint8_t kIdleA = 0x02;
  static constexpr std::uint8_t kStandbyZ = 0x01;
};
static_assert(sizeof(PowerConditionPage) == 40);
static_assert(offsetof(PowerConditionPage, flags3) == 3);
static_assert(offsetof(PowerConditionPage, idle_a_condition_timer_100ms) == 4);
static_assert(offsetof(PowerConditionPage, standby_z_condition_timer_100ms) == 8);
static_assert(offsetof(PowerConditionPage, idle_b_condition_timer_100ms) == 12);
static_assert(offsetof(PowerConditionPage, idle_c_condition_timer_100ms) == 16);
static_assert(offsetof(PowerConditionPage, standby_y_condition_timer_100ms) == 20);
static_assert(offsetof(PowerConditionPage, check_condition_flags) == 39);

// MRIE of page 1Ch: how informational exceptions are reported
enum class MethodOfReporting : std::uint8_t {
  none = 0,
  unit_attention = 2,
  recovered_error_if_allowed = 3,
  recovered_error = 4,
  no_sense = 5,
  on_request = 6,  // by REQUEST SENSE
};

// 1Ch (SBC-4)
struct InformationalExceptionsControlPage {
  ModePageHeader header{static_cast<std::uint8_t>(ModePage::informational_exceptions_control),
                        0x0a};
  std::uint8_t flags = 0;
  std::uint8_t method_of_reporting = 0;  // MRIE: a MethodOfReporting
  be32 interval_timer_100ms;
  be32 report_count;

  static constexpr std::uint8_t kPerf = 0x80;
  static constexpr std::uint8_t kEbf = 0x20;
  static constexpr std::uint8_t kEwasc = 0x10;
  static constexpr std::uint8_t kDexcpt = 0x08;  // no exceptions are reported
  static constexpr std::uint8_t kTest = 0x04;
  static constexpr std::uint8_t kEbackErr = 0x02;
  static constexpr std::uint8_t kLogErr = 0x01;
  static constexpr std::uint8_t kMrieMask = 0x0f;  // method_of_reporting
};
static_assert(sizeof(InformationalExceptionsControlPage) == 12);
static_assert(offsetof(InformationalExceptionsControlPage, method_of_reporting) == 3);
static_assert(offsetof(InformationalExceptionsControlPage, interval_timer_100ms) == 4);
static_assert(offsetof(InformationalExceptionsControlPage, report_count) == 8);

}  // namespace lunar::scsi::spec

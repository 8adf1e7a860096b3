// The names by which reservations and priorities know an I_T nexus: those of its ports, which
// outlive its sessions (SPC-5 §5.14.1).
#pragma once

#include "access/registrant.h"

namespace lunar::scsi {

// name: of the initiator port, "iqn…,i,0x<isid>"; port: of the target port, "iqn…,t,0x<tpgt>";
// port_number: the RELATIVE TARGET PORT IDENTIFIER.
using NexusIdentity = access::Registrant;

}  // namespace lunar::scsi

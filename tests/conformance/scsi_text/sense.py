"""SCSI status and sense data (SAM-5 s5.3, SPC-5 s4.4): names and decoding."""

STATUS = {0x00: "GOOD", 0x02: "CHECK CONDITION", 0x04: "CONDITION MET", 0x08: "BUSY",
          0x18: "RESERVATION CONFLICT", 0x28: "TASK SET FULL", 0x30: "ACA ACTIVE", 0x40: "TASK ABORTED"}
KEYS = ("NO SENSE", "RECOVERED ERROR", "NOT READY", "MEDIUM ERROR", "HARDWARE ERROR", "ILLEGAL REQUEST",
        "UNIT ATTENTION", "DATA PROTECT", "BLANK CHECK", "VENDOR SPECIFIC", "COPY ABORTED",
        "ABORTED COMMAND", "RESERVED", "VOLUME OVERFLOW", "MISCOMPARE", "COMPLETED")
CHECK_CONDITION = 0x02

# Only for failure reports.
MEANING = {
    0x0000: "no additional sense information", 0x0016: "operation in progress", 0x001D: "sanitize in progress",
    0x0402: "initializing command required", 0x0404: "format in progress", 0x040A: "ALUA transition",
    0x040B: "target port in standby state", 0x040C: "target port in unavailable state",
    0x041B: "sanitize in progress", 0x0C00: "write error", 0x0E03: "invalid field in command IU",
    0x1100: "unrecovered read error", 0x1A00: "parameter list length error",
    0x1D00: "miscompare during verify", 0x2000: "invalid command operation code",
    0x2100: "LBA out of range", 0x2400: "invalid field in CDB", 0x2500: "logical unit not supported",
    0x2600: "invalid field in parameter list", 0x2602: "parameter value invalid",
    0x2604: "invalid release of persistent reservation", 0x2700: "write protected",
    0x2707: "space allocation failed write protect", 0x2800: "medium may have changed",
    0x2900: "power on, reset, or bus device reset", 0x2901: "power on", 0x2902: "SCSI bus reset",
    0x2903: "bus device reset function", 0x2907: "I_T nexus loss", 0x2A01: "mode parameters changed",
    0x2A02: "log parameters changed", 0x2A03: "reservations preempted", 0x2A04: "reservations released",
    0x2A05: "registrations preempted", 0x2A06: "asymmetric access state changed",
    0x2A09: "capacity data has changed", 0x2A10: "timestamp changed", 0x2C00: "command sequence error",
    0x2F00: "commands cleared by another initiator", 0x3100: "medium format corrupted",
    0x3103: "sanitize command failed", 0x3900: "saving parameters not supported",
    0x3A00: "medium not present", 0x3F03: "inquiry data has changed", 0x3F0E: "reported LUNs data has changed",
    0x4400: "internal target failure", 0x4900: "invalid message error", 0x5302: "medium removal prevented",
    0x5504: "insufficient registration resources", 0x670A: "set target port groups failed",
}


def status_name(status: int) -> str:
    return STATUS.get(status, f"status 0x{status:02x}")


class Sense:
    """Decoded sense data, fixed or descriptor format. Missing parts are None."""

    def __init__(self, data: bytes):
        self.data = bytes(data)
        self.format = self.information = self.command_specific = self.specific = None
        self.key = self.asc = self.ascq = None
        self.ili = False
        code = data[0] & 0x7F if data else 0
        self.deferred = code in (0x71, 0x73)
        if code in (0x70, 0x71) and len(data) >= 14:
            self._fixed(self.data)
        elif code in (0x72, 0x73) and len(data) >= 8:
            self._descriptor(self.data)

    def _fixed(self, data: bytes):
        self.format = "fixed"
        self.key, self.asc, self.ascq = data[2] & 0xF, data[12], data[13]
        self.ili = bool(data[2] & 0x20)
        if data[0] & 0x80:
            self.information = int.from_bytes(data[3:7], "big")
        self.command_specific = int.from_bytes(data[8:12], "big") or None
        if len(data) >= 18 and data[15] & 0x80:
            self.specific = data[15:18]

    def _descriptor(self, data: bytes):
        self.format = "descriptor"
        self.key, self.asc, self.ascq = data[1] & 0xF, data[2], data[3]
        at, end = 8, min(len(data), 8 + data[7])
        while at + 2 <= end:
            kind, body = data[at], data[at : at + 2 + data[at + 1]]
            if kind == 0 and len(body) == 12 and body[2] & 0x80:
                self.information = int.from_bytes(body[4:12], "big")
            elif kind == 1 and len(body) == 12:
                self.command_specific = int.from_bytes(body[4:12], "big")
            elif kind == 2 and len(body) == 8 and body[4] & 0x80:
                self.specific = body[4:7]
            elif kind == 5 and len(body) == 4:
                self.ili = bool(body[3] & 0x20)
            at += len(body)

    def field(self):
        """(in the CDB, byte, bit or None) of ILLEGAL REQUEST, or None."""
        if self.key != KEYS.index("ILLEGAL REQUEST") or self.specific is None:
            return None
        flags = self.specific[0]
        return bool(flags & 0x40), int.from_bytes(self.specific[1:3], "big"), flags & 7 if flags & 8 else None

    def progress(self):
        """Progress in 65536ths, for NO SENSE and NOT READY; or None."""
        if self.key not in (0, 2) or self.specific is None:
            return None
        return int.from_bytes(self.specific[1:3], "big")

    def code(self) -> str:
        return f"{self.asc:02X}/{self.ascq:02X}"

    def __str__(self):
        if self.format is None:
            return f"sense data [{self.data.hex(' ')}]" if self.data else "no sense data"
        meaning = MEANING.get(self.asc << 8 | self.ascq)
        words = [KEYS[self.key], self.code() + (f" ({meaning})" if meaning else "")]
        if self.deferred:
            words.append("deferred")
        if self.field():
            in_cdb, byte, bit = self.field()
            words.append(f"field={'cdb' if in_cdb else 'param'}[{byte}]" + ("" if bit is None else f".{bit}"))
        if self.information is not None:
            words.append(f"info=0x{self.information:x}")
        if self.command_specific is not None:
            words.append(f"specific=0x{self.command_specific:x}")
        if self.progress() is not None:
            words.append(f"progress=0x{self.progress():x}")
        return " ".join(words + [f"sense={self.format}"])

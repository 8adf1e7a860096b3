"""Each type of persistent reservation against each class of command, from the holder, a registered
nexus and an unregistered one (SPC-5 table 63, SBC-4 table 13).
"""

HEAD = """disk d ram 16MiB
nexus A
nexus B
nexus C
"""

TYPES = {1: "write exclusive", 3: "exclusive access", 5: "write exclusive, registrants only",
         6: "exclusive access, registrants only", 7: "write exclusive, all registrants",
         8: "exclusive access, all registrants"}
EXCLUSIVE_ACCESS = (3, 6, 8)
FOR_REGISTRANTS = (5, 6, 7, 8)

# Commands that run under every persistent reservation.
ALWAYS = ("TEST UNIT READY", "INQUIRY", "REQUEST SENSE", "REPORT LUNS", "READ CAPACITY(10)", "READ CAPACITY(16)",
          "MODE SENSE(6) page=0x3f", "MODE SENSE(10) page=0x3f", "REPORT SUPPORTED OPERATION CODES",
          "REPORT TIMESTAMP", "REPORT IDENTIFYING INFORMATION", "START STOP UNIT start=1",
          "RECEIVE DIAGNOSTIC RESULTS", "READ DEFECT DATA(10)", "READ DEFECT DATA(12)",
          "REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS", "LOG SENSE", "REPORT PRIORITY",
          "PR IN READ KEYS", "PR IN READ RESERVATION", "PR IN REPORT CAPABILITIES", "PR IN READ FULL STATUS")
READS = ("READ(6) lba=0 blocks=1", "READ(10) lba=0 blocks=1", "READ(12) lba=0 blocks=1", "READ(16) lba=0 blocks=1",
         "GET LBA STATUS(16) lba=0",
         "VERIFY(10) lba=0 blocks=1", "VERIFY(12) lba=0 blocks=1", "VERIFY(16) lba=0 blocks=1")
WRITES = ("WRITE(6) lba=0 blocks=1", "WRITE(10) lba=0 blocks=1", "WRITE(12) lba=0 blocks=1", "WRITE(16) lba=0 blocks=1",
          "WRITE SAME(10) lba=0 blocks=1", "WRITE SAME(16) lba=0 blocks=1", "UNMAP out=unmap(0,1)",
          "SYNCHRONIZE CACHE(10)", "SYNCHRONIZE CACHE(16)", "ORWRITE(16) lba=0 blocks=1",
          "WRITE AND VERIFY(10) lba=0 blocks=1", "WRITE AND VERIFY(16) lba=0 blocks=1", "SEND DIAGNOSTIC selftest=1",
          "SET PRIORITY", "READ BUFFER(10) mode=3", "WRITE BUFFER mode=2 out=zero(4)")


def lines(nexus: str, commands, allowed: bool):
    for command in commands:
        yield f"{nexus}: {command} => {'GOOD' if allowed else 'RESERVATION CONFLICT'}"


def cases(_ask):
    yield "before"
    yield "A: PR OUT REGISTER AND IGNORE sakey=0xa"
    yield "A: PR OUT CLEAR key=0xa"
    yield "settle B"
    for code, name in TYPES.items():
        for nexus, role in (("A", "the holder"), ("B", "one that is registered"), ("C", "one that is not registered")):
            yield f"case {name}: what {role} may do"
            yield "A: PR OUT REGISTER sakey=0xa"
            yield "B: PR OUT REGISTER sakey=0xb"
            yield f"A: PR OUT RESERVE key=0xa type={code}"
            everything = nexus == "A" or (nexus == "B" and code in FOR_REGISTRANTS)
            yield from lines(nexus, ALWAYS, True)
            yield from lines(nexus, READS, everything or code not in EXCLUSIVE_ACCESS)
            yield from lines(nexus, WRITES, everything)
            # SPC-5 table 64: for PERSISTENT RESERVE OUT only the keys matter.
            yield f"{nexus}: PR OUT REGISTER AND IGNORE sakey=0xc"

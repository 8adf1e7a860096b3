"""Each reservation type against each class of commands, from each kind of nexus.

SPC-5 s5.14, "SPC commands that are allowed in the presence of various reservations", and its twin of
SBC-4. Commands that the target does not have are left out.
"""

from scsi_text.generating import offered

HEAD = """
disk d ram 4MiB
unit 0 d removable
nexus H   # holds the reservation
nexus R   # is registered
nexus U   # is not
"""

TYPES = {1: "Write Exclusive", 3: "Exclusive Access", 5: "Write Exclusive, Registrants Only",
         6: "Exclusive Access, Registrants Only", 7: "Write Exclusive, All Registrants",
         8: "Exclusive Access, All Registrants"}
EXCLUSIVE_ACCESS = (3, 6, 8)
REGISTRANTS = (5, 6, 7, 8)  # RO and AR: do not exclude registered nexuses

FREE, READS, WRITES = "what every nexus may", "what reads", "what writes"
CLASSES = {
    FREE: ("TEST UNIT READY", "REQUEST SENSE", "INQUIRY", "INQUIRY evpd=1 page=0x83", "REPORT LUNS",
           "READ CAPACITY(10)", "READ CAPACITY(16)", "LOG SENSE page=0", "PR IN READ KEYS",
           "PR IN READ RESERVATION", "PR IN REPORT CAPABILITIES", "PR IN READ FULL STATUS",
           "START STOP UNIT start=1", "PREVENT ALLOW MEDIUM REMOVAL prevent=0", "REPORT TARGET PORT GROUPS",
           "REPORT TIMESTAMP"),
    READS: ("READ(6) lba=0 blocks=1", "READ(10) lba=0 blocks=1", "READ(12) lba=0 blocks=1",
            "READ(16) lba=0 blocks=1", "READ(32) lba=0 blocks=1", "VERIFY(10) lba=0 blocks=1",
            "VERIFY(12) lba=0 blocks=1", "VERIFY(16) lba=0 blocks=1", "VERIFY(32) lba=0 blocks=1",
            "PRE-FETCH(10) lba=0 blocks=1", "PRE-FETCH(16) lba=0 blocks=1", "GET LBA STATUS(16)"),
    WRITES: ("WRITE(6) lba=0 blocks=1", "WRITE(10) lba=0 blocks=1", "WRITE(12) lba=0 blocks=1",
             "WRITE(16) lba=0 blocks=1", "WRITE(32) lba=0 blocks=1", "WRITE AND VERIFY(10) lba=0 blocks=1",
             "WRITE AND VERIFY(12) lba=0 blocks=1", "WRITE AND VERIFY(16) lba=0 blocks=1",
             "WRITE ATOMIC(16) lba=0 blocks=1", "ORWRITE(16) lba=0 blocks=1", "WRITE SAME(10) lba=0 blocks=1",
             "WRITE SAME(16) lba=0 blocks=1", "WRITE SAME(32) lba=0 blocks=1", "UNMAP out=unmap(0,1)",
             "SYNCHRONIZE CACHE(10)", "SYNCHRONIZE CACHE(16)", "MODE SELECT(6) pf=1", "MODE SELECT(10) pf=1",
             "START STOP UNIT start=1 condition=1", "FORMAT UNIT", "SANITIZE OVERWRITE out=[01 00 0001 00]"),
}
KEYS = {"H": 0x11, "R": 0x22, "U": 0x33}
ROLES = {"H": "the holder", "R": "a registered nexus", "U": "a nexus that is not registered"}


def kept_out(role: str, kind: int, commands: str) -> bool:
    """Whether a command of that class is a RESERVATION CONFLICT."""
    if role == "H" or commands == FREE or (role == "R" and kind in REGISTRANTS):
        return False
    return commands == WRITES or kind in EXCLUSIVE_ACCESS


def prepare(kind: int) -> list:
    """H holds a reservation of the type, only R is registered as well, and no attention is pending."""
    return ["H: PR OUT REGISTER AND IGNORE sakey=0x11", "H: PR OUT CLEAR key=0x11", "settle R",
            "H: PR OUT REGISTER sakey=0x11", "R: PR OUT REGISTER sakey=0x22",
            f"H: PR OUT RESERVE key=0x11 type={kind}", "settle H", "settle R", "settle U"]


def table(ask):
    offered_commands = {name: [text for text in texts if offered(ask, "H", text)] for name, texts in CLASSES.items()}
    for kind, name in TYPES.items():
        for role, who in ROLES.items():
            for commands, texts in offered_commands.items():
                conflict = kept_out(role, kind, commands)
                yield f"case {name}: {commands} is {'refused to' if conflict else 'open to'} {who}"
                yield from prepare(kind)
                for text in texts:
                    # SBC-4 s5.16: all blocks are in the cache, because the medium is memory.
                    done = "CONDITION MET" if text.startswith("PRE-FETCH") else "GOOD"
                    yield f"{role}: {text} => {'RESERVATION CONFLICT' if conflict else done}"


def reserve_out(kind: int):
    """SPC-5 s5.14, PERSISTENT RESERVE OUT: service actions that conflict with another's reservation."""
    unregistered = ("RESERVE", "RELEASE", "CLEAR", "PREEMPT", "PREEMPT AND ABORT")
    yield f"case {TYPES[kind]}: a nexus that is not registered can only register"
    yield from prepare(kind)
    for action in unregistered:
        yield f"U: PR OUT {action} key=0x33 sakey=0x11 type={kind} => RESERVATION CONFLICT"
    yield "U: PR OUT REGISTER sakey=0x33"
    yield f"case {TYPES[kind]}: a key that is not the nexus' own conflicts"
    yield from prepare(kind)
    for action in (*unregistered, "REGISTER"):
        yield f"R: PR OUT {action} key=0x99 sakey=0x11 type={kind} => RESERVATION CONFLICT"
    other = 3 if kind != 3 else 1
    yield f"case {TYPES[kind]}: another type cannot be reserved over it"
    yield from prepare(kind)
    yield f"H: PR OUT RESERVE key=0x11 type={other} => RESERVATION CONFLICT"
    yield f"R: PR OUT RESERVE key=0x22 type={other} => RESERVATION CONFLICT"
    yield f"case {TYPES[kind]}: the holder may reserve the same again"
    yield from prepare(kind)
    yield f"H: PR OUT RESERVE key=0x11 type={kind}"
    yield f"case {TYPES[kind]}: READ RESERVATION tells it"
    yield from prepare(kind)
    key = 0 if kind in (7, 8) else 0x11
    yield f"U: PR IN READ RESERVATION => GOOD len=24 @4:4=16 @8:8={key} @21.3:4={kind} @21.7:4=0"
    yield f"case {TYPES[kind]}: a release of another type is an invalid release"
    yield from prepare(kind)
    yield f"H: PR OUT RELEASE key=0x11 type={other} => ILLEGAL REQUEST 26/04"
    yield f"case {TYPES[kind]}: a release by the holder opens the unit"
    yield from prepare(kind)
    yield f"H: PR OUT RELEASE key=0x11 type={kind}"
    if kind in REGISTRANTS:
        yield "R: TEST UNIT READY => UNIT ATTENTION 2A/04"
    yield "U: WRITE(10) lba=0 blocks=1"
    yield "U: PR IN READ RESERVATION => GOOD len=8 @4:4=0"


def cases(ask):
    yield from table(ask)
    for kind in TYPES:
        yield from reserve_out(kind)

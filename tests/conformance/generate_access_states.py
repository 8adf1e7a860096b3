"""Each asymmetric access state against each class of commands (SPC-5 s5.17.2.4).

Nexus O comes by a path that is always open and sets the state of the other group; P comes by that
one, T by one that is in transition. Commands that the target does not have are left out.
"""

from scsi_text.generating import offered

HEAD = """
disk d ram 4MiB
portal 1
portal 2
portal 3
target disks port_group=[{tag = 1, explicit = true}, {tag = 2, explicit = true}, {tag = 3, state = "transitioning"}]
unit 0 d
nexus O
nexus P portal=2
nexus T portal=3
"""

STATES = {0: "active/optimized", 1: "active/non-optimized", 2: "standby", 3: "unavailable"}
REFUSALS = {2: "NOT READY 04/0B", 3: "NOT READY 04/0C", 15: "NOT READY 04/0A"}

TOLD = ("INQUIRY", "INQUIRY evpd=1 page=0x83", "REPORT LUNS", "REQUEST SENSE", "REPORT TARGET PORT GROUPS")
SETTINGS = ("MODE SENSE(6) page=0x3f", "MODE SENSE(10) page=0x3f", "LOG SENSE page=0", "PR IN READ KEYS",
            "PR IN REPORT CAPABILITIES", "RECEIVE DIAGNOSTIC RESULTS pcv=1", "SEND DIAGNOSTIC selftest=1")
MEDIUM = ("TEST UNIT READY", "READ(6) lba=0 blocks=1", "READ(10) lba=0 blocks=1", "READ(12) lba=0 blocks=1",
          "READ(16) lba=0 blocks=1", "READ(32) lba=0 blocks=1", "WRITE(6) lba=0 blocks=1", "WRITE(10) lba=0 blocks=1",
          "WRITE(12) lba=0 blocks=1", "WRITE(16) lba=0 blocks=1", "WRITE(32) lba=0 blocks=1",
          "VERIFY(10) lba=0 blocks=1", "VERIFY(12) lba=0 blocks=1", "VERIFY(16) lba=0 blocks=1",
          "WRITE SAME(10) lba=0 blocks=1", "WRITE SAME(16) lba=0 blocks=1", "UNMAP out=unmap(0,1)",
          "SYNCHRONIZE CACHE(10)", "SYNCHRONIZE CACHE(16)", "PRE-FETCH(10) lba=0 blocks=1",
          "PRE-FETCH(16) lba=0 blocks=1", "GET LBA STATUS(16)", "COMPARE AND WRITE lba=0 blocks=0",
          "ORWRITE(16) lba=0 blocks=1", "WRITE AND VERIFY(10) lba=0 blocks=1", "WRITE ATOMIC(16) lba=0 blocks=1")
CLASSES = {"what tells of the unit and its paths": TOLD, "what is beside the medium": SETTINGS,
           "what needs the medium": MEDIUM}


def is_open(state: int, texts) -> bool:
    return state <= 1 or texts is TOLD or (state == 2 and texts is SETTINGS)


def set_state(state: int) -> list:
    return [f"O: SET TARGET PORT GROUPS out=[00000000 {state:02x} 00 0002]", "settle P", "settle O"]


def lines_of(ask, nexus: str, state: int, texts):
    for text in texts:
        if offered(ask, "O", text):
            # SBC-4 s5.16: all blocks are in the cache, because the medium is memory.
            done = "CONDITION MET" if text.startswith("PRE-FETCH") else "GOOD"
            yield f"{nexus}: {text} => {done if is_open(state, texts) else REFUSALS[state]}"


def cases(ask):
    for state, name in STATES.items():
        for what, texts in CLASSES.items():
            yield f"case {name}: {what} is {'served' if is_open(state, texts) else 'refused'}"
            yield from set_state(state)
            yield from lines_of(ask, "P", state, texts)
        yield f"case {name}: the other path serves everything"
        yield from set_state(state)
        for texts in CLASSES.values():
            yield from lines_of(ask, "O", 0, texts)
        yield f"case {name}: a change to it is told on the path, and to nobody who asked for it"
        yield from set_state(1 if state == 0 else 0)
        yield f"O: SET TARGET PORT GROUPS out=[00000000 {state:02x} 00 0002]"
        yield "P: REQUEST SENSE alloc=252 => GOOD reports UNIT ATTENTION 2A/06"
        yield "O: TEST UNIT READY"
        yield f"case {name}: REPORT TARGET PORT GROUPS tells it, by either path"
        yield from set_state(state)
        yield f"O: REPORT TARGET PORT GROUPS => GOOD @0:4=36 @4.3:4=0 @16.3:4={state} @28.3:4=15"
        yield f"P: REPORT TARGET PORT GROUPS => GOOD @0:4=36 @4.3:4=0 @16.3:4={state} @28.3:4=15"
    for what, texts in CLASSES.items():
        yield f"case transitioning: {what} is {'served' if is_open(15, texts) else 'refused'}"
        yield from lines_of(ask, "T", 15, texts)

"""The layers: which folder may use which, as in docs/ARCHITECTURE.md. For the include and link tests.

A row names what the folder may use directly; whatever those may use is allowed too.
"""

from pathlib import Path

SOURCES = Path(__file__).resolve().parents[2] / "src"

# Each folder in these is a kind of device, and a row of its own: none knows another.
KINDS = [f"{group}/{folder.name}" for group in ("backends", "layers")
         for folder in sorted((SOURCES / group).iterdir()) if folder.is_dir()]

LAYERS = {
    "base": [],
    "scsi/spec": ["base"],
    "iscsi/spec": ["base"],
    "schema": ["base"],
    "engine": ["base"],
    "state": ["engine"],
    "block": ["engine"],
    "access": ["state"],
    "kinds": ["block", "schema"],
    **{kind: ["kinds"] for kind in KINDS},
    # The rooms of the SCSI device server: each may use those before it.
    "scsi/state": ["block", "access", "scsi/spec"],
    "scsi/core": ["scsi/state"],
    "scsi/blocks": ["scsi/core"],
    "scsi/protection": ["scsi/blocks"],
    "scsi/diagnostics": ["scsi/protection"],
    "scsi/medium": ["scsi/diagnostics"],
    "scsi/paths": ["scsi/medium"],
    "scsi/modes": ["scsi/paths"],
    "scsi/reservations": ["scsi/modes"],
    "scsi/reports": ["scsi/reservations"],
    "scsi/target": ["scsi/reports"],
    "scsi/testing": ["scsi/target"],
    "iscsi/login": ["iscsi/spec"],
    "iscsi/session": ["iscsi/login", "scsi/target"],
    "iscsi/connection": ["iscsi/session"],
    "iscsi/service": ["iscsi/connection"],
    "iscsi/testing": ["iscsi/service"],
    # Control knows the management headers of the levels below, never a backend or a layer.
    "control": ["iscsi/service", "scsi/target", "kinds", "schema", "block", "engine"],
    "app": ["control", "iscsi/service", "scsi/target", *KINDS],
    # An initiator: it shares the wire formats with the target, and none of its code.
    "bench": ["engine", "iscsi/spec", "scsi/spec"],
    "cli": ["app", "bench"],
}

TESTS = ("_test.cpp", "_fuzz.cpp")

# The public headers, include/lunar/, belong to the folder that implements them: by subfolder or one
# by one.
PUBLIC_HEADERS = {
    "block/": "block",
    "alua.h": "scsi/spec",
    "list.h": "base",
    "result.h": "base",
    "types.h": "base",
    "uuid.h": "base",
    "runnable.h": "engine",
    "shard.h": "engine",
    "timer.h": "engine",
    "server.h": "app",
}


def may_use(layer: str) -> frozenset:
    """The folder itself and all folders that it may use, directly or indirectly."""
    found, waiting = set(), [layer]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += LAYERS[name]
    return frozenset(found)


def layer_of_file(path: str):
    """The row of a file below src/. None: unknown. A room's tests drive the whole of which the room is
    part, so they have the row of the `testing` folder beside the rooms."""
    folder, _, name = path.rpartition("/")
    layer = layer_of(folder)
    if layer and name.endswith(TESTS) and not layer.endswith("/spec"):
        testing = layer.rpartition("/")[0] + "/testing"
        return testing if testing in LAYERS else layer
    return layer


def layer_of(folder: str):
    """The row of a path below src/: the longest match, or None."""
    parts = folder.split("/")
    for length in range(len(parts), 0, -1):
        name = "/".join(parts[:length])
        if name in LAYERS:
            return name
    return None

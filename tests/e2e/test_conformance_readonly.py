"""iscsi-test-cu over a write-protected disk: the family that needs one."""

from lunar_e2e import conformance
from lunar_e2e.daemon import Daemon

RELEASE_ONLY = True


def start(scratch):
    path = scratch / "disk.img"
    with path.open("wb") as file:
        file.truncate(256 << 20)
    return [Daemon("--disk", f"file:{path},readonly")]


ReadOnly = conformance.suite("readonly", start, families="ReadOnly|TestUnitReady|Inquiry|Read6|Read10|"
                             "Read12|Read16|ReadCapacity10|ReadCapacity16")

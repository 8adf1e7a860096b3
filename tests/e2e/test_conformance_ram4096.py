"""iscsi-test-cu over a RAM disk with blocks of 4096 bytes."""

from lunar_e2e import conformance
from lunar_e2e.daemon import Daemon

RELEASE_ONLY = True

Ram4096 = conformance.suite("ram4096", lambda scratch: [Daemon("--disk", "ram:256MiB,block=4096")])

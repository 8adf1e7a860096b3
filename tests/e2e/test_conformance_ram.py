"""iscsi-test-cu over a RAM disk. Below 1 GiB, so that READ(6) can reach beyond the end."""

from lunar_e2e import conformance
from lunar_e2e.daemon import Daemon

Ram = conformance.suite("ram", lambda scratch: [Daemon("--disk", "ram:256MiB")])

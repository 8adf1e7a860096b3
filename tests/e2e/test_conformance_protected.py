"""iscsi-test-cu over a RAM disk with protection information."""

from lunar_e2e import conformance
from lunar_e2e.daemon import Daemon

RELEASE_ONLY = True

Protected = conformance.suite("protected", lambda scratch: [Daemon("--disk", "ram:256MiB,protection=1")])

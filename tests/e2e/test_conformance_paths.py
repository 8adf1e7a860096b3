"""iscsi-test-cu over two paths to one LUN: two portal groups of one target."""

from lunar_e2e import conformance
from lunar_e2e.daemon import Daemon, free_port
from lunar_e2e.initiator import TARGET

RELEASE_ONLY = True


def start(scratch):
    port, second = free_port(), free_port()
    path = conformance.config(scratch, port, 'type = "ram"\nsize = "256MiB"', second_port=second)
    daemon = Daemon("--config", path, port=port, listen=False)
    return [daemon, f"iscsi://127.0.0.1:{second}/{TARGET}/0"]


Paths = conformance.suite("paths", start, families="MultipathIO|Reserve6|Prout.*|Prin.*|iSCSITMF")

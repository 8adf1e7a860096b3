"""iscsi-test-cu over a sparse file with blocks of 4096 bytes."""

from lunar_e2e import conformance
from lunar_e2e.daemon import Daemon

RELEASE_ONLY = True

File4096 = conformance.suite(
    "file4096", lambda scratch: [Daemon("--disk", f"file:{scratch}/disk.img,size=256MiB,block=4096")])

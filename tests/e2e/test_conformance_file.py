"""iscsi-test-cu over a sparse file."""

from lunar_e2e import conformance
from lunar_e2e.daemon import Daemon

File = conformance.suite("file", lambda scratch: [Daemon("--disk", f"file:{scratch}/disk.img,size=256MiB")])

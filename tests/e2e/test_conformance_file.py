"""iscsi-test-cu over a sparse file."""

from lunar_e2e import conformance

File = conformance.suite("file", lambda scratch: f"file:{scratch}/disk.img,size=256MiB")

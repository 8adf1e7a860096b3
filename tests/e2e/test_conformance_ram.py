"""iscsi-test-cu over a RAM disk. Below 1 GiB, so that READ(6) can reach beyond the end."""

from lunar_e2e import conformance

Ram = conformance.suite("ram", lambda scratch: "ram:256MiB")

"""iscsi-test-cu over a disk that takes seconds to sanitize. The tool sleeps for more than a minute."""

from lunar_e2e import conformance
from lunar_e2e.daemon import Daemon, free_port

RELEASE_ONLY = True


def start(scratch):
    port = free_port()
    path = conformance.config(scratch, port, 'type = "delay"\nbase = "medium"\nwrite_delay_us = 200000',
                              base='name = "medium"\ntype = "ram"\nsize = "64MiB"')
    return [Daemon("--config", path, port=port, listen=False)]


Slow = conformance.suite("slow", start, families=r"Sanitize\.Reset")

"""iscsi-test-cu over a disk whose medium can be ejected.

One shard: PreventAllow.ITNexusLoss cuts a connection and asks on the next one at once. Another shard
might not have learned of the loss by then.
"""

from lunar_e2e import conformance
from lunar_e2e.daemon import Daemon, free_port

RELEASE_ONLY = True


def start(scratch):
    port = free_port()
    path = conformance.config(scratch, port, 'type = "ram"\nsize = "256MiB"', lun="removable = true",
                              shards=1)
    return [Daemon("--config", path, port=port, listen=False)]


Removable = conformance.suite("removable", start)

"""Killed and restarted at once: the kernel may still hold resources of the killed process."""

from lunar_e2e.case import E2eCase
from lunar_e2e.daemon import free_port
from lunar_e2e.disk import Disk
from test_state import UUID, keys, register

ROUNDS = 30
ISID = b"\x80\0\0\1\0\1"  # the nexus that registered comes back


class Restart(E2eCase):
    def test_after_kill_9_it_comes_up_on_the_same_address_file_and_state(self):
        port = free_port()
        disks = ("--disk", f"file:{self.scratch}/d.img,size=16MiB,uuid={UUID}", "--shards", "2")
        for round_ in range(ROUNDS):
            daemon = self.serve(*disks, port=port)
            # Two connections, one on each shard. Both are open when it dies, with a write in progress.
            disk = Disk(self.login(daemon, isid=ISID)).settle()
            other = Disk(self.login(daemon)).settle()
            self.assertEqual(keys(disk), [round_] if round_ else [])
            register(disk, round_ + 1, round_)
            for each in (disk, other):
                each.start_write(0, bytes(1 << 20))
            daemon.kill()

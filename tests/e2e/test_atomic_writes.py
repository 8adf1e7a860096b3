"""A READ sees all of a WRITE ATOMIC or nothing, even if its initiator fetches the data late."""

from lunar_e2e.case import E2eCase
from lunar_e2e.disk import Disk
from lunar_e2e.initiator import GOOD

MIB = 1 << 20


def write_atomic_cdb(lba: int, blocks: int, flags: int = 0) -> bytes:
    return bytes((0x9C, flags)) + lba.to_bytes(8, "big") + bytes(2) + blocks.to_bytes(2, "big") + bytes(2)


class SlowReaders(E2eCase):
    """On both shards, with more data in flight than sockets hold."""

    READS = 24  # of 1 MiB each; the copies of one connection are limited to 32 MiB

    def start_reads(self, readers):
        return [(disk, disk.start_read(0, MIB // 512)) for disk in readers for _ in range(self.READS)]

    def check(self, tasks):
        values = set()
        for disk, task in tasks:
            self.assertEqual(disk.session.wait(task).status, GOOD)
            data = bytes(task.data)
            self.assertEqual(len(data), MIB)
            self.assertEqual(data, data[:1] * MIB, "torn")
            values.add(data[0])
        return values

    def test_see_one_write(self):
        daemon = self.serve("--disk", "ram:16MiB", "--shards", "2")
        readers = [self.disk(daemon) for _ in range(4)]
        writer = self.login(daemon)
        Disk(writer).settle()
        value = 1
        for _ in range(5):
            tasks = self.start_reads(readers)
            for _ in range(3):
                # The write ends before the readers have their data: nobody waits for them.
                task = writer.execute(write_atomic_cdb(0, MIB // 512), write=bytes((value,)) * MIB)
                self.assertEqual(task.status, GOOD)
                value += 1
            seen = self.check(tasks)
            self.assertLessEqual(seen, {0, *range(max(value - 4, 1), value)})
            self.assertEqual(self.check([(disk, disk.start_read(0, MIB // 512)) for disk in readers]),
                             {value - 1})

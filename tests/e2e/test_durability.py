"""An acknowledged write survives kill -9 (and an orderly stop)."""

import random
import struct

from lunar_e2e.case import E2eCase
from lunar_e2e.disk import Disk
from lunar_e2e.initiator import GOOD, Closed

BLOCKS_A_WRITE = 8
SLOTS = 8192  # 32 MiB in writes of 4 KiB


def pattern(slot: int, round_number: int) -> bytes:
    return struct.pack(">QQ", slot, round_number) * (BLOCKS_A_WRITE * 32)


class Writer:
    """A session with several writes in flight, each to its own slot."""

    def __init__(self, session, slots, round_number):
        self.disk = Disk(session).settle()
        self.slots = slots
        self.round_number = round_number
        self.in_flight = []  # (slot, task), oldest first
        self.acknowledged = []

    def submit(self):
        slot = self.slots.pop()
        data = pattern(slot, self.round_number)
        self.in_flight.append((slot, self.disk.start_write(slot * BLOCKS_A_WRITE, data)))

    def collect(self, down_to: int):
        while len(self.in_flight) > down_to:
            slot, task = self.in_flight[0]
            if self.disk.session.wait(task).status != GOOD:
                raise AssertionError(f"status {task.status}")
            self.in_flight.pop(0)
            self.acknowledged.append(slot)

    def drain(self):
        """After the kill: acknowledgements that were in flight count."""
        try:
            self.collect(0)
        except (Closed, OSError):
            pass


class KillDuringWrites(E2eCase):
    def check(self, options):
        spec = f"file:{self.scratch}/disk.img,size=32MiB{options}"
        prng = random.Random(20261121)
        for round_number in range(3):
            daemon = self.serve("--disk", spec)
            slots = list(range(SLOTS))
            prng.shuffle(slots)
            writers = [Writer(self.login(daemon), slots[part::4], round_number) for part in range(4)]
            for _ in range(300):
                for writer in writers:
                    writer.submit()
                    writer.collect(down_to=7)
            daemon.kill()
            for writer in writers:
                writer.drain()
            self.verify(spec, writers, round_number)

    def verify(self, spec, writers, round_number):
        daemon = self.serve("--disk", spec)
        disk = self.disk(daemon)
        acknowledged = [slot for writer in writers for slot in writer.acknowledged]
        self.assertGreaterEqual(len(acknowledged), 4 * (300 - 7))
        for slot in acknowledged:
            data = disk.read(slot * BLOCKS_A_WRITE, BLOCKS_A_WRITE)
            self.assertEqual(data, pattern(slot, round_number), f"slot {slot}")
        daemon.stop()

    def test_direct(self):
        self.check("")

    def test_buffered(self):
        self.check(",cache=buffered")

    def test_4096_byte_blocks(self):
        spec = f"file:{self.scratch}/disk.img,size=32MiB,block=4096"
        daemon = self.serve("--disk", spec)
        disk = self.disk(daemon)
        for lba in range(64):
            disk.write(lba, struct.pack(">Q", lba) * 512)
        daemon.kill()
        disk = self.disk(self.serve("--disk", spec))
        for lba in range(64):
            self.assertEqual(disk.read(lba, 1), struct.pack(">Q", lba) * 512)


class OrderlyStop(E2eCase):
    def test_keeps_what_was_written(self):
        spec = f"file:{self.scratch}/disk.img,size=16MiB"
        daemon = self.serve("--disk", spec)
        disk = self.disk(daemon)
        disk.write(7, b"kept" * 128)
        disk.write(9, b"fua!" * 128, flags=0x08)
        disk.synchronize()
        daemon.stop()
        disk = self.disk(self.serve("--disk", spec))
        self.assertEqual(disk.read(7, 1), b"kept" * 128)
        self.assertEqual(disk.read(9, 1), b"fua!" * 128)
        self.assertEqual(disk.read(8, 1), bytes(512))

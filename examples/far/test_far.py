#!/usr/bin/env python3
"""Runs the example: latency, loss, return, growth.

    test_far.py PROGRAM
"""

import os
import random
import subprocess
import sys
import time
import unittest
from pathlib import Path

PROGRAM = Path(sys.argv.pop(1)).resolve()
os.environ.setdefault("LUNAR_BIN", str(PROGRAM))  # the harness looks at how it was compiled
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests/e2e"))

from lunar_e2e.disk import CommandFailed, Disk  # noqa: E402
from lunar_e2e.initiator import GOOD, Session  # noqa: E402

BLOCK = 512
NOT_READY = 2
CAUSE_NOT_REPORTABLE = 0x0400
MEDIUM_MAY_HAVE_CHANGED = 0x2800
CAPACITY_CHANGED = 0x2A09


class Far(unittest.TestCase):
    def serve(self, patience_ms):
        self.process = subprocess.Popen([PROGRAM, "127.0.0.1:0", str(patience_ms)], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL)
        self.addCleanup(self.process.wait)
        self.addCleanup(self.process.stdout.close)
        self.addCleanup(self.process.kill)
        _, portal, target, _ = self.process.stdout.readline().strip().replace("//", "/").split("/")
        host, port = portal.rsplit(":", 1)
        session = Session((host, int(port)), target=target, timeout=30)
        self.addCleanup(session.close)
        return Disk(session).settle()

    def tell(self, line):
        print(line, file=self.process.stdin, flush=True)
        self.assertEqual(self.process.stdout.readline(), "ok\n")

    def end(self):
        self.process.stdin.close()
        self.assertEqual(self.process.wait(30), 0)

    def until_ready(self, disk, attention):
        """Takes what the unit says on the way to GOOD; `attention` must be among it."""
        seen = []
        for _ in range(300):
            task = disk.session.execute(bytes(6), lun=0)
            if task.status == GOOD:
                if attention in seen:
                    return
            else:
                seen.append(task.asc_ascq)
            time.sleep(0.02)
        self.fail(f"not ready, or without {attention:x}h: {[f'{code:x}h' for code in set(seen)]}")

    def test_requests_end_in_any_order_with_their_data(self):
        disk = self.serve(20000)
        chance = random.Random(1)
        data = {lba: chance.randbytes(8 * BLOCK) for lba in range(0, 256, 8)}
        tasks = [disk.start_write(lba, block) for lba, block in data.items()]
        for task in tasks:
            self.assertEqual(disk.session.wait(task).status, GOOD)
        tasks = [(disk.start_read(lba, 8), block) for lba, block in data.items()]
        for task, block in tasks:
            self.assertEqual(bytes(disk.session.wait(task).data), block)
        disk.execute(disk.rw_cdb(0x93, 0, 16), write=bytes(BLOCK))  # WRITE SAME, done by writes
        self.assertEqual(disk.read(0, 16), bytes(16 * BLOCK))
        self.end()

    def test_commands_wait_for_a_disk_that_comes_back_soon(self):
        disk = self.serve(20000)
        disk.write(0, b"a" * BLOCK)
        self.tell("break")
        read = disk.start_read(0, 1)
        self.tell("mend")
        task = disk.session.wait(read)
        if task.status != GOOD:  # it was under way
            self.assertEqual(task.sense_key, 4)
        self.until_ready(disk, MEDIUM_MAY_HAVE_CHANGED)
        self.assertEqual(disk.read(0, 1), b"a" * BLOCK)
        self.end()

    def test_is_not_ready_while_it_stays_away(self):
        disk = self.serve(100)
        disk.write(0, b"a" * BLOCK)
        self.tell("break")
        time.sleep(0.05)
        with self.assertRaises(CommandFailed) as failed:
            disk.write(0, b"b" * BLOCK)
        task = failed.exception.task
        self.assertEqual((task.sense_key, task.asc_ascq), (NOT_READY, CAUSE_NOT_REPORTABLE))
        task = disk.session.execute(bytes(6), lun=0)  # TEST UNIT READY
        self.assertEqual((task.sense_key, task.asc_ascq), (NOT_READY, CAUSE_NOT_REPORTABLE))
        disk.inquiry()
        self.tell("mend")
        self.until_ready(disk, MEDIUM_MAY_HAVE_CHANGED)
        self.assertEqual(disk.read(0, 1), b"a" * BLOCK)
        self.tell("break")
        self.end()

    def test_growth_is_told(self):
        disk = self.serve(20000)
        self.assertEqual(disk.block_count, 8 << 11)
        self.tell("grow 16")
        self.until_ready(disk, CAPACITY_CHANGED)
        disk.read_capacity()
        self.assertEqual(disk.block_count, 16 << 11)
        disk.write(disk.block_count - 1, b"z" * BLOCK)
        self.assertEqual(disk.read(disk.block_count - 1, 1), b"z" * BLOCK)
        self.end()


if __name__ == "__main__":
    unittest.main()

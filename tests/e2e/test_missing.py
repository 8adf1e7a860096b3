"""A file that is not there at the start is waited for, if the configuration says so."""

import shutil
import time

from lunar_e2e.case import E2eCase
from lunar_e2e.daemon import free_port, run_to_end
from lunar_e2e.disk import CommandFailed, Disk
from lunar_e2e.initiator import GOOD

NOT_READY = 2
CAUSE_NOT_REPORTABLE = 0x0400
SIZE = 1 << 20


class Missing(E2eCase):
    def setUp(self):
        super().setUp()
        self.path, self.aside = self.scratch / "d.img", self.scratch / "aside.img"
        self.waiting = f"file:{self.path},missing=wait"

    def serve_once(self):
        """Serves a file with data, which is gone then. Gives its serial number."""
        daemon = self.serve("--disk", f"file:{self.path},size=1MiB")
        self.login(daemon).close()
        daemon.stop()
        daemon = self.serve("--disk", self.waiting)
        disk = Disk(self.login(daemon)).settle()
        disk.write(7, b"a" * 512)
        disk.synchronize()
        serial = disk.inquiry(page=0x80)
        daemon.stop()
        self.path.rename(self.aside)
        return serial

    def refused(self, why, disk):
        failed = run_to_end("serve", "--listen", f"127.0.0.1:{free_port()}", "--disk", disk,
                            "--state", self.scratch / "state")
        self.assertNotEqual(failed.returncode, 0)
        self.assertIn(why, failed.stderr)

    def test_by_default_it_is_an_error(self):
        self.serve_once()
        self.refused("does not exist", f"file:{self.path}")

    def test_what_was_never_served_is_an_error(self):
        self.refused("has not been served with missing=wait before", self.waiting)

    def test_commands_wait_for_it(self):
        serial = self.serve_once()
        daemon = self.serve("--disk", self.waiting, "--disk", "ram:1MiB")
        session = self.login(daemon)
        other = Disk(session, 1).settle()
        disk = Disk(session).settle()
        self.assertEqual(disk.inquiry(page=0x80), serial)
        self.assertEqual(disk.block_count, SIZE // 512)
        read = disk.start_read(7, 1)
        other.write(0, b"b" * 512)  # nobody else waits
        self.path.write_bytes(bytes(SIZE))  # another file
        time.sleep(2)
        other.write(0, b"b" * 512)
        self.assertFalse(read.done)
        self.path.unlink()
        self.aside.rename(self.path)
        self.assertEqual(session.wait(read).status, GOOD)
        self.assertEqual(bytes(read.data), b"a" * 512)
        disk.write(8, b"c" * 512)
        self.assertEqual(disk.read(8, 1), b"c" * 512)
        daemon.stop()

    def test_it_is_not_ready_when_that_takes_too_long(self):
        self.serve_once()
        daemon = self.serve("--disk", self.waiting)
        session = self.login(daemon, timeout=60)
        disk = Disk(session).settle()
        with self.assertRaises(CommandFailed) as failed:
            disk.read(7, 1)
        task = failed.exception.task
        self.assertEqual((task.sense_key, task.asc_ascq), (NOT_READY, CAUSE_NOT_REPORTABLE))
        task = session.execute(bytes(6), lun=0)
        self.assertEqual((task.sense_key, task.asc_ascq), (NOT_READY, CAUSE_NOT_REPORTABLE))
        shutil.move(self.aside, self.path)
        deadline = time.monotonic() + 20
        while session.execute(bytes(6), lun=0).status != GOOD:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.1)
        self.assertEqual(disk.read(7, 1), b"a" * 512)
        daemon.stop()

"""File disks whose file is changed by others, or must not grow."""

import os
import subprocess

from lunar_e2e.case import E2eCase
from lunar_e2e.daemon import SLOWNESS, binary, run_to_end
from lunar_e2e.disk import CommandFailed
from lunar_e2e.initiator import TARGET

MIB = 1 << 20
MEDIUM_ERROR, DATA_PROTECT = 3, 7


class Truncated(E2eCase):
    def setUp(self):
        super().setUp()
        self.path = self.scratch / "d.img"
        self.spec = f"file:{self.path},size=4MiB"

    def fails(self, command, *arguments):
        with self.assertRaises(CommandFailed) as failed:
            command(*arguments)
        self.assertEqual(failed.exception.task.sense_key, MEDIUM_ERROR)

    def test_lost_blocks_do_not_come_back_as_zeroes(self):
        daemon = self.serve("--disk", self.spec)
        disk = self.disk(daemon)
        disk.write(6000, b"lost" * 128)
        os.truncate(self.path, MIB)
        self.fails(disk.read, 6000, 1)
        self.fails(disk.write, 8000, bytes(512))
        self.fails(disk.read, 6000, 1)
        daemon.wait_for_output("somebody has truncated it")
        daemon.stop()
        self.assertEqual(self.path.stat().st_size, MIB, "nothing was written beyond")
        refused = run_to_end("serve", "--disk", self.spec, "--listen", "127.0.0.1:0", "--target", TARGET,
                             "--state", self.scratch / "state")
        self.assertEqual(refused.returncode, 2, refused.stderr)
        self.assertIn("would put zeroes where data have been", refused.stderr)
        self.assertEqual(len(refused.stderr.splitlines()), 1)
        left = self.disk(self.serve("--disk", f"file:{self.path}"))
        self.assertEqual(left.block_count * 512, MIB)

    def test_protection_information_that_was_zeroed_or_truncated_is_refused(self):
        spec = self.spec + ",protection=1"
        self.serve("--disk", spec).stop()
        area = self.scratch / "d.img.protection"
        whole = area.read_bytes()
        for damaged, words in ((bytes(len(whole)), "zeroed"), (b"", "too short"), (whole[:8192], "too short")):
            area.write_bytes(damaged)
            refused = run_to_end("serve", "--disk", spec, "--listen", "127.0.0.1:0", "--target", TARGET,
                                 "--state", self.scratch / "state")
            self.assertEqual(refused.returncode, 2, refused.stderr)
            self.assertIn(words, refused.stderr)
            self.assertIn("restore it, or remove it", refused.stderr)
            self.assertEqual(area.read_bytes(), damaged)
        area.write_bytes(whole)
        self.assertEqual(self.disk(self.serve("--disk", spec)).read(0, 1), bytes(512))


class SizeLimit(E2eCase):
    """ulimit -f: the kernel sends SIGXFSZ, which would end the process."""

    def test_a_file_that_may_not_be_made_is_told_in_one_line(self):
        path = self.scratch / "d.img"
        limited = ["prlimit", f"--fsize={MIB}", binary(), "serve", "--disk", f"file:{path},size=4MiB", "--listen",
                   "127.0.0.1:0", "--target", TARGET, "--state", self.scratch / "state"]
        refused = subprocess.run(limited, capture_output=True, text=True, timeout=10 * SLOWNESS)
        self.assertEqual(refused.returncode, 1, refused.stderr)
        self.assertIn("File too large", refused.stderr)
        self.assertEqual(len(refused.stderr.splitlines()), 1)
        self.assertEqual(list(self.scratch.iterdir()), [], "no part of it is left")

    def test_a_write_beyond_is_an_error_of_the_write(self):
        for cache in ("direct", "buffered"):
            path = self.scratch / f"{cache}.img"
            with path.open("wb") as file:
                file.truncate(4 * MIB)
            daemon = self.serve("--disk", f"file:{path},cache={cache}", "--state", self.scratch / "state",
                                command=["prlimit", f"--fsize={MIB}", binary(), "serve"])
            disk = self.disk(daemon)
            disk.write(0, b"fits" * 128)
            with self.assertRaises(CommandFailed) as failed:
                disk.write(4096, bytes(512))
            self.assertEqual(failed.exception.task.sense_key, DATA_PROTECT)
            self.assertEqual(failed.exception.task.asc_ascq, 0x2707)
            self.assertEqual(disk.read(0, 1), b"fits" * 128)
            daemon.stop()

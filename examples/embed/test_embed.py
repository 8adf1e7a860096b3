#!/usr/bin/env python3
"""Runs the example and reads its disk; builds it against an installed lunar.

    test_embed.py PROGRAM [Served|Installed]
"""

import os
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]
PROGRAM = Path(sys.argv.pop(1)).resolve()
os.environ.setdefault("LUNAR_BIN", str(PROGRAM))  # the harness looks at how it was compiled
sys.path.insert(0, str(ROOT / "tests/e2e"))

from lunar_e2e.disk import CommandFailed, Disk  # noqa: E402
from lunar_e2e.initiator import Session  # noqa: E402

BLOCK = 512
DATA_PROTECT = 7


class Example(unittest.TestCase):
    def serve(self, program):
        """A session with the started example."""
        self.process = subprocess.Popen([program, "127.0.0.1:0"], stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.process.stdout.close)
        self.addCleanup(self.process.wait)
        self.addCleanup(self.process.kill)
        scheme, portal, target, lun = self.process.stdout.readline().strip().replace("//", "/").split("/")
        self.assertEqual((scheme, lun), ("iscsi:", "0"))
        host, port = portal.rsplit(":", 1)
        session = Session((host, int(port)), target=target, timeout=30)
        self.addCleanup(session.close)
        return Disk(session).settle()

    def check_blocks(self, disk):
        self.assertEqual((disk.block_size, disk.block_count), (BLOCK, 1 << 20))
        for lba, count in ((0, 1), (5, 3), (4096, 700), (disk.block_count - 2, 2)):
            expected = b"".join((lba + i).to_bytes(8, "big") * (BLOCK // 8) for i in range(count))
            self.assertEqual(disk.read(lba, count), expected, f"{count} blocks at {lba}")

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.process.wait(30), 0)


class Served(Example):
    def test_each_block_is_its_address(self):
        self.check_blocks(self.serve(PROGRAM))
        self.end()

    def test_refuses_writes(self):
        disk = self.serve(PROGRAM)
        with self.assertRaises(CommandFailed) as failed:
            disk.write(0, bytes(BLOCK))
        self.assertEqual(failed.exception.task.sense_key, DATA_PROTECT)
        self.end()

    def test_says_what_is_wrong(self):
        ended = subprocess.run([PROGRAM, "nowhere"], capture_output=True, text=True, timeout=30)
        self.assertEqual(ended.returncode, 1)
        self.assertIn('"nowhere" is not an address', ended.stderr)


class Installed(Example):
    def run_tool(self, *command):
        done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_builds_with_find_package(self):
        build = PROGRAM.parents[1]  # build/NAME/bin/PROGRAM
        with tempfile.TemporaryDirectory(prefix="lunar-install.") as scratch:
            prefix, tree = Path(scratch, "usr"), Path(scratch, "build")
            self.run_tool("cmake", "--install", build, "--prefix", prefix)
            self.assertTrue((prefix / "bin/lunar").exists())
            self.assertFalse(list(prefix.glob("include/**/internals*")))
            self.run_tool("cmake", "-G", "Ninja", "-S", FOLDER, "-B", tree,
                          f"-DCMAKE_PREFIX_PATH={prefix}")
            self.run_tool("cmake", "--build", tree)
            self.check_blocks(self.serve(tree / "embed_example"))
            self.end()


if __name__ == "__main__":
    unittest.main()

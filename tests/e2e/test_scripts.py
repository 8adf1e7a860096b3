"""scripts/run, and the commands of README.md.

Only with the release binary, which is the one that scripts/run builds.
"""

import os
import shlex
from pathlib import Path

from lunar_e2e.case import E2eCase, run_tool
from lunar_e2e.daemon import Daemon
from lunar_e2e.disk import Disk

RELEASE_ONLY = True
CHECKOUT = Path(__file__).resolve().parents[2]
PORTAL = "127.0.0.1:3260"

# Lines of README.md that are not run here, each with the reason.
COVERED = {
    "git clone": "the reader's own copy is this checkout",
    "scripts/run": "started by the test",
    "scripts/test": "what runs this test",
}


def shell_lines(document: Path) -> list:
    """The commands of the ```sh blocks, one per line."""
    lines, inside = [], False
    for line in document.read_text().splitlines():
        if line.startswith("```"):
            inside = not inside and line == "```sh"
        elif inside and line.strip() and not line.startswith("#"):
            lines.append(line.split("  #")[0].strip())
    return lines


class Run(E2eCase):
    def start(self, *arguments) -> Daemon:
        self.data = self.scratch / "data"
        os.environ["LUNAR_DATA_DIR"] = str(self.data)
        self.addCleanup(os.environ.pop, "LUNAR_DATA_DIR")
        daemon = Daemon(*arguments, command=[CHECKOUT / "scripts/run"])
        self.addCleanup(self._end, daemon)
        return daemon.start(within=1800)

    def test_serves_two_disks_and_says_so(self):
        daemon = self.start()
        sizes = [self.disk(daemon, lun).block_count * 512 for lun in (0, 1)]
        self.assertEqual(sizes, [1 << 30, 10 << 30])
        text = daemon.output()
        self.assertIn(f"127.0.0.1:{daemon.port}", text)
        self.assertIn(str(self.data), text)
        self.assertTrue(list(self.data.iterdir()))

    def test_keeps_the_file_over_a_restart(self):
        daemon = self.start()
        self.disk(daemon, 1).write(1, b"kept" * 128)
        daemon.stop()
        self.assertEqual(self.disk(daemon.start(within=1800), 1).read(1, 1), b"kept" * 128)

    def test_passes_arguments_on(self):
        session = self.login(self.start("--disk", "null:1TiB"))
        self.assertEqual(Disk(session, 2).settle().block_count, 1 << 31)

    def test_what_it_suggests_works(self):
        daemon = self.start()
        prefix = "Try it: "
        suggested = [line.removeprefix(prefix) for line in daemon.output().splitlines()
                     if line.startswith(prefix)]
        self.assertGreaterEqual(len(suggested), 1)
        for line in suggested:
            run_tool(*shlex.split(line))

    def test_readme_commands_work(self):
        daemon = self.start()
        lines = shell_lines(CHECKOUT / "README.md")
        typed = [line for line in lines if not line.startswith(tuple(COVERED))]
        self.assertGreaterEqual(len(typed), 4)
        for prefix in COVERED:
            self.assertTrue(any(line.startswith(prefix) for line in lines), f"no longer there: {prefix}")
        for line in typed:
            with self.subTest(line=line):
                run_tool("bash", "-ec", line.replace(PORTAL, f"127.0.0.1:{daemon.port}"),
                         cwd=self.scratch)

"""Base of the test cases: a scratch folder, and daemons that never outlive their test."""

import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from .daemon import SLOWNESS, Daemon
from .disk import Disk


class E2eCase(unittest.TestCase):
    """Fails on a skip: what a test needs, scripts/deps installs."""

    maxDiff = None

    def setUp(self):
        self.scratch = Path(tempfile.mkdtemp(prefix="lunar-e2e."))
        self.addCleanup(shutil.rmtree, self.scratch)

    def serve(self, *arguments, **options) -> Daemon:
        """A started daemon. At the end of the test it is stopped and must end well, unless the
        test ended it itself."""
        own = options.get("as_nobody") or options.get("command") or "--state" in arguments
        if not own:
            arguments += ("--state", self.scratch / "state")
        daemon = Daemon(*arguments, **options)
        self.addCleanup(self._end, daemon)
        return daemon.start()

    @staticmethod
    def _end(daemon: Daemon):
        if daemon.process is None:
            return
        try:
            if daemon.running():
                daemon.stop()
            else:
                daemon.check_output()
        finally:
            daemon.kill()
            daemon.log.close()

    def login(self, daemon: Daemon, **options):
        session = daemon.login(**options)
        self.addCleanup(session.close)
        return session

    def disk(self, daemon: Daemon, lun: int = 0, **options) -> Disk:
        """A disk of a session of its own."""
        return Disk(self.login(daemon, **options), lun).settle()


def run_tool(*command, timeout=60, check=True, **options) -> str:
    """What a command printed (both streams); its failure is the test's."""
    result = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            errors="replace", timeout=timeout * SLOWNESS, **options)
    if check and result.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: {result.returncode}\n{result.stdout}")
    return result.stdout

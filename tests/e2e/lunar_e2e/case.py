"""Base class of test cases: a scratch folder, and daemons that end with their test."""

import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from .daemon import SLOWNESS, Daemon
from .disk import Disk


class E2eCase(unittest.TestCase):
    """Fails on a skip: scripts/deps installs everything that tests need."""

    maxDiff = None

    def setUp(self):
        self.scratch = Path(tempfile.mkdtemp(prefix="lunar-e2e."))
        self.addCleanup(shutil.rmtree, self.scratch)

    def serve(self, *arguments, **options) -> Daemon:
        """Starts a daemon. It is stopped at the end of the test and must end without errors, unless the
        test has ended it."""
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
        """A disk in a new session."""
        return Disk(self.login(daemon, **options), lun).settle()


def run_tool(*command, timeout=60, check=True, **options) -> str:
    """The output of a command (both streams). Fails the test if the command fails."""
    result = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            errors="replace", timeout=timeout * SLOWNESS, **options)
    if check and result.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: {result.returncode}\n{result.stdout}")
    return result.stdout

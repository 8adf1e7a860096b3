"""Starts and stops the daemon under test: the binary in LUNAR_BIN."""

import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from . import process
from .initiator import TARGET, Session

NOBODY = 65534
# First lines of sanitizer reports. A daemon that prints one has failed, whatever it answered.
_REPORT = re.compile(r"ERROR: \w+Sanitizer|WARNING: \w+Sanitizer|runtime error:")


def binary() -> Path:
    path = Path(os.environ.get("LUNAR_BIN", "build/debug/bin/lunar")).resolve()
    if not os.access(path, os.X_OK):
        raise AssertionError(f"LUNAR_BIN: {path} is no program; build it first")
    return path


def _sanitizer() -> str:
    try:
        code = binary().read_bytes()
    except AssertionError:  # starts no daemon: another target is tested (conformance/run --url)
        return ""
    return next((name for name in ("tsan", "asan") if f"__{name}_init".encode() in code), "")


SANITIZER = _sanitizer()
# Factor by which everything may take longer than in a release build.
SLOWNESS = {"": 1, "asan": 4, "tsan": 8}[SANITIZER]


def free_port() -> int:
    """A free port below the ephemeral range, so that no outgoing connection takes it."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def run_to_end(*arguments, timeout=10, **options) -> subprocess.CompletedProcess:
    """Runs `lunar ARGUMENTS`, which must end by itself."""
    return subprocess.run([binary(), *map(str, arguments)], capture_output=True, text=True,
                          timeout=timeout * SLOWNESS, stdin=subprocess.DEVNULL, **options)


class Daemon:
    """`lunar serve` on a free loopback port. start() returns when it listens."""

    def __init__(self, *arguments, port=None, command=None, as_nobody=False, listen=True,
                 stderr=subprocess.STDOUT):
        self.port = port or free_port()
        self.arguments = [str(argument) for argument in arguments]
        if listen:
            self.arguments += ["--listen", f"127.0.0.1:{self.port}"]
        self.command = [str(word) for word in command] if command else [str(binary()), "serve"]
        # The default name depends on the machine. (scripts/run gives a name.)
        if self.command[-1] == "serve" and "--disk" in self.arguments and "--target" not in self.arguments:
            self.arguments += ["--target", TARGET]
        self.as_nobody = as_nobody
        self.target = TARGET
        self.stderr = stderr  # STDOUT: output() has it
        self.process = None
        self.log = None

    # Life

    def start(self, within=20) -> "Daemon":
        self.log = tempfile.TemporaryFile()
        options = {}
        if self.as_nobody and os.getuid() == 0:
            options = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        self.process = subprocess.Popen(self.command + self.arguments, stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=self.stderr, **options)
        deadline = time.monotonic() + within * SLOWNESS
        while not self._listens():
            if self.process.poll() is not None:
                raise AssertionError(f"lunar ended with {self.process.returncode}:\n{self.output()}")
            if time.monotonic() > deadline:
                self.kill()
                raise AssertionError(f"lunar does not listen on {self.port}:\n{self.output()}")
            time.sleep(0.01)
        return self

    def _listens(self) -> bool:
        try:
            return process.listens(self.pid, self.port)
        except (FileNotFoundError, ProcessLookupError):  # it just ended
            return False

    def stop(self, by=signal.SIGTERM, within=5) -> float:
        """Stops the daemon; returns the seconds it took. Any exit code but 0, or a sanitizer report, fails."""
        started = time.monotonic()
        self.process.send_signal(by)
        try:
            code = self.process.wait(within * SLOWNESS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"no end {within * SLOWNESS} s after {by.name}:\n{self.output()}")
        taken = time.monotonic() - started
        self.check_output()
        if code != 0:
            raise AssertionError(f"exit code {code} after {by.name}:\n{self.output()}")
        return taken

    def kill(self):
        if self.running():
            self.process.kill()
        self.process.wait()

    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    # Output

    def output(self) -> str:
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def wait_for_output(self, pattern: str, within=10):
        """Waits until a line of the log matches. It may come a little after its event."""
        deadline = time.monotonic() + within * SLOWNESS
        while not re.search(pattern, self.output(), re.MULTILINE):
            if time.monotonic() > deadline:
                raise AssertionError(f"lunar does not say {pattern}:\n{self.output()}")
            time.sleep(0.01)

    def check_output(self):
        text = self.output()
        report = _REPORT.search(text)
        if report:
            raise AssertionError("sanitizer report:\n" + text[report.start():][:8000])

    # Addresses

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def address(self):
        return ("127.0.0.1", self.port)

    @property
    def portal_url(self) -> str:
        return f"iscsi://127.0.0.1:{self.port}/"

    def url(self, lun=0) -> str:
        return f"{self.portal_url}{self.target}/{lun}"

    def login(self, **options) -> Session:
        options.setdefault("target", self.target)
        options.setdefault("timeout", 15 * SLOWNESS)
        return Session(self.address, **options)


def public_copy_of_binary(folder: Path) -> Path:
    """A copy of the program that every user may run; a checkout may be accessible only to its owner."""
    copy = folder / "lunar"
    shutil.copy(binary(), copy)
    copy.chmod(0o755)
    return copy

"""The iSCSI targets of scripts/compare, each with one RAM disk, on one core, on loopback."""

import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DISK_BYTES = 256 << 20
NAME = "iqn.2026-11.io.lunar:compare"


def free_port() -> int:
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


REALTIME = []  # prefix of each command, set by realtime()


def realtime():
    """From now on measured processes run with real-time priority."""
    REALTIME[:] = ["chrt", "--fifo", "1"]
    if subprocess.run([*REALTIME, "true"], check=False, stderr=subprocess.DEVNULL).returncode != 0:
        raise SystemExit("--realtime: this user may not (it takes root, or CAP_SYS_NICE)")


def spawn(command, core=None, **options) -> subprocess.Popen:
    """Starts a process in its own session, with priority over other processes if that is allowed.

    With autogrouping, a nice value only counts within a session; /proc/PID/autogroup sets the weight
    of the session itself.
    """
    if core is not None:
        command = ["taskset", "-c", str(core), *command]
    command = [*REALTIME, *command]
    process = subprocess.Popen([str(word) for word in command], start_new_session=True, **options)
    for action in (lambda: Path(f"/proc/{process.pid}/autogroup").write_text("-20"),
                   lambda: os.setpriority(os.PRIO_PROCESS, process.pid, -20)):
        try:
            action()
        except OSError:
            pass
    return process


def cpu_ns(pid: int) -> int:
    """CPU time of all threads of a process. May lack a running thread's time since the last tick."""
    return sum(int(path.read_text().split()[0]) for path in Path(f"/proc/{pid}/task").glob("*/schedstat"))


class Target:
    """A target process. Between start() and end(), signals stop and continue it."""

    name = ""
    program = ""

    def __init__(self, core=0):
        self.core = core
        self.port = free_port()
        self.process = None
        self.folder = Path(tempfile.mkdtemp(prefix="lunar-compare.", dir="/dev/shm"))

    @property
    def url(self) -> str:
        return f"iscsi://127.0.0.1:{self.port}/{NAME}/{self.lun}"

    lun = 0

    def start(self):
        if not shutil.which(self.program):
            raise SystemExit(f"compare: no {self.program} here: scripts/deps compare installs it")
        with open(self.folder / "log", "w", encoding="utf-8") as log:
            self.process = spawn(self.command(), self.core, stdin=subprocess.DEVNULL, stdout=log,
                                 stderr=subprocess.STDOUT)
        deadline = time.monotonic() + 20
        while not self.listens():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"compare: {self.name} does not start:\n"
                                 + (self.folder / "log").read_text(errors="replace"))
            time.sleep(0.05)
        self.configure()

    def command(self):
        raise NotImplementedError

    def configure(self):
        """Further set-up of the running process."""

    def listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def backing_file(self) -> Path:
        """A file in memory with the disk's size, fully allocated."""
        path = self.folder / "disk"
        with open(path, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, DISK_BYTES)
        return path

    def signal(self, number):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)

    def proceed(self):
        self.signal(signal.SIGCONT)

    def stand_still(self):
        """Returns when every thread has stopped, so that cpu_ns() is exact."""
        self.signal(signal.SIGSTOP)
        deadline = time.monotonic() + 1
        while self.moves() and time.monotonic() < deadline:
            time.sleep(0.0005)

    def moves(self) -> bool:
        if self.process is None or self.process.poll() is not None:
            return False
        # The state is the field after the name, which may contain anything except ")".
        return any(path.read_text().rpartition(")")[2].split()[0] != "T"
                   for path in Path(f"/proc/{self.process.pid}/task").glob("*/stat"))

    def cpu_ns(self) -> int:
        """CPU time of all threads so far."""
        return cpu_ns(self.process.pid)

    def end(self):
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        if self.process is not None:
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class Lunar(Target):
    name = "lunar"
    program = str(ROOT / "build/release/bin/lunar")

    def command(self):
        return [self.program, "serve", "--disk", f"ram:{DISK_BYTES}", "--shards", "1",
                "--listen", f"127.0.0.1:{self.port}", "--target", NAME, "--log-level", "warning",
                "--state", self.folder / "state"]


class Tgtd(Target):
    """tgt's file backend on a file in memory, with parameters as large as those of the other targets."""

    name = "tgtd"
    program = "tgtd"
    lun = 1

    def __init__(self, core=0):
        super().__init__(core)
        self.control = str(random.randrange(1000, 30000))

    def command(self):
        return ["tgtd", "-f", "-C", self.control, "--iscsi", f"portal=127.0.0.1:{self.port}"]

    def configure(self):
        tell = ["tgtadm", "-C", self.control, "--lld", "iscsi", "--tid", "1", "--op"]
        values = {"MaxRecvDataSegmentLength": 262144, "FirstBurstLength": 262144,
                  "MaxBurstLength": 1048576, "InitialR2T": "No", "ImmediateData": "Yes"}
        steps = [["new", "--mode", "target", "-T", NAME],
                 ["new", "--mode", "logicalunit", "--lun", "1", "-b", str(self.backing_file())],
                 ["bind", "--mode", "target", "-I", "ALL"]]
        steps += [["update", "--mode", "target", "--name", key, "--value", str(value)]
                  for key, value in values.items()]
        for step in steps:
            subprocess.run([*tell, *step], check=True, stdin=subprocess.DEVNULL)


class Istgt(Target):
    name = "istgt"
    program = "istgt"

    CONFIGURATION = """
[Global]
  NodeBase "iqn.2026-11.io.lunar"
  PidFile {folder}/pid
  AuthFile {folder}/auth
  MediaDirectory {folder}
  LogFacility "local7"
  Timeout 30
  NopInInterval 20
  DiscoveryAuthMethod Auto
  MaxSessions 64
  MaxConnections 4
  MaxR2T 32
  MaxOutstandingR2T 16
  DefaultTime2Wait 2
  DefaultTime2Retain 60
  FirstBurstLength 262144
  MaxBurstLength 1048576
  MaxRecvDataSegmentLength 262144
  InitialR2T Yes
  ImmediateData Yes
  DataPDUInOrder Yes
  DataSequenceInOrder Yes
  ErrorRecoveryLevel 0
[UnitControl]
  AuthMethod Auto
  Portal UC1 127.0.0.1:{control}
  Netmask 127.0.0.1
[PortalGroup1]
  Portal DA1 127.0.0.1:{port}
[InitiatorGroup1]
  InitiatorName "ALL"
  Netmask 127.0.0.0/8
[LogicalUnit1]
  TargetName {name}
  Mapping PortalGroup1 InitiatorGroup1
  AuthMethod Auto
  UseDigest Auto
  UnitType Disk
  QueueDepth 255
  LUN0 Storage {disk} {megabytes}MB
"""

    def command(self):
        (self.folder / "auth").write_text("")
        (self.folder / "auth").chmod(0o600)
        path = self.folder / "conf"
        path.write_text(self.CONFIGURATION.format(
            folder=self.folder, control=free_port(), port=self.port, name=NAME,
            disk=self.backing_file(), megabytes=DISK_BYTES >> 20))
        return ["istgt", "-D", "-c", str(path)]


class Floor:
    """Not a separate process: the bench runs it (lunar bench --floor)."""

    def __init__(self, form):
        self.name = f"floor-{form}"
        self.form = form

    def signal(self, number):
        """Does nothing: the floor sleeps by itself between slices."""

    proceed = stand_still = lambda self: None

    def cpu_ns(self) -> int:
        """Unknown: the floor is a thread of the bench. It spins, so it uses its whole core."""
        return 0

    def start(self):
        pass

    def end(self):
        pass


KINDS = {kind.name: kind for kind in (Lunar, Tgtd, Istgt)}

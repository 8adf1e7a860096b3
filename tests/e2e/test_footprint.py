"""Costs of the daemon while little or nothing happens."""

import resource
import select
import time

from lunar_e2e import process
from lunar_e2e.case import E2eCase
from lunar_e2e.connection import Closed
from lunar_e2e.daemon import SANITIZER
from lunar_e2e.disk import Disk
from lunar_e2e.initiator import LoginFailed

ALONE = True


class Footprint(E2eCase):
    def cycle(self, daemon, count):
        for index in range(count):
            session = daemon.login(discovery=index % 4 == 3)
            self.assertEqual(session.logout(), 0)

    def test_1000_logins_and_logouts_leave_descriptors_and_memory_alone(self):
        daemon = self.serve("--disk", "ram:16MiB")
        self.cycle(daemon, 200)  # pools, arenas and thread stacks reach their size
        self.wait_for_descriptors(daemon, None)
        descriptors = process.descriptors(daemon.pid)
        resident = process.resident_kib(daemon.pid)
        self.cycle(daemon, 1000)
        self.wait_for_descriptors(daemon, descriptors)
        grown = process.resident_kib(daemon.pid) - resident
        # A sanitizer holds back freed memory. It reports real leaks at the end.
        self.assertLess(grown, 65536 if SANITIZER else 1024, "KiB")

    def wait_for_descriptors(self, daemon, wanted):
        """A closed socket leaves the table a moment after its peer has seen the end."""
        deadline = time.monotonic() + 5
        last = -1
        while time.monotonic() < deadline:
            now = process.descriptors(daemon.pid)
            if now == (last if wanted is None else wanted):
                return
            last = now
            time.sleep(0.2)
        self.fail(f"{last} descriptors, {wanted} before")

    def test_abandoned_connections_leave_descriptors_alone(self):
        daemon = self.serve("--disk", "ram:16MiB")
        self.cycle(daemon, 4)
        self.wait_for_descriptors(daemon, None)
        before = process.descriptors(daemon.pid)
        for _ in range(200):
            daemon.login().close()  # no logout
        self.wait_for_descriptors(daemon, before)

    def test_reads_that_nobody_fetches_cost_little(self):
        """A gigabyte in PDUs of 512 bytes, two million of them, four times."""
        daemon = self.serve("--disk", "ram:16MiB")
        witness = self.disk(daemon)
        witness.write(0, b"safe" * 2048)
        most = 8 << 20
        witness.read(0, most // 512)
        before = process.resident_kib(daemon.pid)
        keys = {"MaxRecvDataSegmentLength": "512"}
        sessions = [daemon.login(keys=keys) for _ in range(4)]
        for session in sessions:
            for _ in range(128):
                session.start(Disk.rw_cdb(0x88, 0, most // 512), read_length=most)
        self.assertEqual(witness.read(0, 16), b"safe" * 2048)
        grown = process.resident_kib(daemon.pid) - before
        self.assertLess(grown, 65536 if SANITIZER else 16384, "KiB")

    def test_without_memory_connections_end_and_the_daemon_stays(self):
        daemon = self.serve("--disk", "ram:16MiB")
        self.disk(daemon).write(0, b"safe" * 2048)
        sessions = [daemon.login()]
        if not SANITIZER:  # its shadow memory exceeds any limit
            limit = process.address_space(daemon.pid) + (1 << 20)
            resource.prlimit(daemon.pid, resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
        refused = 0
        while len(sessions) < 800 and refused < 20:
            try:
                sessions.append(daemon.login(timeout=10))
            except (Closed, LoginFailed):
                refused += 1
        for session in sessions:
            session.close()
        resource.prlimit(daemon.pid, resource.RLIMIT_AS,
                         (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        self.assertEqual(self.disk(daemon).read(0, 16), b"safe" * 2048)

    def test_idle_with_10_sessions_uses_less_than_1_percent_of_a_core(self):
        daemon = self.serve("--disk", "ram:16MiB", "--disk", f"file:{self.scratch}/d.img,size=16MiB")
        sessions = [self.disk(daemon, lun % 2).session for lun in range(10)]
        # The adaptive spin after the last command is over well before this.
        self.idle(sessions, 1)
        before = sum(process.thread_cpu_ns(daemon.pid).values())
        self.idle(sessions, 10)
        used = sum(process.thread_cpu_ns(daemon.pid).values()) - before
        self.assertLess(used / 10e9, 0.01)
        for session in sessions:
            self.assertEqual(session.nop(b"still there").data, b"still there")

    @staticmethod
    def idle(sessions, seconds):
        """Only answers the target's pings."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            by_socket = {session.socket: session for session in sessions}
            for ready in select.select(list(by_socket), [], [], left)[0]:
                by_socket[ready].pump()

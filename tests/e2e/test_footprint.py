"""What the daemon costs while little or nothing happens."""

import select
import time

from lunar_e2e import process
from lunar_e2e.case import E2eCase
from lunar_e2e.daemon import SANITIZER

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
        # A sanitizer keeps freed memory aside; real leaks it reports itself at the end.
        self.assertLess(grown, 65536 if SANITIZER else 1024, "KiB")

    def wait_for_descriptors(self, daemon, wanted):
        """A closed socket leaves the table a moment after its peer saw the end."""
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

"""Effects of signals, except the orderly stop in test_shutdown."""

import signal
import time

from lunar_e2e.case import E2eCase
from lunar_e2e.daemon import SLOWNESS, free_port

# The drain waits for a write that the medium never completes.
HANGS = """
device = [{name = "d", type = "ram", size = "1MiB"},
          {name = "bad", type = "error", base = "d", inject = [{op = "write", action = "hang"}]}]
portal = [{listen = "127.0.0.1:PORT"}]
target = [{name = "iqn.2026-11.io.lunar:disks", lun = [{device = "bad"}]}]
"""


class Signals(E2eCase):
    def says(self, daemon, words):
        deadline = time.monotonic() + 5 * SLOWNESS
        while words not in daemon.output():
            self.assertLess(time.monotonic(), deadline, f"no '{words}' in:\n{daemon.output()}")
            time.sleep(0.01)

    def test_hangup_and_users_signals_change_nothing(self):
        daemon = self.serve("--disk", "ram:1MiB")
        disk = self.disk(daemon)
        disk.write(0, b"kept" * 128)
        for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
            daemon.process.send_signal(number)
            self.says(daemon, f"{number.name} changes nothing")
        self.assertEqual(disk.read(0, 1), b"kept" * 128)

    def draining(self):
        """A daemon that is ending and waits for a hanging write."""
        port = free_port()
        path = self.scratch / "lunar.toml"
        path.write_text(HANGS.replace("PORT", str(port)))
        daemon = self.serve("--config", path, port=port, listen=False)
        disk = self.disk(daemon)
        disk.start_write(0, bytes(512))
        self.assertEqual(disk.session.nop(b"alive").data, b"alive")
        daemon.process.send_signal(signal.SIGINT)
        self.says(daemon, "stopping on SIGINT")
        return daemon

    def test_second_interrupt_ends_the_drain_at_once(self):
        daemon = self.draining()
        daemon.process.send_signal(signal.SIGINT)
        self.assertEqual(daemon.process.wait(1 * SLOWNESS), -signal.SIGINT)

    def test_second_term_waits_for_the_drain(self):
        self.draining().stop(signal.SIGTERM)

"""The log: nobody waits for it, no peer can flood it, and its last lines are written when the daemon ends."""

import fcntl
import os

from lunar_e2e.case import E2eCase
from lunar_e2e.daemon import free_port
from lunar_e2e.disk import CommandFailed
from lunar_e2e.initiator import LoginFailed
from lunar_e2e.pdu import IMMEDIATE, REJECT

FIRST_LINES = 32  # kFirstLines
UNKNOWN_OPCODE = 0x1D


def send_bad_pdus(session, count):
    """Each is answered by a Reject."""
    bad = bytes([UNKNOWN_OPCODE | IMMEDIATE]).ljust(48, b"\0")
    for _ in range(count // 100):
        session.send_raw(bad * 100)
        for _ in range(100):
            answer = session.pump()
            assert answer.opcode == REJECT, answer


class Log(E2eCase):
    def full_pipe(self):
        """The writing end of a full pipe of one page."""
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        self.addCleanup(os.close, writer)
        os.write(writer, b"x" * fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096))
        return writer

    def test_a_pipe_that_nobody_reads_stops_nothing(self):
        daemon = self.serve("--disk", "ram:16MiB", "--log-level", "debug", stderr=self.full_pipe())
        session = daemon.login()
        send_bad_pdus(session, 2000)
        for _ in range(20):
            self.disk(daemon).write(0, b"x" * 512)
        with self.assertRaises(LoginFailed):
            daemon.login(target="iqn.2026-11.io.lunar:none")
        daemon.stop()

    def test_what_a_peer_does_for_ever_is_told_a_few_times(self):
        daemon = self.serve("--disk", "ram:16MiB")
        send_bad_pdus(daemon.login(), 2000)
        for _ in range(2 * FIRST_LINES):
            with self.assertRaises(LoginFailed):
                daemon.login(target="iqn.2026-11.io.lunar:none")
        daemon.stop()
        text = daemon.output()
        self.assertEqual(text.count("rejecting PDU"), FIRST_LINES)
        self.assertEqual(text.count("login refused"), FIRST_LINES)

    def test_the_last_lines_are_out_when_it_ends(self):
        daemon = self.serve("--disk", "ram:16MiB")
        self.disk(daemon)
        daemon.stop()
        last = daemon.output().splitlines()[-1]
        self.assertRegex(last, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d info ")
        self.assertIn("the target is stopping", last)


BAD = """
device = [{name = "d", type = "ram", size = "1MiB"},
          {name = "bad", type = "error", base = "d", inject = [
              {op = "read", lba = 100, count = 8, action = "fail", status = "read_error"},
              {op = "write", lba = 200, count = 8, action = "hang"}]}]
portal = [{listen = "127.0.0.1:PORT"}]
target = [{name = "iqn.2026-11.io.lunar:disks", lun = [{lun = 5, device = "bad"}]}]
"""


class Media(E2eCase):
    """Errors of the medium are logged with LUN, device, operation, blocks and reason."""

    def daemon(self, *options):
        port = free_port()
        path = self.scratch / "lunar.toml"
        path.write_text(BAD.replace("PORT", str(port)))
        return self.serve("--config", path, *options, port=port, listen=False)

    def test_an_error(self):
        daemon = self.daemon()
        disk = self.disk(daemon, 5)
        for _ in range(100):
            with self.assertRaises(CommandFailed):
                disk.read(100, 2)
        daemon.stop()
        self.assertEqual(daemon.output().count("failed"), FIRST_LINES)
        self.assertIn(f" error device bad (LUN 5 of {daemon.target}): read of 2 blocks from LBA 100 "
                      "failed: read error\n", daemon.output())

    def test_a_request_that_hangs(self):
        daemon = self.daemon()
        disk = self.disk(daemon, 5)
        disk.start_write(200, bytes(512))
        self.assertEqual(disk.session.nop(b"it has come").data, b"it has come")
        daemon.stop()  # which waits for it, then aborts it
        self.assertRegex(daemon.output(), rf" warning device bad \(LUN 5 of {daemon.target}\): write of "
                         r"1 blocks from LBA 200 has no answer after \d+\.\d s, and is aborted\n")

    def test_commands_that_fail_at_debug(self):
        daemon = self.daemon("--log-level", "debug")
        with self.assertRaises(CommandFailed):
            self.disk(daemon, 5).read(100, 2)
        daemon.stop()
        self.assertRegex(daemon.output(), r" debug iqn\S+: LUN 5: READ \(16\): CHECK CONDITION: .*MEDIUM ERROR")

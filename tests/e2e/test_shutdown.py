"""SIGTERM and SIGINT drain and end with 0 within 5 s, whatever the peers do."""

import signal

from lunar_e2e.case import E2eCase
from lunar_e2e.connection import Connection
from lunar_e2e.pdu import IMMEDIATE, LOGIN, R2T

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Shutdown(E2eCase):
    def check(self, prepare, *disks):
        """Ends a daemon by each signal after `prepare(daemon)`; stop() checks time and exit code."""
        arguments = [word for disk in disks or ["ram:64MiB"] for word in ("--disk", disk)]
        for by in SIGNALS:
            with self.subTest(signal=by.name):
                daemon = self.serve(*arguments)
                prepare(daemon)
                daemon.stop(by)

    def test_with_nobody_there(self):
        self.check(lambda daemon: None)

    def test_with_sessions_open(self):
        self.check(lambda daemon: [self.disk(daemon) for _ in range(16)])

    def test_with_reads_and_writes_in_flight(self):
        def prepare(daemon):
            for lun in (0, 1):
                for _ in range(4):
                    disk = self.disk(daemon, lun)
                    for index in range(16):
                        disk.start_write(index * 128, b"x" * 65536)
                        disk.start_read(index * 128, 128)

        self.check(prepare, "ram:64MiB", f"file:{self.scratch}/disk.img,size=64MiB")

    def test_with_a_write_whose_data_never_comes(self):
        def prepare(daemon):
            disk = self.disk(daemon, keys={"ImmediateData": "No"})
            request = disk.session.command_pdu(disk.rw_cdb(0x8A, 0, 128), write=b"x" * 65536)
            request.cmd_sn = disk.session.take_cmd_sn()
            disk.session.send(request)
            self.assertEqual(disk.session.receive().opcode, R2T)

        self.check(prepare)

    def test_with_a_reader_that_does_not_read(self):
        def prepare(daemon):
            disk = self.disk(daemon)
            for _ in range(24):  # 6 MiB of answers stay in the sockets and behind them
                disk.start_read(0, 512)

        self.check(prepare)

    def test_with_logins_half_done(self):
        def prepare(daemon):
            for length in (0, 1, 47):
                connection = Connection(daemon.address, 5)
                self.addCleanup(connection.close)
                connection.send_raw(bytes([LOGIN | IMMEDIATE]) * length)

        self.check(prepare)

    def test_twice_in_a_row_is_still_orderly(self):
        daemon = self.serve("--disk", "ram:64MiB")
        self.disk(daemon)
        daemon.process.send_signal(signal.SIGTERM)
        daemon.stop(signal.SIGTERM)

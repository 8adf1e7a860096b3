"""SIGTERM and SIGINT drain and end with 0 within 5 s, whatever the peers do."""

import signal

from lunar_e2e.case import E2eCase
from lunar_e2e.connection import Connection

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Shutdown(E2eCase):
    def each_signal(self, *disks):
        for by in SIGNALS:
            with self.subTest(signal=by.name):
                arguments = [word for disk in disks or ["ram:64MiB"] for word in ("--disk", disk)]
                daemon = self.serve(*arguments)
                yield daemon
                daemon.stop(by)  # checks the time and the exit code

    def test_with_nobody_there(self):
        for _ in self.each_signal():
            pass

    def test_with_sessions_open(self):
        for daemon in self.each_signal():
            for _ in range(16):
                self.disk(daemon)

    def test_with_reads_and_writes_in_flight(self):
        for daemon in self.each_signal("ram:64MiB", f"file:{self.scratch}/disk.img,size=64MiB"):
            for lun in (0, 1):
                for _ in range(4):
                    disk = self.disk(daemon, lun)
                    for index in range(16):
                        disk.start_write(index * 128, b"x" * 65536)
                        disk.start_read(index * 128, 128)

    def test_with_a_write_whose_data_never_comes(self):
        for daemon in self.each_signal():
            disk = self.disk(daemon, keys={"ImmediateData": "No"})
            request = disk.session.command_pdu(disk.rw_cdb(0x8A, 0, 128), write=b"x" * 65536)
            request.cmd_sn = disk.session.take_cmd_sn()
            disk.session.send(request)

    def test_with_a_reader_that_does_not_read(self):
        for daemon in self.each_signal():
            disk = self.disk(daemon)
            for _ in range(24):  # 6 MiB of answers stay in the sockets and behind them
                disk.start_read(0, 512)

    def test_with_logins_half_done(self):
        for daemon in self.each_signal():
            for length in (0, 1, 47):
                connection = Connection(daemon.address, 5)
                self.addCleanup(connection.close)
                connection.send_raw(bytes(length))

    def test_twice_in_a_row_is_still_orderly(self):
        daemon = self.serve("--disk", "ram:64MiB")
        self.disk(daemon)
        daemon.process.send_signal(signal.SIGTERM)
        daemon.stop(signal.SIGTERM)

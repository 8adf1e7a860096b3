"""SIGTERM and SIGINT drain and end with 0 within 5 s, whatever the peers do."""

import signal

from lunar_e2e.case import E2eCase
from lunar_e2e.connection import Connection
from lunar_e2e.daemon import free_port
from lunar_e2e.disk import Disk
from lunar_e2e.pdu import IMMEDIATE, LOGIN, R2T

SIGNALS = (signal.SIGTERM, signal.SIGINT)

TARGET = "iqn.2026-11.io.lunar:disks"
BLOCK = bytes(512)
UNMAP_LIST = bytes([0, 22, 0, 16]) + bytes(4) + bytes(11) + bytes([8]) + bytes(4)
# A CDB, data to write, bytes to read. Each asks something of the medium (test_hung_medium has flushes).
COMMANDS = {
    "READ (10)": (bytes([0x28]) + bytes(7) + bytes([8, 0]), b"", 4096),
    "READ (16)": (Disk.rw_cdb(0x88, 0, 8), b"", 4096),
    "WRITE (10)": (bytes([0x2A]) + bytes(7) + bytes([1, 0]), BLOCK, 0),
    "WRITE (16) with FUA": (Disk.rw_cdb(0x8A, 0, 1, 8), BLOCK, 0),
    "WRITE (16) of a long transfer": (Disk.rw_cdb(0x8A, 0, 256), BLOCK * 256, 0),
    "WRITE ATOMIC (16)": (bytes([0x9C]) + bytes(12) + bytes([1, 0, 0]), BLOCK, 0),
    "WRITE AND VERIFY (16)": (Disk.rw_cdb(0x8E, 0, 1, 2), BLOCK, 0),
    "VERIFY (16)": (Disk.rw_cdb(0x8F, 0, 8), b"", 0),
    "VERIFY (16) of bytes": (Disk.rw_cdb(0x8F, 0, 1, 2), BLOCK, 0),
    "COMPARE AND WRITE": (bytes([0x89]) + bytes(12) + bytes([1, 0, 0]), BLOCK * 2, 0),
    "WRITE SAME (16)": (Disk.rw_cdb(0x93, 0, 64), BLOCK, 0),
    "WRITE SAME (16) with UNMAP": (Disk.rw_cdb(0x93, 0, 64, 8), BLOCK, 0),
    "UNMAP": (bytes([0x42]) + bytes(7) + bytes([24, 0]), UNMAP_LIST, 0),
    "FORMAT UNIT": (bytes([0x04]) + bytes(5), b"", 0),
    "SANITIZE": (bytes([0x48, 2]) + bytes(8), b"", 0),
    "a self-test in the foreground": (bytes([0x1D, 5 << 5]) + bytes(4), b"", 0),
}


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
            for _ in range(24):  # 6 MiB of answers fill the sockets and the queue behind them
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

    def test_with_a_disk_that_hangs_under_each_command(self):
        """One of the sessions reads what it is sent, the other does not."""
        names = list(COMMANDS)
        lines = ["shards = 2"]
        for number in range(len(names)):
            lines += ["[[device]]", f'name = "ram{number}"', 'type = "ram"', 'size = "1MiB"',
                      "[[device]]", f'name = "hangs{number}"', 'type = "error"',
                      f'base = "ram{number}"',
                      "[[device.inject]]", 'op = "any"', 'action = "hang"']
        lines += ["[[target]]", f'name = "{TARGET}"']
        for number in range(len(names)):
            lines += ["[[target.lun]]", f'device = "hangs{number}"']
        path = self.scratch / "lunar.toml"
        for by in SIGNALS:
            port = free_port()
            listen = f'portal = [{{listen = "127.0.0.1:{port}"}}]'
            path.write_text("\n".join([listen, *lines]) + "\n")
            with self.subTest(signal=by.name):
                daemon = self.serve("--config", path, port=port, listen=False)
                reads, never_reads = (self.login(daemon, target=TARGET) for _ in range(2))
                for session in (reads, never_reads):
                    for lun in range(len(names)):
                        Disk(session, lun).settle()
                begun = [(name, self.begin(reads, lun)) for lun, name in enumerate(names)]
                reads.nop()  # the target has them
                for name, task in begun:
                    self.assertFalse(task.done, f"{name} has ended: the disk does not hang")
                for lun in range(len(names)):
                    self.begin(never_reads, lun)
                daemon.stop(by)

    @staticmethod
    def begin(session, lun: int):
        cdb, write, read_length = list(COMMANDS.values())[lun]
        return session.start(cdb, lun=lun, write=write, read_length=read_length)

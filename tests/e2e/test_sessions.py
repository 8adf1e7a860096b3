"""Many sessions: at once, one after the other, and spread over the shards."""

import os
import signal
import socket
import struct
import time

from lunar_e2e import process
from lunar_e2e.case import E2eCase
from lunar_e2e.disk import Disk
from lunar_e2e.initiator import GOOD, OPERATIONAL_KEYS, TARGET, Closed

ISID = b"\x80\0\0\1\0\1"


class Sessions(E2eCase):
    def test_64_at_once_each_keep_their_data_apart(self):
        daemon = self.serve("--disk", "ram:64MiB")
        disks = [self.disk(daemon) for _ in range(64)]
        blocks = 256  # 128 KiB each: immediate data, then solicited

        def pattern(index):
            return struct.pack(">IIQ", 0x6C756E61, index, ~index & 0xFFFFFFFF) * (blocks * 32)

        writes = [disk.start_write(index * blocks, pattern(index)) for index, disk in enumerate(disks)]
        for disk, task in zip(disks, writes):
            self.assertEqual(disk.session.wait(task).status, GOOD)
        # Each reads what its neighbour wrote.
        reads = [disk.start_read((index ^ 1) * blocks, blocks) for index, disk in enumerate(disks)]
        for index, (disk, task) in enumerate(zip(disks, reads)):
            self.assertEqual(disk.session.wait(task).status, GOOD)
            self.assertEqual(bytes(task.data), pattern(index ^ 1))
        for disk in disks:
            self.assertEqual(disk.session.logout(), 0)

    def test_of_one_target_run_on_both_shards(self):
        daemon = self.serve("--disk", "ram:16MiB", "--shards", "2")
        disks = [self.disk(daemon) for _ in range(16)]
        before = process.thread_cpu_ns(daemon.pid)
        deadline = time.monotonic() + 30
        busy = []
        while time.monotonic() < deadline and len(busy) < 2:
            for _ in range(20):
                tasks = [(disk, disk.start_read(0, 256)) for disk in disks for _ in range(4)]
                for disk, task in tasks:
                    self.assertEqual(disk.session.wait(task).status, GOOD)
            after = process.thread_cpu_ns(daemon.pid)
            spent = {tid: after[tid] - before.get(tid, 0) for tid in after}
            busy = [tid for tid, ns in spent.items() if ns > 0.2 * sum(spent.values())]
        self.assertEqual(len(busy), 2, f"CPU time of the threads: {spent}")

    def test_reinstatement_closes_the_old_session_and_serves_the_new(self):
        daemon = self.serve("--disk", "ram:16MiB")
        old = self.login(daemon, isid=ISID)
        Disk(old).settle().write(0, b"old!" * 128)
        new = self.login(daemon, isid=ISID)
        with self.assertRaises(Closed):
            while True:
                old.pump()
        self.assertEqual(Disk(new).settle().read(0, 1), b"old!" * 128)

    def test_reinstatement_ends_commands_that_wait_for_data(self):
        daemon = self.serve("--disk", "ram:16MiB")
        for _ in range(20):
            old = self.login(daemon, isid=ISID, keys={"ImmediateData": "No"})
            disk = Disk(old).settle()
            # The R2T is never answered.
            old.send(self.stuck_write(disk))
        self.assertEqual(len(Disk(self.login(daemon, isid=ISID)).settle().read(0, 1)), 512)

    def test_logins_that_were_given_up_leave_the_live_session(self):
        """A daemon that was frozen finds dead connections in its backlog, beside a live one."""
        daemon = self.serve("--disk", "ram:16MiB", "--shards", "2")
        for round_ in range(10):
            os.kill(daemon.pid, signal.SIGSTOP)
            for index in range(4):
                dead = self.start_login(daemon)
                if index % 2:  # RST, else FIN
                    dead.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                dead.close()
            live = self.start_login(daemon)
            os.kill(daemon.pid, signal.SIGCONT)
            response = live.receive()
            self.assertEqual(response.login_status, 0)
            live.exp_stat_sn, live.max_cmd_sn = response.stat_sn + 1, response.max_cmd_sn
            # One more connection on its shard and one on the other: all dead ones have been processed.
            for _ in range(2):
                self.login(daemon).logout()
            self.assertEqual(live.nop(b"alive").data, b"alive", f"round {round_}")
        daemon.stop()
        self.assertNotRegex(daemon.output(), r"\.0\.1:0: ", "an address that accept did not tell")

    def start_login(self, daemon):
        """Commands that were sent and not answered yet."""
        session = self.login(daemon, login=False, isid=ISID)
        session.send(session.login_request(1, 3, {"InitiatorName": session.initiator, "TargetName": TARGET,
                                                  **OPERATIONAL_KEYS}))
        return session

    @staticmethod
    def stuck_write(disk):
        request = disk.session.command_pdu(disk.rw_cdb(0x8A, 0, 256), write=b"x" * 131072)
        request.cmd_sn = disk.session.take_cmd_sn()
        return request

    def test_same_name_and_another_isid_is_another_session(self):
        daemon = self.serve("--disk", "ram:16MiB")
        one = self.disk(daemon, isid=ISID)
        two = self.disk(daemon, isid=b"\x80\0\0\1\0\2")
        one.write(3, b"1234" * 128)
        self.assertEqual(two.read(3, 1), b"1234" * 128)
        self.assertNotEqual(one.session.tsih, two.session.tsih)

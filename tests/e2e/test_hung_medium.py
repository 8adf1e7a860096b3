"""A hanging medium blocks nobody: ending a command, its unit or the daemon also ends the requests that
lunar has made for it. Each of 112 cells combines a command, the operation at which the medium hangs, and
a way to end the command. Each has its own disk."""

import itertools

from lunar_e2e.case import E2eCase
from lunar_e2e.daemon import free_port
from lunar_e2e.disk import Disk

ABORT_TASK, LOGICAL_UNIT_RESET = 1, 5
FUNCTION_COMPLETE, TASK_DOES_NOT_EXIST = 0, 1

COMMANDS = {
    "SYNCHRONIZE CACHE with IMMED": bytes([0x35, 2]) + bytes(8),
    "FORMAT UNIT": bytes([0x04]) + bytes(5),
    "SANITIZE": bytes([0x48, 2]) + bytes(8),
    "a self-test in the foreground": bytes([0x1D, 5 << 5]) + bytes(4),
    "a self-test in the background": bytes([0x1D, 1 << 5]) + bytes(4),
    "START STOP UNIT": bytes([0x1B]) + bytes(5),
    "MODE SELECT of WCE 0": bytes([0x15, 0x10, 0, 0, 24, 0]),
}
MEDIA = {"flush": ["flush"], "read": ["read"], "write": ["write", "unmap", "write_zeroes"],
         "everything": ["any"]}
CELLS = list(itertools.product(COMMANDS, MEDIA))
WAYS = ["ABORT TASK", "LOGICAL UNIT RESET", "a new login", "SIGTERM"]

TARGET = "iqn.2026-11.io.lunar:disks"


class HungMedium(E2eCase):
    def configuration(self, port: int) -> str:
        lines = ["shards = 2", f'portal = [{{listen = "127.0.0.1:{port}"}}]']
        for number, (_, (_, medium)) in enumerate(itertools.product(WAYS, CELLS)):
            path = self.scratch / f"{number}.img"
            lines += ["[[device]]", f'name = "file{number}"', 'type = "file"', f'path = "{path}"',
                      'size = "64KiB"',
                      "[[device]]", f'name = "hangs{number}"', 'type = "error"',
                      f'base = "file{number}"']
            for op in MEDIA[medium]:
                lines += ["[[device.inject]]", f'op = "{op}"', 'action = "hang"']
        lines += ["[[target]]", f'name = "{TARGET}"']
        for number in range(len(WAYS) * len(CELLS)):
            lines += ["[[target.lun]]", f'device = "hangs{number}"']
        return "\n".join(lines) + "\n"

    def begin(self, session, way: str) -> list:
        """Starts the commands of all cells with that end: (description, LUN, task)."""
        first = WAYS.index(way) * len(CELLS)
        begun = []
        for number, (command, medium) in enumerate(CELLS, first):
            while session.execute(bytes(6), lun=number).status != 0:
                pass  # unit attentions
            write = b""
            if command.startswith("MODE SELECT"):
                page = bytearray(Disk(session, number).mode_sense(page=0x08)[12:])
                page[0] &= 0x7F  # PS
                page[2] &= ~0x04  # WCE
                write = bytes(4) + bytes(page)
            task = session.start(COMMANDS[command], lun=number, write=write)
            begun.append((f"{command}, hangs at {medium}, {way}", number, task))
        session.nop()  # the target has them
        return begun

    def check_alive(self, session, name: str, lun: int):
        self.assertIn(session.execute(bytes(6), lun=lun).status, (0, 2), name)

    def test_whatever_ends_a_command_ends_what_it_waits_for(self):
        port = free_port()
        path = self.scratch / "lunar.toml"
        path.write_text(self.configuration(port))
        daemon = self.serve("--config", path, port=port, listen=False)
        session = self.login(daemon, target=TARGET)
        for name, lun, task in self.begin(session, "ABORT TASK"):
            with self.subTest(name):
                code = session.task_management(ABORT_TASK, lun=lun, referenced=task.tag,
                                               ref_cmd_sn=task.cmd_sn)
                self.assertIn(code, (FUNCTION_COMPLETE, TASK_DOES_NOT_EXIST))
                self.check_alive(session, name, lun)
        for name, lun, task in self.begin(session, "LOGICAL UNIT RESET"):
            with self.subTest(name):
                code = session.task_management(LOGICAL_UNIT_RESET, lun=lun)
                self.assertEqual(code, FUNCTION_COMPLETE)
                self.check_alive(session, name, lun)
        begun = self.begin(session, "a new login")
        again = self.login(daemon, target=TARGET, isid=session.isid)
        for name, lun, _ in begun:
            with self.subTest(name):
                self.check_alive(again, name, lun)
        self.begin(again, "SIGTERM")
        daemon.stop()

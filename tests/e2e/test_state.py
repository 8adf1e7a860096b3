"""The state folder: what a disk remembers across restarts, and what happens if it cannot."""

import re
import shutil
import time
from pathlib import Path

from lunar_e2e.case import E2eCase
from lunar_e2e.daemon import SLOWNESS, run_to_end
from lunar_e2e.disk import CommandFailed, Disk
from lunar_e2e.initiator import GOOD

UUID = "6b1d7f4e-0000-4000-8000-000000000001"
OTHER_UUID = "6b1d7f4e-0000-4000-8000-000000000002"
INSUFFICIENT_REGISTRATION_RESOURCES = 0x5504
SANITIZE_COMMAND_FAILED = 0x3103
ISID = b"\x80\0\0\0\0\x0a"  # always the same nexus
DATA = Path(__file__).resolve().parents[1] / "data"


def ram(uuid: str) -> str:
    return f"ram:1MiB,uuid={uuid}"


def register(disk: Disk, key: int, old_key: int = 0):
    """REGISTER with APTPL."""
    parameters = old_key.to_bytes(8, "big") + key.to_bytes(8, "big") + bytes([0, 0, 0, 0, 1, 0, 0, 0])
    disk.execute(bytes([0x5F, 0, 0, 0, 0, 0, 0, 0, 24, 0]), write=parameters)


def start_register_and_ignore(disk: Disk, key: int):
    """REGISTER AND IGNORE EXISTING KEY with APTPL; does not wait."""
    parameters = bytes(8) + key.to_bytes(8, "big") + bytes([0, 0, 0, 0, 1, 0, 0, 0])
    return disk.session.start(bytes([0x5F, 6, 0, 0, 0, 0, 0, 0, 24, 0]), lun=disk.lun, write=parameters)


def keys(disk: Disk) -> list:
    data = bytes(disk.execute(bytes([0x5E, 0, 0, 0, 0, 0, 0, 1, 0, 0]), read_length=256).data)
    return [int.from_bytes(data[at : at + 8], "big") for at in range(8, len(data), 8)]


class State(E2eCase):
    def test_registrations_survive_kill_9_with_the_name_of_the_disk(self):
        arguments = ("--disk", ram(UUID), "--disk", "ram:1MiB")
        daemon = self.serve(*arguments)
        register(self.disk(daemon), 0xA)
        with self.assertRaises(CommandFailed):  # its UUID ends with the daemon
            register(self.disk(daemon, 1), 0xA)
        daemon.kill()
        self.assertEqual(keys(self.disk(self.serve(*arguments))), [0xA])

    def test_a_damaged_database_stops_the_start_and_is_named(self):
        daemon = self.serve("--disk", ram(UUID))
        register(self.disk(daemon), 0xA)
        daemon.stop()
        file = self.scratch / "state" / "state.db"
        whole = file.read_bytes()
        for damaged in (bytes(100) + whole[100:], whole.replace(b"registration key=", b"registration Key=")):
            self.assertNotEqual(damaged, whole)
            file.write_bytes(damaged)
            result = run_to_end("serve", "--disk", ram(UUID), "--state", self.scratch / "state",
                                "--listen", "127.0.0.1:0")
            self.assertEqual(result.returncode, 2, result.stderr)
            self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
            self.assertIn(str(file), result.stderr)
            self.assertIn("damaged" if damaged[0] else "file is not a database", result.stderr)
        file.write_bytes(whole)
        self.assertEqual(keys(self.disk(self.serve("--disk", ram(UUID)))), [0xA])

    def test_acknowledged_changes_survive_kill_9_in_the_midst_of_others(self):
        """Each nexus registers repeatedly. The restart finds the key of the last GOOD, or the next one."""
        arguments = ("--disk", ram(UUID), "--disk", ram(OTHER_UUID))
        for round_number in range(3):
            daemon = self.serve(*arguments)
            session = self.login(daemon, isid=ISID)
            disks = [Disk(session, lun).settle() for lun in (0, 1)]
            acknowledged = [0, 0]
            # One command is in progress on each disk at the kill.
            for key in range(1, 20 + 7 * round_number):
                tasks = [start_register_and_ignore(disk, key) for disk in disks]
                if key == 19 + 7 * round_number:
                    break
                for lun, disk in enumerate(disks):
                    self.assertEqual(disk.session.wait(tasks[lun]).status, GOOD)
                    acknowledged[lun] = key
            daemon.kill()
            daemon = self.serve(*arguments)
            for lun in (0, 1):
                found = keys(self.disk(daemon, lun))
                self.assertIn(found, ([acknowledged[lun]], [acknowledged[lun] + 1]))
            daemon.stop()

    def test_a_folder_of_an_earlier_version_is_taken_over(self):
        """tests/data/state-files: a folder left by a killed lunar without a database."""
        shutil.copytree(DATA / "state-files", self.scratch / "state")
        (self.scratch / "disk").write_bytes(bytes(1 << 20))
        arguments = ("--disk", ram(UUID), "--disk", f"file:{self.scratch / 'disk'},uuid={OTHER_UUID},readonly")
        for start in ("first", "second"):
            daemon = self.serve(*arguments)
            disk = self.disk(daemon, initiator="iqn.2026-11.example:any")
            self.assertEqual(sorted(keys(disk)), [0xB0B, 0xA11CE], start)
            reservation = bytes(disk.execute(bytes([0x5E, 1, 0, 0, 0, 0, 0, 0, 32, 0]), read_length=32).data)
            self.assertEqual(int.from_bytes(reservation[8:16], "big"), 0xA11CE)
            self.assertEqual(reservation[21], 5)
            self.assertEqual(disk.execute(bytes([0x1A, 8, 0x0A, 0, 255, 0]), read_length=255).data[4 + 2] & 0x04, 0x04, "D_SENSE")
            information = bytes(disk.execute(bytes([0xA3, 5, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0]), read_length=64).data)
            self.assertEqual(information[4:], b"a\n\x00\xffz")
            results = bytes(disk.execute(bytes([0x4D, 0, 0x50, 0, 0, 0, 1, 0, 64, 0]), read_length=64).data)
            self.assertEqual(results[8], 0xA0, "a short foreground self-test found nothing")
            session = self.login(daemon)
            session.execute(bytes(6), lun=1)  # the unit attention of a new nexus
            task = session.execute(Disk.rw_cdb(0x88, 0, 1), lun=1, read_length=512)
            self.assertEqual(task.asc_ascq, SANITIZE_COMMAND_FAILED)
            daemon.stop()
        left = [path.name for path in (self.scratch / "state").rglob("*") if path.is_file()]
        self.assertFalse({"reservations", "self_tests", "mode_pages", "medium_operation"} & set(left), left)

    def test_two_daemons_share_a_folder_but_not_a_disk(self):
        state = self.scratch / "state"
        one = self.serve("--disk", ram(UUID), "--state", state)
        register(self.disk(one), 0xA)
        two = self.serve("--disk", ram(OTHER_UUID), "--state", state)
        register(self.disk(two), 0xB)
        result = run_to_end("serve", "--disk", ram(UUID), "--state", state, "--listen", "127.0.0.1:0")
        self.assertEqual(result.returncode, 1)
        self.assertIn("another process uses it", result.stderr)
        self.assertEqual(keys(self.disk(one)), [0xA])

    def test_a_folder_that_cannot_be_used_stops_the_start_and_is_named(self):
        (self.scratch / "file").touch()
        result = run_to_end("serve", "--disk", ram(UUID), "--state", self.scratch / "file" / "state",
                            "--listen", "127.0.0.1:0")
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        self.assertIn(str(self.scratch / "file"), result.stderr)

    def test_a_folder_that_cannot_be_made_later_fails_what_is_to_be_kept(self):
        daemon = self.serve("--disk", ram(UUID), "--state", self.scratch / "file" / "state")
        (self.scratch / "file").touch()
        disk = self.disk(daemon)
        with self.assertRaises(CommandFailed) as failure:
            register(disk, 0xA)
        self.assertEqual(failure.exception.task.asc_ascq, INSUFFICIENT_REGISTRATION_RESOURCES)
        self.assertEqual(keys(disk), [])
        daemon.wait_for_output(re.escape(str(self.scratch / "file")))

    def test_a_sanitize_waits_for_a_start_with_a_disk_that_can_be_written_to(self):
        writable = f"file:{self.scratch / 'disk'},size=16MiB"
        daemon = self.serve("--disk", writable)
        disk = self.disk(daemon)
        disk.write(0, b"\x11" * disk.block_size)
        overwrite = bytes([0x1F, 0, 0, 1, 0xEE])  # 31 times: still running at the kill
        disk.execute(bytes([0x48, 0x81, 0, 0, 0, 0, 0, 0, len(overwrite), 0]), write=overwrite)
        daemon.kill()
        before = (self.scratch / "disk").read_bytes()

        daemon = self.serve("--disk", writable + ",readonly")
        session = self.login(daemon)
        session.execute(bytes(6))  # the unit attention of a new nexus
        task = session.execute(Disk.rw_cdb(0x88, 0, 1), read_length=512)
        self.assertEqual(task.asc_ascq, SANITIZE_COMMAND_FAILED)
        daemon.stop()
        self.assertIn("it is write-protected, and an operation on its whole medium (sanitize)", daemon.output())
        self.assertEqual((self.scratch / "disk").read_bytes(), before)

        session = self.login(self.serve("--disk", writable))
        deadline = time.monotonic() + 60 * SLOWNESS
        while session.execute(bytes(6)).status != 0:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)
        data = bytes(session.execute(Disk.rw_cdb(0x88, 0, 1), read_length=512).data)
        self.assertEqual(data, b"\xee" * 512)

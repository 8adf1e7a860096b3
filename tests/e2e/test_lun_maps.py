"""Logical unit numbers: hosts with their own LUNs, and all 16,384 of a target."""

import time

from lunar_e2e.case import E2eCase
from lunar_e2e.daemon import SLOWNESS, Daemon, free_port
from lunar_e2e.disk import Disk
from lunar_e2e.initiator import GOOD

ONE = "iqn.2026-11.example:node1"
TWO = "iqn.2026-11.example:node2"
STRANGER = "iqn.2026-11.example:stranger"
WELL_KNOWN = 0xC101
LUN_NOT_SUPPORTED = 0x2500

HOSTS = """
    shards = 2
    device = [{name = "own", type = "ram", size = "1MiB"}, {name = "shared", type = "ram", size = "2MiB"}]
    portal = [{listen = "127.0.0.1:PORT"}]
    [[target]]
    name = "iqn.2026-11.io.lunar:disks"
    [[target.host]]
    name = "one"
    initiator = "iqn.2026-11.example:NODE1"
    address = "127.0.0.0/8"
    lun = [{lun = 0, device = "own"}, {lun = 700, device = "shared"}]
    [[target.host]]
    name = "nodes"
    initiator = ["iqn.2026-11.example:node?"]
    lun = [{lun = 3, device = "shared"}]
    [[target.host]]
    name = "elsewhere"
    address = "192.0.2.0/24"
    lun = [{device = "own"}]
    """


class LunMaps(E2eCase):
    def serve_config(self, text: str) -> Daemon:
        port = free_port()
        path = self.scratch / "lunar.toml"
        path.write_text(text.replace("PORT", str(port)))
        return self.serve("--config", path, port=port, listen=False)

    def numbers(self, session, select=0, length=16384 * 8 + 16):
        cdb = bytes([0xA0, 0, select, 0, 0, 0]) + length.to_bytes(4, "big") + bytes(2)
        task = session.execute(cdb, read_length=length)
        self.assertEqual(task.status, GOOD)
        data = bytes(task.data)
        self.assertEqual(len(data), min(length, 8 + int.from_bytes(data[:4], "big")))
        return [int.from_bytes(data[at : at + 2], "big") for at in range(8, len(data), 8)]

    def test_hosts_see_their_own_numbers_and_nothing_else(self):
        daemon = self.serve_config(HOSTS)
        one = self.login(daemon, initiator=ONE)
        two = self.login(daemon, initiator=TWO)
        stranger = self.login(daemon, initiator=STRANGER)
        self.assertEqual(self.numbers(one), [0, 0x4000 | 700])
        self.assertEqual(self.numbers(two), [3])
        self.assertEqual(self.numbers(stranger), [])
        for initiator, sight in ((ONE, "host 'one', 2 LUNs"), (TWO, "host 'nodes', 1 LUN"),
                                 (STRANGER, "no host fits it, no LUNs")):
            daemon.wait_for_output(rf"{initiator} logged in to .*: {sight}$")
        self.assertEqual(self.numbers(stranger, select=2), [WELL_KNOWN])
        for session, lun in ((one, 3), (two, 0), (two, 700), (stranger, 0), (stranger, 3)):
            task = session.execute(Disk.rw_cdb(0x88, 0, 1), lun=lun, read_length=512)
            self.assertEqual((task.sense_key, task.asc_ascq), (5, LUN_NOT_SUPPORTED))
            inquiry = session.execute(bytes([0x12, 0, 0, 0, 36, 0]), lun=lun, read_length=36)
            self.assertEqual(bytes(inquiry.data)[0], 0x7F)

    def test_a_device_is_one_logical_unit_whatever_its_numbers(self):
        daemon = self.serve_config(HOSTS)
        one = Disk(self.login(daemon, initiator=ONE), 700).settle()
        two = Disk(self.login(daemon, initiator=TWO), 3).settle()
        self.assertEqual(one.inquiry(page=0x80)[4:], two.inquiry(page=0x80)[4:])
        one.write(7, b"same" * 128)
        self.assertEqual(two.read(7, 1), b"same" * 128)

    def test_every_number_of_a_target(self):
        names = [f"d{i}" for i in range(1024)]
        devices = "".join(f'[[device]]\nname = "{name}"\ntype = "null"\nsize = "1GiB"\n'
                          for name in names)
        luns = "".join(f'[[target.lun]]\ndevice = "{names[i % 1024]}"\n' for i in range(16384))
        started = time.monotonic()
        daemon = self.serve_config('portal = [{listen = "127.0.0.1:PORT"}]\nlog_level = "error"\n'
                                   + devices + '[[target]]\nname = "iqn.2026-11.io.lunar:disks"\n'
                                   + luns)
        self.assertLess(time.monotonic() - started, 20 * SLOWNESS)
        session = self.login(daemon)
        numbers = self.numbers(session, select=2)
        self.assertEqual(len(numbers), 16385)
        self.assertEqual(numbers[:256], list(range(256)))
        self.assertEqual(numbers[256:-1], [0x4000 | i for i in range(256, 16384)])
        self.assertEqual(numbers[-1], WELL_KNOWN)
        self.assertEqual(self.numbers(session, length=64), numbers[:7])
        for lun in (0, 255, 256, 16383):
            disk = Disk(session, lun).settle()
            self.assertEqual(disk.read(0, 1), bytes(512))
        disk = Disk(session, 16383)
        self.assertNotEqual(disk.inquiry(page=0x80), Disk(session, 0).inquiry(page=0x80))

"""Two paths to one logical unit: portal groups as target port groups, their asymmetric access states."""

from lunar_e2e.case import E2eCase
from lunar_e2e.daemon import free_port
from lunar_e2e.disk import CommandFailed, Disk
from lunar_e2e.initiator import Session

ACCESS_STATE_CHANGED = 0x2A06
TARGET_PORT_IN_STANDBY = 0x040B
TARGET_PORT_UNAVAILABLE = 0x040C
NAME = "iqn.2026-11.io.lunar:paths"
OTHER = "iqn.2026-11.io.lunar:other"


def groups(disk: Disk) -> dict:
    """REPORT TARGET PORT GROUPS with the extended header: state byte, status and ports by group."""
    cdb = bytes([0xA3, 0x2A]) + bytes(4) + (256).to_bytes(4, "big") + bytes(2)
    data = bytes(disk.execute(cdb, read_length=256).data)
    assert int.from_bytes(data[:4], "big") == len(data) - 4 and data[4] == 0x10
    found, at = {}, 8
    while at < len(data):
        count = data[at + 7]
        ports = [int.from_bytes(data[at + 10 + 4 * i : at + 12 + 4 * i], "big")
                 for i in range(count)]
        found[int.from_bytes(data[at + 2 : at + 4], "big")] = (data[at], data[at + 5], ports)
        at += 8 + 4 * count
    return found


def set_groups(disk: Disk, states: dict):
    parameters = bytes(4)
    for group, state in states.items():
        parameters += bytes([state, 0]) + group.to_bytes(2, "big")
    cdb = bytes([0xA4, 0x0A]) + bytes(4) + len(parameters).to_bytes(4, "big") + bytes(2)
    disk.execute(cdb, write=parameters)


def own_group(disk: Disk) -> int:
    """The target port group designator of page 83h."""
    page = disk.inquiry(0x83)
    at = 4
    while page[at + 1] & 0x3F != 0x15:  # association: target port
        at += 4 + page[at + 3]
    return int.from_bytes(page[at + 6 : at + 8], "big")


class Paths(E2eCase):
    def serve_paths(self):
        """A disk behind two portal groups and two targets, on two shards."""
        self.ports = (free_port(), free_port())
        path = self.scratch / "lunar.toml"
        path.write_text(f"""
            shards = 2
            device = [{{name = "d", type = "ram", size = "8MiB"}}]
            portal = [{{listen = "127.0.0.1:{self.ports[0]}", tag = 1}},
                      {{listen = "127.0.0.1:{self.ports[1]}", tag = 2}}]
            [[target]]
            name = "{NAME}"
            lun = [{{device = "d"}}]
            port_group = [{{tag = 1, preferred = true, explicit = true}},
                          {{tag = 2, state = "active/non-optimized", explicit = true}}]
            [[target]]
            name = "{OTHER}"
            lun = [{{device = "d"}}]
            """)
        self.serve("--config", path, port=self.ports[0], listen=False)

    def path(self, portal: int, target=NAME) -> Disk:
        session = Session(("127.0.0.1", self.ports[portal]), target=target)
        self.addCleanup(session.close)
        return Disk(session).settle()

    def expect_sense(self, asc_ascq: int, disk: Disk):
        with self.assertRaises(CommandFailed) as caught:
            disk.read(0, 1)
        self.assertEqual(caught.exception.task.asc_ascq, asc_ascq)

    def test_are_told_by_number_on_every_path(self):
        self.serve_paths()
        disks = [self.path(0), self.path(1)]
        for disk in disks:
            self.assertEqual(disk.inquiry()[5] & 0x30, 0x30)
            self.assertEqual(groups(disk), {1: (0x80, 0, [1]), 2: (0x01, 0, [2])})
        self.assertEqual([own_group(disk) for disk in disks], [1, 2])
        # The other target's ports have other numbers.
        other = self.path(1, OTHER)
        self.assertEqual(other.inquiry()[5] & 0x30, 0x10)
        self.assertNotIn(own_group(other), (1, 2))
        self.assertIn(own_group(other), groups(other))
        # Both paths lead to the same blocks.
        disks[0].write(3, b"\xa5" * 512)
        self.assertEqual(disks[1].read(3, 1), b"\xa5" * 512)
        self.assertEqual(other.read(3, 1), b"\xa5" * 512)

    def test_change_by_set_target_port_groups(self):
        self.serve_paths()
        one, two, other = self.path(0), self.path(1), self.path(0, OTHER)
        set_groups(one, {1: 1, 2: 2})
        self.assertEqual(groups(one), {1: (0x81, 1, [1]), 2: (0x02, 1, [2])})
        self.expect_sense(ACCESS_STATE_CHANGED, two)
        self.expect_sense(TARGET_PORT_IN_STANDBY, two)
        self.expect_sense(ACCESS_STATE_CHANGED, other)
        other.read(0, 1)
        one.read(0, 1)
        set_groups(two, {2: 0, 1: 3})  # sent on the standby path, which returns itself to service
        two.read(0, 1)
        self.expect_sense(ACCESS_STATE_CHANGED, one)
        self.expect_sense(TARGET_PORT_UNAVAILABLE, one)
        self.assertEqual(groups(one), {1: (0x83, 1, [1]), 2: (0x00, 1, [2])})

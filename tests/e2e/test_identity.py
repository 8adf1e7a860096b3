"""The identity of a disk, and that it is the same after a restart."""

from lunar_e2e.case import E2eCase
from lunar_e2e.disk import CommandFailed, Disk


def naa(disk: Disk) -> bytes:
    """The NAA designator of page 83h (SPC-4 s7.8.6.6)."""
    page = disk.inquiry(0x83)
    at, end = 4, 4 + int.from_bytes(page[2:4], "big")
    while at < end:
        length = page[at + 3]
        if page[at + 1] & 0x3F == 3:  # association: logical unit; type: NAA
            return page[at + 4 : at + 4 + length]
        at += 4 + length
    raise AssertionError(f"no NAA designator in {page.hex()}")


def serial(disk: Disk) -> bytes:
    page = disk.inquiry(0x80)
    return page[4 : 4 + page[3]]


class Identity(E2eCase):
    def test_of_a_file_outlives_restarts(self):
        arguments = ["--disk", f"file:{self.scratch}/a.img,size=1MiB",
                     "--disk", f"file:{self.scratch}/b.img,size=1MiB"]
        daemon = self.serve(*arguments)
        before = [(naa(disk), serial(disk)) for disk in (self.disk(daemon, 0), self.disk(daemon, 1))]
        daemon.stop()
        daemon = self.serve(*arguments)
        after = [(naa(disk), serial(disk)) for disk in (self.disk(daemon, 0), self.disk(daemon, 1))]
        self.assertEqual(before, after)

    def test_of_a_file_belongs_to_the_file_and_not_to_its_lun(self):
        a, b = f"file:{self.scratch}/a.img,size=1MiB", f"file:{self.scratch}/b.img,size=1MiB"
        daemon = self.serve("--disk", a, "--disk", b)
        first = naa(self.disk(daemon, 0))
        daemon.stop()
        self.assertEqual(naa(self.disk(self.serve("--disk", b, "--disk", a), 1)), first)

    def test_of_a_file_served_read_only_first_stays_when_it_is_written(self):
        path = self.scratch / "a.img"
        path.write_bytes(bytes(1 << 20))
        daemon = self.serve("--disk", f"file:{path},readonly")
        first = naa(self.disk(daemon))
        daemon.stop()
        self.assertEqual(naa(self.disk(self.serve("--disk", f"file:{path}"))), first)

    def test_of_a_file_without_attributes_is_not_its_path(self):
        """Different files with the same path on two machines are different disks for multipath."""
        path = self.scratch / "a.img"
        names = set()
        for state in ("one", "two"):
            path.unlink(missing_ok=True)
            daemon = self.serve("--disk", f"file:{path},size=1MiB", "--state", self.scratch / state)
            names.add(naa(self.disk(daemon)))
            daemon.stop()
        self.assertEqual(len(names), 2)

    def test_is_unique_and_well_formed(self):
        daemon = self.serve("--disk", "ram:1MiB", "--disk", "ram:1MiB", "--disk", "null:1MiB",
                            "--disk", f"file:{self.scratch}/a.img,size=1MiB")
        disks = [self.disk(daemon, lun) for lun in range(4)]
        names = [naa(disk) for disk in disks]
        self.assertEqual(len(set(names)), 4)
        self.assertEqual(len({serial(disk) for disk in disks}), 4)
        for name in names:
            self.assertIn((name[0] >> 4, len(name)), ((3, 8), (6, 16)))

    def test_standard_inquiry_names_the_vendor(self):
        data = self.disk(self.serve("--disk", "ram:1MiB")).inquiry()
        self.assertEqual(data[0], 0)  # connected, direct access
        self.assertTrue(data[8:16].strip().isascii() and data[8:16].strip())


class ReadOnly(E2eCase):
    WRITE_PROTECTED = 0x2700

    def test_refuses_writes_and_says_so(self):
        path = self.scratch / "d.img"
        path.write_bytes(b"keep" * (1 << 18))
        daemon = self.serve("--disk", f"file:{path},readonly")
        disk = self.disk(daemon)
        self.assertEqual(disk.read(0, 8), b"keep" * 1024)
        self.assertTrue(disk.mode_sense()[2] & 0x80, "WP in the mode parameter header")
        zeroes = bytes(512)
        for cdb, data in ((disk.rw_cdb(0x8A, 0, 1), zeroes), (disk.rw_cdb(0x93, 0, 1), zeroes)):
            with self.assertRaises(CommandFailed) as failed:
                disk.execute(cdb, write=data)
            self.assertEqual(failed.exception.task.sense_key, 7)
            self.assertEqual(failed.exception.task.asc_ascq, self.WRITE_PROTECTED)
        daemon.stop()
        self.assertEqual(path.read_bytes(), b"keep" * (1 << 18))

    def test_serves_a_file_that_cannot_be_written(self):
        path = self.scratch / "d.img"
        path.write_bytes(bytes(1 << 20))
        path.chmod(0o444)
        self.assertEqual(self.disk(self.serve("--disk", f"file:{path},readonly")).read(0, 1), bytes(512))

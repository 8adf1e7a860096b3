"""SCSI commands for the tests, on top of a Session."""

from .initiator import GOOD, Session, Task


class CommandFailed(AssertionError):
    def __init__(self, task: Task):
        super().__init__(f"status 0x{task.status:02x}, sense {task.sense.hex()}")
        self.task = task


class Disk:
    """A logical unit of a session. Commands raise CommandFailed unless they end in GOOD."""

    def __init__(self, session: Session, lun: int = 0):
        self.session, self.lun = session, lun
        self.block_count, self.block_size = 0, 0

    def execute(self, cdb: bytes, **options) -> Task:
        task = self.session.execute(cdb, lun=self.lun, **options)
        if task.status != GOOD:
            raise CommandFailed(task)
        return task

    def settle(self) -> "Disk":
        """Clears the unit attentions of a new nexus, then reads the capacity."""
        for _ in range(4):
            if self.session.execute(bytes(6), lun=self.lun).status == GOOD:
                break
        self.read_capacity()
        return self

    def read_capacity(self):
        cdb = bytes([0x9E, 0x10]) + bytes(8) + (32).to_bytes(4, "big") + bytes(2)
        data = bytes(self.execute(cdb, read_length=32).data)
        self.block_count = int.from_bytes(data[:8], "big") + 1
        self.block_size = int.from_bytes(data[8:12], "big")
        return data

    def inquiry(self, page=None, length: int = 255) -> bytes:
        evpd = 0 if page is None else 1
        cdb = bytes([0x12, evpd, page or 0]) + length.to_bytes(2, "big") + b"\0"
        return bytes(self.execute(cdb, read_length=length).data)

    def report_luns(self) -> list:
        cdb = bytes([0xA0]) + bytes(5) + (4096).to_bytes(4, "big") + bytes(2)
        data = bytes(self.execute(cdb, read_length=4096).data)
        length = int.from_bytes(data[:4], "big")
        return [int.from_bytes(data[at : at + 2], "big") & 0x3FFF for at in range(8, 8 + length, 8)]

    def mode_sense(self, page: int = 0x3F) -> bytes:
        return bytes(self.execute(bytes([0x1A, 0, page, 0, 255, 0]), read_length=255).data)

    @staticmethod
    def rw_cdb(opcode: int, lba: int, blocks: int, flags: int = 0) -> bytes:
        """READ(16), WRITE(16) and similar commands."""
        return bytes([opcode, flags]) + lba.to_bytes(8, "big") + blocks.to_bytes(4, "big") + bytes(2)

    def read(self, lba: int, blocks: int) -> bytes:
        length = blocks * self.block_size
        task = self.execute(self.rw_cdb(0x88, lba, blocks), read_length=length)
        if len(task.data) != length:
            raise AssertionError(f"{len(task.data)} bytes of {length}")
        return bytes(task.data)

    def start_read(self, lba: int, blocks: int) -> Task:
        return self.session.start(self.rw_cdb(0x88, lba, blocks), lun=self.lun,
                                  read_length=blocks * self.block_size)

    def start_write(self, lba: int, data: bytes, flags: int = 0) -> Task:
        cdb = self.rw_cdb(0x8A, lba, len(data) // self.block_size, flags)
        return self.session.start(cdb, lun=self.lun, write=data)

    def write(self, lba: int, data: bytes, flags: int = 0):
        cdb = self.rw_cdb(0x8A, lba, len(data) // self.block_size, flags)
        self.execute(cdb, write=data)

    def synchronize(self):
        self.execute(self.rw_cdb(0x91, 0, 0))

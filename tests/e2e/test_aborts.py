"""An aborted write never changes the medium after the function's response (RFC 7143 s4.2.3.3, SAM-5 s7)."""

import random

from lunar_e2e.case import E2eCase
from lunar_e2e.daemon import free_port
from lunar_e2e.disk import Disk

ABORT_TASK, ABORT_TASK_SET, CLEAR_TASK_SET, LOGICAL_UNIT_RESET, TARGET_WARM_RESET = 1, 2, 4, 5, 6
FUNCTION_COMPLETE, TASK_DOES_NOT_EXIST = 0, 1
BLOCKS = 4096  # 2 MiB
ROUNDS = 40

# Reads take longer than writes, so that the second of two reads sees the final contents.
DELAYS = "read_delay_us = 3000, write_delay_us = 1000"
CONFIGURATION = """
    shards = 2
    device = [{name = "medium", TYPE}, {name = "slow", type = "delay", base = "medium", DELAYS}]
    portal = [{listen = "127.0.0.1:PORT"}]
    [[target]]
    name = "iqn.2026-11.io.lunar:disks"
    lun = [{device = "slow"}]
    """


class Aborts(E2eCase):
    def settle(self, disk: Disk) -> Disk:
        """Clears the unit attentions raised by a function."""
        for _ in range(3):
            disk.session.execute(bytes(6))
        return disk

    def abort(self, function: int, writer: Disk, other: Disk, writes: list):
        """From the writing nexus or from another one, if the function permits."""
        if function == ABORT_TASK:
            for task in writes:
                code = writer.session.task_management(function, referenced=task.tag,
                                                      ref_cmd_sn=task.cmd_sn)
                self.assertIn(code, (FUNCTION_COMPLETE, TASK_DOES_NOT_EXIST))
        else:
            by = writer if function in (ABORT_TASK_SET, CLEAR_TASK_SET) else other
            if by is other:
                # Connections are not ordered with each other, so wait until the target has the writes
                # before sending the function.
                writer.session.nop()
            self.assertEqual(by.session.task_management(function), FUNCTION_COMPLETE)

    def run_rounds(self, device: str):
        port = free_port()
        path = self.scratch / "lunar.toml"
        path.write_text(CONFIGURATION.replace("PORT", str(port)).replace("TYPE", device)
                        .replace("DELAYS", DELAYS))
        daemon = self.serve("--config", path, port=port, listen=False)
        choose = random.Random(7)
        reader = self.disk(daemon)
        for number in range(ROUNDS):
            # Sessions are assigned to the shards in turn.
            writer = self.disk(daemon)
            writes = []
            for _ in range(choose.randrange(1, 24)):
                blocks = choose.choice((1, 8, 64, 600, 1500))
                lba = choose.randrange(BLOCKS - blocks)
                data = bytes([number + 1]) * (blocks * 512)
                writes.append(writer.session.start(Disk.rw_cdb(0x8A, lba, blocks), write=data))
                if choose.random() < 0.3:
                    writer.session.nop()  # answers received R2Ts
            function = choose.choice((ABORT_TASK, ABORT_TASK_SET, CLEAR_TASK_SET,
                                      LOGICAL_UNIT_RESET, TARGET_WARM_RESET))
            self.abort(function, writer, reader, writes)
            before = self.settle(reader).read(0, BLOCKS)
            writer.session.nop()  # sends data for R2Ts received before the function
            after = reader.read(0, BLOCKS)
            self.assertEqual(before, after, f"round {number}, function {function}")
            writer.session.close()
            # The unit still works.
            reader.write(0, bytes(512))
            self.assertEqual(reader.read(0, 1), bytes(512))

    def test_ram_is_as_the_function_left_it(self):
        self.run_rounds('type = "ram", size = "4MiB"')

    def test_a_file_is_as_the_function_left_it(self):
        self.run_rounds(f'type = "file", path = "{self.scratch}/a.img", size = "4MiB"')

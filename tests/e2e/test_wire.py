"""Raw PDUs, good and bad: whatever a peer sends, other sessions are still served."""

import random

from lunar_e2e import pdu as wire
from lunar_e2e.case import E2eCase
from lunar_e2e.connection import Closed, Connection
from lunar_e2e.disk import Disk
from lunar_e2e.initiator import CHECK_CONDITION, GOOD, Session
from lunar_e2e.pdu import FINAL, IMMEDIATE, NO_TAG, Pdu

ABORT_TASK, ABORT_TASK_SET, LOGICAL_UNIT_RESET, TARGET_WARM_RESET = 1, 2, 5, 6
FUNCTION_COMPLETE, TASK_DOES_NOT_EXIST, LUN_DOES_NOT_EXIST = 0, 1, 2


class WireCase(E2eCase):
    def setUp(self):
        super().setUp()
        self.daemon = self.serve("--disk", "ram:16MiB")
        self.witness = self.disk(self.daemon)
        self.witness.write(0, b"safe" * 2048)

    def connect(self) -> Connection:
        connection = Connection(self.daemon.address, 10)
        self.addCleanup(connection.close)
        return connection

    def assert_served_on(self):
        """The old session still works, and so does a new one."""
        self.assertEqual(self.witness.read(0, 16), b"safe" * 2048)
        self.assertEqual(self.disk(self.daemon).read(0, 16), b"safe" * 2048)

    def assert_rejected_or_closed(self, session: Session, reason=None):
        """RFC 7143 s7.6 with ERL 0: a Reject, or the end of the connection; never a good answer."""
        try:
            answer = session.receive()
        except Closed:
            return
        self.assertEqual(answer.opcode, wire.REJECT, answer)
        if reason is not None:
            self.assertEqual(answer.byte2, reason)

    def write_pdu(self, session: Session, lba: int, data: bytes, announced: int) -> Pdu:
        """A WRITE(16) with immediate data."""
        request = session.command_pdu(Disk.rw_cdb(0x8A, lba, announced // 512), write=data,
                                      length=announced)
        request.cmd_sn = session.take_cmd_sn()
        request.data, request.data_segment_length = data, len(data)
        return request


class BadBytes(WireCase):
    def test_garbage_instead_of_a_login(self):
        prng = random.Random(7143)
        for _ in range(32):
            connection = self.connect()
            first = prng.choice((wire.NOP_OUT, wire.SCSI_COMMAND, wire.DATA_OUT, 0x3F, 0x21))
            try:
                connection.send_raw(bytes([first]) + prng.randbytes(4095))
            except Closed:
                pass
            connection.wait_closed()
        self.assert_served_on()

    def test_garbage_after_the_login(self):
        prng = random.Random(3720)
        for _ in range(32):
            session = self.login(self.daemon)
            try:
                session.send_raw(prng.randbytes(4096))
                session.socket.shutdown(1)
                session.wait_closed()
            except Closed:
                pass
        self.assert_served_on()

    def test_login_segment_over_the_default_limit(self):
        connection = self.connect()
        request = Pdu(wire.LOGIN | IMMEDIATE, FINAL | 1 << 2 | 3)
        request.data_segment_length = 0xFFFFFF
        connection.send(request)
        try:
            self.assertNotEqual(connection.receive().login_status, 0)
        except Closed:
            pass
        self.assert_served_on()

    def test_data_segment_over_the_declared_limit(self):
        session = self.login(self.daemon)
        request = Pdu(wire.NOP_OUT, FINAL, initiator_task_tag=9, target_transfer_tag=NO_TAG,
                      cmd_sn=session.cmd_sn, exp_stat_sn=session.exp_stat_sn)
        request.data_segment_length = 0xFFFFFF
        session.send(request)  # refused on its header alone
        self.assert_rejected_or_closed(session)
        self.assert_served_on()

    def test_opcodes_that_do_not_exist(self):
        for opcode in (0x07, 0x1C, 0x20, 0x25, 0x31, 0x3F):
            with self.subTest(opcode=hex(opcode)):
                session = self.login(self.daemon)
                session.send(Pdu(opcode | IMMEDIATE, FINAL, initiator_task_tag=9,
                                 cmd_sn=session.cmd_sn, exp_stat_sn=session.exp_stat_sn))
                self.assert_rejected_or_closed(session)
        self.assert_served_on()

    def test_half_open_connections_do_not_stand_in_the_way(self):
        for length in [0, 1, 47] * 40:
            self.connect().send_raw(bytes([wire.LOGIN | IMMEDIATE]) * length)
        self.assert_served_on()

    def test_second_login_inside_the_full_feature_phase(self):
        session = self.login(self.daemon)
        session.send(session.login_request(1, 3, {}))
        self.assert_rejected_or_closed(session)
        self.assert_served_on()


class Digests(WireCase):
    KEYS = {"HeaderDigest": "CRC32C", "DataDigest": "CRC32C"}

    def send_damaged(self, session, request, at):
        encoded = bytearray(session.encode(request))
        encoded[at] ^= 1
        session.send_raw(bytes(encoded))

    def test_bad_header_digest_ends_the_connection(self):
        # RFC 7143 s7.8: the length in a damaged header cannot be trusted.
        session = self.login(self.daemon, keys=self.KEYS)
        request = Pdu(wire.NOP_OUT, FINAL, b"ping", initiator_task_tag=1, target_transfer_tag=NO_TAG,
                      cmd_sn=session.take_cmd_sn(), exp_stat_sn=session.exp_stat_sn)
        self.send_damaged(session, request, at=44)
        with self.assertRaises(Closed):
            session.receive()
        self.assert_served_on()

    def test_bad_data_digest_of_immediate_data_writes_nothing(self):
        session = self.login(self.daemon, keys=self.KEYS)
        self.send_damaged(session, self.write_pdu(session, 0, b"evil" * 128, 512), at=60)
        self.assert_rejected_or_closed(session, reason=2)
        self.assert_served_on()

    def test_bad_data_digest_of_solicited_data_is_never_good(self):
        session = self.login(self.daemon, keys={**self.KEYS, "ImmediateData": "No"})
        disk = Disk(session).settle()
        request = session.command_pdu(disk.rw_cdb(0x8A, 2048, 8), write=b"evil" * 1024)
        request.cmd_sn = session.take_cmd_sn()
        session.send(request)
        r2t = session.receive()
        self.assertEqual(r2t.opcode, wire.R2T)
        self.send_damaged(session, Pdu(wire.DATA_OUT, FINAL, b"evil" * 1024,
                                       initiator_task_tag=request.initiator_task_tag,
                                       target_transfer_tag=r2t.target_transfer_tag,
                                       exp_stat_sn=session.exp_stat_sn), at=60)
        self.assert_rejected_or_closed(session, reason=2)
        try:
            while (answer := session.receive()).opcode != wire.SCSI_RESPONSE:
                pass
            self.assertEqual(answer.byte3, CHECK_CONDITION)
        except Closed:
            pass
        self.assert_served_on()


class CommandWindow(WireCase):
    def test_cmd_sn_outside_the_window_is_ignored(self):
        # RFC 7143 s4.2.2.1: silently, in both directions.
        session = self.login(self.daemon)
        for cmd_sn in (session.max_cmd_sn + 1, session.max_cmd_sn + 1000, session.exp_cmd_sn - 1):
            request = session.command_pdu(bytes(6))
            request.cmd_sn = cmd_sn & 0xFFFFFFFF
            session.send(request)
        self.assertEqual(session.nop(b"only answer").data, b"only answer")

    def test_commands_that_overtake_wait_for_the_missing_one(self):
        session = self.login(self.daemon)
        Disk(session).settle()
        requests = [session.command_pdu(bytes(6)) for _ in range(8)]
        for request in requests:
            request.cmd_sn = session.take_cmd_sn()
        for request in reversed(requests):
            session.send(request)
        answers = [session.receive() for _ in requests]
        self.assertEqual([answer.initiator_task_tag for answer in answers],
                         [request.initiator_task_tag for request in requests])

    def test_full_window_of_commands_at_once(self):
        disk = self.disk(self.daemon)
        depth = (disk.session.max_cmd_sn - disk.session.cmd_sn & 0xFFFFFFFF) + 1
        self.assertGreaterEqual(depth, 32)
        tasks = [disk.start_read(index % 16, 1) for index in range(min(depth, 512))]
        for task in tasks:
            self.assertEqual(disk.session.wait(task).status, GOOD)

    def test_numbers_wrap(self):
        session = self.login(self.daemon, login=False)
        session.cmd_sn = 0xFFFFFFF0
        session.login()
        disk = Disk(session).settle()
        for _ in range(64):
            disk.read(0, 1)
        self.assertLess(session.cmd_sn, 0x1000)


class Pings(WireCase):
    def test_echo_of_every_length_to_the_limit(self):
        session = self.login(self.daemon)
        for length in (0, 1, 2, 3, 4, 511, 4096, min(session.target_max_recv, 65536)):
            data = bytes(range(256)) * (length // 256 + 1)
            self.assertEqual(session.nop(data[:length]).data, data[:length])

    def test_without_a_tag_gets_no_answer(self):
        session = self.login(self.daemon)
        session.send(Pdu(wire.NOP_OUT | IMMEDIATE, FINAL, initiator_task_tag=NO_TAG,
                         target_transfer_tag=NO_TAG, cmd_sn=session.cmd_sn,
                         exp_stat_sn=session.exp_stat_sn))
        self.assertEqual(session.nop(b"first answer").data, b"first answer")


class DataOut(WireCase):
    def solicited(self):
        session = self.login(self.daemon, keys={"ImmediateData": "No"})
        disk = Disk(session).settle()
        request = session.command_pdu(disk.rw_cdb(0x8A, 4096, 16), write=b"x" * 8192)
        request.cmd_sn = session.take_cmd_sn()
        session.send(request)
        r2t = session.receive()
        self.assertEqual((r2t.opcode, r2t.desired_data_transfer_length), (wire.R2T, 8192))
        return session, request, r2t

    def never_good(self, **wrong):
        session, request, r2t = self.solicited()
        fields = {"initiator_task_tag": request.initiator_task_tag,
                  "target_transfer_tag": r2t.target_transfer_tag,
                  "exp_stat_sn": session.exp_stat_sn, **wrong}
        session.send(Pdu(wire.DATA_OUT, FINAL, b"x" * 8192, **fields))
        try:
            answer = session.receive()
        except Closed:
            answer = None
        if answer is not None and answer.opcode == wire.SCSI_RESPONSE:
            self.assertEqual(answer.byte3, CHECK_CONDITION)
        elif answer is not None:
            self.assertEqual(answer.opcode, wire.REJECT)
        self.assert_served_on()

    def test_wrong_data_sn(self):
        self.never_good(data_sn=5)

    def test_wrong_offset(self):
        self.never_good(buffer_offset=512)

    def test_offset_beyond_the_burst(self):
        self.never_good(buffer_offset=0xFFFFF000)

    def test_wrong_transfer_tag(self):
        _, _, r2t = self.solicited()
        self.never_good(target_transfer_tag=r2t.target_transfer_tag ^ 0x55555555)

    def test_connection_lost_between_r2t_and_data(self):
        for _ in range(32):
            self.solicited()[0].close()
        self.assert_served_on()


class TaskManagement(WireCase):
    def stuck_write(self, session):
        request = session.command_pdu(Disk.rw_cdb(0x8A, 4096, 16), write=b"x" * 8192)
        request.cmd_sn = session.take_cmd_sn()
        session.send(request)
        self.assertEqual(session.receive().opcode, wire.R2T)
        return request

    def test_abort_of_a_write_that_waits_for_data(self):
        session = self.login(self.daemon, keys={"ImmediateData": "No"})
        Disk(session).settle()
        request = self.stuck_write(session)
        self.assertEqual(session.task_management(ABORT_TASK, referenced=request.initiator_task_tag,
                                                 ref_cmd_sn=request.cmd_sn), FUNCTION_COMPLETE)
        self.assertEqual(session.nop(b"next").data, b"next")  # and the aborted one has no response

    def test_abort_of_a_task_that_is_done(self):
        session = self.login(self.daemon)
        Disk(session).settle()
        self.assertEqual(session.task_management(ABORT_TASK, referenced=0x1234,
                                                 ref_cmd_sn=session.cmd_sn - 1), TASK_DOES_NOT_EXIST)

    def test_of_a_lun_that_does_not_exist(self):
        session = self.login(self.daemon)
        self.assertEqual(session.task_management(LOGICAL_UNIT_RESET, lun=200), LUN_DOES_NOT_EXIST)

    def test_reset_is_seen_by_the_other_sessions(self):
        session = self.login(self.daemon, keys={"ImmediateData": "No"})
        Disk(session).settle()
        self.stuck_write(session)
        self.assertEqual(session.task_management(LOGICAL_UNIT_RESET), FUNCTION_COMPLETE)
        task = self.witness.session.execute(bytes(6))
        self.assertEqual((task.status, task.sense_key, task.asc_ascq >> 8), (CHECK_CONDITION, 6, 0x29))
        self.assert_served_on()


class Scsi(WireCase):
    def check_condition(self, cdb, sense_key, asc_ascq, lun=0, **options):
        task = self.witness.session.execute(cdb, lun=lun, **options)
        self.assertEqual((task.status, task.sense_key, task.asc_ascq),
                         (CHECK_CONDITION, sense_key, asc_ascq))

    def test_unknown_opcode(self):
        self.check_condition(bytes([0xEE]) + bytes(15), 5, 0x2000)

    def test_lun_that_does_not_exist(self):
        self.check_condition(bytes(6), 5, 0x2500, lun=77)
        data = self.witness.session.execute(bytes([0x12, 0, 0, 0, 36, 0]), lun=77, read_length=36).data
        self.assertEqual(data[0], 0x7F)  # SPC-4 s6.6.2: no device, and none can be

    def test_read_beyond_the_end(self):
        self.check_condition(Disk.rw_cdb(0x88, 32768, 1), 5, 0x2100, read_length=512)
        self.check_condition(Disk.rw_cdb(0x88, (1 << 64) - 1, 2), 5, 0x2100, read_length=1024)

"""A small iSCSI target that does what a test tells it: for testing initiators.

One RAM disk. Each connection has a thread; a test reads their records after stop().
"""

import socket
import threading

from . import pdu as wire
from .connection import Closed, Connection
from .pdu import FINAL, NO_TAG, Pdu, decode_keys, encode_keys

BLOCK = 512
READ_10, WRITE_10, TEST_UNIT_READY, SERVICE_ACTION_IN_16 = 0x28, 0x2A, 0x00, 0x9E
TRANSIT, STATUS = 0x80, 0x01
WRITES = 0x20  # in the flags of a SCSI Command
# Keys answered with the initiator's value. The target chooses the others.
ACCEPTED = ("HeaderDigest", "DataDigest", "InitialR2T", "ImmediateData", "FirstBurstLength",
            "MaxBurstLength")


class Accepted(Connection):
    """The target's end of a connection."""

    def __init__(self, accepted: socket.socket, timeout: float):  # pylint: disable=super-init-not-called
        self.header_digest = self.data_digest = False
        self.socket = accepted
        accepted.settimeout(timeout)
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class Target:
    """Behaviour by arguments:

    window          size of the command window (MaxCmdSN)
    batch           I/Os are answered when this many have arrived (as many as the window)
    pings           sends two pings before it answers the last I/O of a batch: a command that arrives
                    before the answer to the second was started too early for a burst
    keys            login answers that replace the requested values
    r2t_bytes       length of each R2T
    read_bytes      each read returns only this many bytes, with an underflow
    lost_lba        a write that begins there is answered, but not performed
    end_after       closes the connection after this many commands
    """

    def __init__(self, blocks=2048, window=32, keys=None, r2t_bytes=65536, read_bytes=None,
                 lost_lba=None, end_after=None, batch=None, pings=False, timeout=60):
        self.disk = bytearray(blocks * BLOCK)
        self.window = window
        self.batch = batch or window
        self.pings = pings
        self.keys = {"InitialR2T": "Yes", **(keys or {})}
        self.r2t_bytes = r2t_bytes
        self.read_bytes = read_bytes
        self.lost_lba = lost_lba
        self.end_after = end_after
        self.timeout = timeout
        self.faults = []  # errors of initiators
        self.commands = 0
        self.early = 0  # commands that arrived before the whole batch was answered
        self.segments = []  # lengths of the Data-Out segments
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.threads = [threading.Thread(target=self._accept, daemon=True)]
        self.threads[0].start()

    @property
    def url(self) -> str:
        return f"iscsi://127.0.0.1:{self.listener.getsockname()[1]}/iqn.2026-11.io.lunar:fake/0"

    def stop(self):
        """Stops the target when no initiator is left."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for thread in self.threads:
            thread.join(self.timeout)

    def _accept(self):
        while True:
            try:
                accepted, _ = self.listener.accept()
            except OSError:
                return
            nexus = _Nexus(self, Accepted(accepted, self.timeout))
            self.threads.append(threading.Thread(target=nexus.serve, daemon=True))
            self.threads[-1].start()


class _Nexus:
    def __init__(self, target: Target, connection: Accepted):
        self.target = target
        self.connection = connection
        self.exp_cmd_sn = self.told_max_cmd_sn = None
        self.stat_sn = 1
        self.batch = []  # commands without an answer
        self.backlog = []  # commands that arrived while waiting for a write's data

    def serve(self):
        try:
            with self.connection:
                self._login()
                while True:
                    self._command(self.backlog.pop(0) if self.backlog else
                                  self.connection.receive())
        except (Closed, OSError):
            pass

    def _send(self, pdu: Pdu, status=True):
        pdu.exp_cmd_sn = self.exp_cmd_sn
        pdu.max_cmd_sn = self.told_max_cmd_sn = self.exp_cmd_sn + self.target.window - 1
        if status:
            pdu.stat_sn = self.stat_sn
            self.stat_sn += 1
        self.connection.send(pdu)

    def _login(self):
        stage = None
        keys = {}
        while stage != 3:
            request = self.connection.receive()
            self.exp_cmd_sn = request.cmd_sn
            asked = dict(decode_keys(request.data))
            answers = {key: self.target.keys.get(key, value) for key, value in asked.items()
                       if key in ACCEPTED}
            if asked.get("MaxRecvDataSegmentLength"):
                answers["MaxRecvDataSegmentLength"] = self.target.keys.get(
                    "MaxRecvDataSegmentLength", "8192")
            keys.update(answers)
            stage = request.flags & 3
            self._send(Pdu(wire.LOGIN_RESPONSE, TRANSIT | request.flags & 0xF, encode_keys(answers),
                           isid=request.isid, tsih=1,
                           initiator_task_tag=request.initiator_task_tag))
        self.connection.header_digest = keys.get("HeaderDigest") == "CRC32C"
        self.connection.data_digest = keys.get("DataDigest") == "CRC32C"

    def _command(self, pdu: Pdu):
        target = self.target
        if pdu.opcode != wire.SCSI_COMMAND:
            target.faults.append(f"unexpected {pdu!r}")
            return
        if pdu.cmd_sn > self.told_max_cmd_sn:
            target.faults.append(f"CmdSN {pdu.cmd_sn} is outside of the window")
        target.commands += 1
        if target.end_after is not None and target.commands > target.end_after:
            raise Closed("as was asked for")
        self.exp_cmd_sn += 1
        operation = pdu.cdb[0]
        if operation == TEST_UNIT_READY:
            self._respond(pdu)
        elif operation == SERVICE_ACTION_IN_16:
            capacity = (len(target.disk) // BLOCK - 1).to_bytes(8, "big") + BLOCK.to_bytes(4, "big")
            self._send_read(pdu, capacity.ljust(32, b"\0"))
        else:
            # By default the window opens again only when all of it has been used.
            self.batch.append(pdu)
            if len(self.batch) == target.batch:
                self._answer_batch()

    def _answer_batch(self):
        batch, self.batch = self.batch, []
        for pdu in batch:
            if self.target.pings and pdu is batch[-1]:
                self._ping()
                self._ping()
            start = int.from_bytes(pdu.cdb[2:6], "big") * BLOCK
            length = pdu.expected_data_transfer_length
            if pdu.flags & WRITES:
                before = self.target.disk[start:start + length]
                self._take_write(pdu, start, length)
                if self.target.lost_lba == start // BLOCK:
                    self.target.disk[start:start + length] = before
                self._respond(pdu)
            else:
                self._send_read(pdu, bytes(self.target.disk[start:start + length]))

    def _ping(self):
        self._send(Pdu(wire.NOP_IN, FINAL, initiator_task_tag=NO_TAG, target_transfer_tag=7), status=False)
        while (came := self.connection.receive()).opcode != wire.NOP_OUT:
            self.target.early += came.opcode == wire.SCSI_COMMAND
            self.backlog.append(came)

    def _respond(self, pdu: Pdu):
        self._send(Pdu(wire.SCSI_RESPONSE, FINAL, initiator_task_tag=pdu.initiator_task_tag))

    def _send_read(self, pdu: Pdu, data: bytes):
        limit = self.target.read_bytes
        if limit is not None and pdu.cdb[0] == READ_10:
            data = data[:limit]
        self._send(Pdu(wire.DATA_IN, FINAL | STATUS, data, initiator_task_tag=pdu.initiator_task_tag,
                       target_transfer_tag=NO_TAG))

    def _take_write(self, pdu: Pdu, start: int, length: int):
        """Requests the data after the immediate data, piece by piece."""
        disk = self.target.disk
        disk[start:start + len(pdu.data)] = pdu.data
        at = len(pdu.data)
        while at < length:
            piece = min(self.target.r2t_bytes, length - at)
            self._send(Pdu(wire.R2T, FINAL, lun=pdu.lun, initiator_task_tag=pdu.initiator_task_tag,
                           target_transfer_tag=at, buffer_offset=at,
                           desired_data_transfer_length=piece), status=False)
            end = at + piece
            while at < end:
                out = self.connection.receive()
                if out.opcode == wire.SCSI_COMMAND:
                    self.backlog.append(out)
                    continue
                if (out.opcode, out.buffer_offset) != (wire.DATA_OUT, at):
                    self.target.faults.append(f"not the Data-Out for {at}: {out!r}")
                    raise Closed("out of step")
                self.target.segments.append(len(out.data))
                disk[start + at:start + at + len(out.data)] = out.data
                at += len(out.data)

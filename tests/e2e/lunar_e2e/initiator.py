"""A small iSCSI initiator that checks every number a target sends (RFC 7143, one connection, ERL 0).

It is strict on purpose: a StatSN, DataSN, R2TSN or offset out of order raises ProtocolError.
Blocking and not shared between threads; commands may overlap (start several, then wait).
"""

import itertools
import os
from dataclasses import dataclass, field

from . import pdu as wire
from .connection import Closed, Connection
from .pdu import FINAL, IMMEDIATE, NO_TAG, Pdu

TARGET = "iqn.2026-11.io.lunar:disks"
INITIATOR = "iqn.2026-11.io.lunar:test"

OPERATIONAL_KEYS = {
    "HeaderDigest": "None",
    "DataDigest": "None",
    "MaxRecvDataSegmentLength": "262144",
    "MaxBurstLength": "262144",
    "FirstBurstLength": "65536",
    "InitialR2T": "Yes",
    "ImmediateData": "Yes",
    "MaxOutstandingR2T": "1",
    "MaxConnections": "1",
    "DefaultTime2Wait": "0",
    "DefaultTime2Retain": "0",
    "ErrorRecoveryLevel": "0",
    "DataPDUInOrder": "Yes",
    "DataSequenceInOrder": "Yes",
}
DISCOVERY_KEYS = {
    key: OPERATIONAL_KEYS[key] for key in ("HeaderDigest", "DataDigest", "MaxRecvDataSegmentLength")
}

GOOD, CHECK_CONDITION, BUSY, TASK_SET_FULL, TASK_ABORTED = 0x00, 0x02, 0x08, 0x28, 0x40
READ_FLAG, WRITE_FLAG, SIMPLE = 0x40, 0x20, 0x01


class ProtocolError(AssertionError):
    """The target broke RFC 7143."""


class LoginFailed(Exception):
    def __init__(self, status: int):
        super().__init__(f"login status 0x{status:04x}")
        self.status = status


@dataclass
class Task:
    """A SCSI command: first the request, then the answer."""

    tag: int
    write: bytes = b""
    read_length: int = 0
    cmd_sn: int = 0
    data: bytearray = field(default_factory=bytearray)
    done: bool = False
    status: int = -1
    response: int = 0
    flags: int = 0
    residual: int = 0
    sense: bytes = b""
    next_data_sn: int = 0
    next_r2t_sn: int = 0

    @property
    def sense_key(self) -> int:
        return self.sense[2] & 0xF if self.sense[0] & 0x7E == 0x70 else self.sense[1] & 0xF

    @property
    def asc_ascq(self) -> int:
        at = 12 if self.sense[0] & 0x7E == 0x70 else 2
        return int.from_bytes(self.sense[at : at + 2], "big")


class Session(Connection):
    """A normal or discovery session. Logged in by the constructor unless login=False."""

    _isids = itertools.count(1)

    def __init__(self, address, *, target=TARGET, initiator=INITIATOR, isid=None, tsih=0,
                 discovery=False, keys=None, security_stage=False, login=True, timeout=20.0):
        super().__init__(address, timeout)
        self.target, self.initiator = target, initiator
        # RFC 7143 s11.12.5: type "random" with this process's number as its qualifier.
        self.isid = isid or b"\x80" + (os.getpid() & 0xFFFFFF).to_bytes(3, "big") + \
            (next(self._isids) & 0xFFFF).to_bytes(2, "big")
        self.tsih = tsih
        self.discovery = discovery
        self.security_stage = security_stage
        self.keys = dict(DISCOVERY_KEYS if discovery else OPERATIONAL_KEYS, **(keys or {}))
        self.params = dict(self.keys)
        self.target_max_recv = 8192  # RFC 7143 s13.12: the default until declared
        self.cmd_sn = 1
        self.exp_stat_sn = None
        self.max_cmd_sn = 1
        self.exp_cmd_sn = 1
        self.tags = itertools.count(1)
        self.tasks = {}
        self.others = []  # PDUs that belong to no SCSI command, in order of arrival
        if login:
            try:
                self.login()
            except BaseException:
                self.close()
                raise

    # Login

    def login_request(self, stage: int, next_stage: int, keys) -> Pdu:
        request = Pdu(wire.LOGIN | IMMEDIATE, FINAL | stage << 2 | next_stage,
                      wire.encode_keys(keys), initiator_task_tag=0, cmd_sn=self.cmd_sn,
                      exp_stat_sn=self.exp_stat_sn or 0)
        request.isid = self.isid
        request.tsih = self.tsih
        return request

    def login(self):
        names = {"InitiatorName": self.initiator,
                 "SessionType": "Discovery" if self.discovery else "Normal"}
        if not self.discovery:
            names["TargetName"] = self.target
        if self.security_stage:
            self._login_step(self.login_request(0, 1, {**names, "AuthMethod": "None"}))
            names = {}
        self._login_step(self.login_request(1, 3, {**names, **self.keys}))
        self.header_digest = self.params["HeaderDigest"] == "CRC32C"
        self.data_digest = self.params["DataDigest"] == "CRC32C"

    def _login_step(self, request: Pdu):
        stage, next_stage = request.flags >> 2 & 3, request.flags & 3
        self.send(request)
        while True:
            response = self.receive()
            if response.opcode != wire.LOGIN_RESPONSE:
                raise ProtocolError(f"{response} in answer to a login request")
            if response.login_status:
                raise LoginFailed(response.login_status)
            self._count_status(response)
            self._update_window(response)
            for key, value in wire.decode_keys(response.data):
                if key == "MaxRecvDataSegmentLength":
                    self.target_max_recv = int(value)
                else:
                    self.params[key] = value
            if response.flags & FINAL:
                if response.flags & 3 != next_stage:
                    raise ProtocolError("a login stage that was not asked for")
                self.tsih = response.tsih
                return
            self.send(self.login_request(stage, next_stage, {}))

    # Numbers

    def _count_status(self, pdu: Pdu):
        if self.exp_stat_sn is not None and pdu.stat_sn != self.exp_stat_sn:
            raise ProtocolError(f"StatSN {pdu.stat_sn}, expected {self.exp_stat_sn}")
        self.exp_stat_sn = pdu.stat_sn + 1 & 0xFFFFFFFF

    def _update_window(self, pdu: Pdu):
        if (pdu.max_cmd_sn - pdu.exp_cmd_sn + 1) & 0xFFFFFFFF >= 1 << 31:
            raise ProtocolError(f"MaxCmdSN {pdu.max_cmd_sn} below ExpCmdSN {pdu.exp_cmd_sn} - 1")
        self.exp_cmd_sn, self.max_cmd_sn = pdu.exp_cmd_sn, pdu.max_cmd_sn

    def window_open(self) -> bool:
        return (self.max_cmd_sn - self.cmd_sn) & 0xFFFFFFFF < 1 << 31

    def take_cmd_sn(self) -> int:
        taken = self.cmd_sn
        self.cmd_sn = taken + 1 & 0xFFFFFFFF
        return taken

    # Commands

    def command_pdu(self, cdb: bytes, *, lun=0, write=b"", read_length=0, length=None,
                    attribute=SIMPLE) -> Pdu:
        flags = FINAL | attribute | (WRITE_FLAG if write else 0) | (READ_FLAG if read_length else 0)
        transfer = length if length is not None else len(write) or read_length
        request = Pdu(wire.SCSI_COMMAND, flags, lun=wire.encode_lun(lun),
                      initiator_task_tag=next(self.tags), exp_stat_sn=self.exp_stat_sn)
        request.expected_data_transfer_length = transfer
        request.cdb = cdb
        return request

    def start(self, cdb: bytes, *, immediate=True, on_start=None, **options) -> Task:
        """Sends a command with its unsolicited data. `length` overrides the announced length.
        immediate=False sends no data with the command. on_start(task) is called before sending."""
        while not self.window_open():
            self.pump()
        request = self.command_pdu(cdb, **options)
        request.cmd_sn = self.take_cmd_sn()
        write, lun = options.get("write", b""), options.get("lun", 0)
        task = Task(request.initiator_task_tag, write, options.get("read_length", 0), request.cmd_sn)
        self.tasks[task.tag] = task
        if on_start is not None:
            on_start(task)
        first_burst = min(int(self.params["FirstBurstLength"]), len(write))
        sent = 0
        if write and immediate and self.params["ImmediateData"] == "Yes":
            sent = min(first_burst, self.target_max_recv)
            request.data = write[:sent]
            request.data_segment_length = sent
        unsolicited = write and self.params["InitialR2T"] == "No" and sent < first_burst
        if unsolicited:
            request.flags &= ~FINAL
        self.send(request)
        if unsolicited:
            self._send_data(task, NO_TAG, sent, first_burst - sent, lun)
        return task

    def _send_data(self, task: Task, transfer_tag: int, offset: int, length: int, lun: int):
        end, data_sn = offset + length, 0
        while offset < end:
            part = task.write[offset : min(end, offset + self.target_max_recv)]
            last = offset + len(part) == end
            self.send(Pdu(wire.DATA_OUT, FINAL if last else 0, part, lun=wire.encode_lun(lun),
                          initiator_task_tag=task.tag, target_transfer_tag=transfer_tag,
                          exp_stat_sn=self.exp_stat_sn, data_sn=data_sn, buffer_offset=offset))
            offset += len(part)
            data_sn += 1

    def wait(self, task: Task) -> Task:
        while not task.done:
            self.pump()
        return task

    def execute(self, cdb: bytes, **options) -> Task:
        return self.wait(self.start(cdb, **options))

    def pump(self) -> Pdu:
        """Receives one PDU and reacts to it."""
        pdu = self.receive()
        self._update_window(pdu)
        if pdu.opcode == wire.R2T:
            self._on_r2t(pdu)
        elif pdu.opcode == wire.DATA_IN:
            self._on_data_in(pdu)
        elif pdu.opcode == wire.SCSI_RESPONSE:
            self._on_response(pdu)
        elif pdu.opcode == wire.NOP_IN and pdu.initiator_task_tag == NO_TAG:
            if pdu.target_transfer_tag != NO_TAG:
                self.send(Pdu(wire.NOP_OUT | IMMEDIATE, lun=pdu.lun, initiator_task_tag=NO_TAG,
                              target_transfer_tag=pdu.target_transfer_tag, cmd_sn=self.cmd_sn,
                              exp_stat_sn=self.exp_stat_sn))
        else:
            self._count_status(pdu)
            self.others.append(pdu)
        return pdu

    def _task_of(self, pdu: Pdu) -> Task:
        task = self.tasks.get(pdu.initiator_task_tag)
        if task is None:
            raise ProtocolError(f"{pdu} for a task tag that is not outstanding")
        return task

    def _on_r2t(self, pdu: Pdu):
        task = self._task_of(pdu)
        if pdu.r2t_sn != task.next_r2t_sn:
            raise ProtocolError(f"R2TSN {pdu.r2t_sn}, expected {task.next_r2t_sn}")
        end = pdu.buffer_offset + pdu.desired_data_transfer_length
        if pdu.desired_data_transfer_length > int(self.params["MaxBurstLength"]):
            raise ProtocolError("R2T longer than MaxBurstLength")
        if end > len(task.write) or not pdu.desired_data_transfer_length:
            raise ProtocolError("R2T beyond the expected data transfer length")
        task.next_r2t_sn += 1
        self._send_data(task, pdu.target_transfer_tag, pdu.buffer_offset,
                        pdu.desired_data_transfer_length, pdu.lun >> 48 & 0x3FFF)

    def _on_data_in(self, pdu: Pdu):
        task = self._task_of(pdu)
        if pdu.data_sn != task.next_data_sn:
            raise ProtocolError(f"DataSN {pdu.data_sn}, expected {task.next_data_sn}")
        if pdu.buffer_offset != len(task.data):
            raise ProtocolError(f"offset {pdu.buffer_offset}, expected {len(task.data)}")
        if len(pdu.data) > int(self.keys["MaxRecvDataSegmentLength"]):
            raise ProtocolError("Data-In longer than MaxRecvDataSegmentLength")
        task.next_data_sn += 1
        task.data += pdu.data
        if pdu.flags & 1:  # S bit: the last data has the status
            self._finish(task, pdu)

    def _on_response(self, pdu: Pdu):
        task = self._task_of(pdu)
        task.response = pdu.byte2
        if pdu.data:
            length = int.from_bytes(pdu.data[:2], "big")
            task.sense = pdu.data[2 : 2 + length]
        self._finish(task, pdu)

    def _finish(self, task: Task, pdu: Pdu):
        self._count_status(pdu)
        task.status, task.flags, task.residual = pdu.byte3, pdu.flags, pdu.residual_count
        task.done = True
        del self.tasks[task.tag]

    # Other requests

    def exchange(self, request: Pdu, opcode: int) -> Pdu:
        """Sends a request and returns the answer with the given opcode and the same tag."""
        tag = request.initiator_task_tag
        self.send(request)
        while True:
            self.pump()
            for index, pdu in enumerate(self.others):
                if pdu.opcode == opcode and pdu.initiator_task_tag == tag:
                    return self.others.pop(index)

    def nop(self, data: bytes = b"") -> Pdu:
        request = Pdu(wire.NOP_OUT, FINAL, data, initiator_task_tag=next(self.tags),
                      target_transfer_tag=NO_TAG, cmd_sn=self.take_cmd_sn(),
                      exp_stat_sn=self.exp_stat_sn)
        return self.exchange(request, wire.NOP_IN)

    def text(self, keys) -> list:
        request = Pdu(wire.TEXT, FINAL, wire.encode_keys(keys), initiator_task_tag=next(self.tags),
                      target_transfer_tag=NO_TAG, cmd_sn=self.take_cmd_sn(),
                      exp_stat_sn=self.exp_stat_sn)
        return wire.decode_keys(self.exchange(request, wire.TEXT_RESPONSE).data)

    def task_management(self, function: int, *, lun=0, referenced=NO_TAG, ref_cmd_sn=0) -> int:
        """Sends a task management request as immediate; returns the response code."""
        request = Pdu(wire.TASK_MANAGEMENT | IMMEDIATE, FINAL | function, lun=wire.encode_lun(lun),
                      initiator_task_tag=next(self.tags), referenced_task_tag=referenced,
                      cmd_sn=self.cmd_sn, exp_stat_sn=self.exp_stat_sn, ref_cmd_sn=ref_cmd_sn)
        return self.exchange(request, wire.TASK_MANAGEMENT_RESPONSE).byte2

    def logout(self) -> int:
        """Logs out and closes the session; returns the response code."""
        request = Pdu(wire.LOGOUT | IMMEDIATE, FINAL, initiator_task_tag=next(self.tags),
                      cmd_sn=self.cmd_sn, exp_stat_sn=self.exp_stat_sn)
        response = self.exchange(request, wire.LOGOUT_RESPONSE).byte2
        try:
            self.wait_closed()
        finally:
            self.close()
        return response


def is_closed(session: Connection) -> bool:
    """Waits for the target to close. False if it sends something first or stays open."""
    try:
        session.receive()
    except Closed:
        return True
    except TimeoutError:
        pass
    return False

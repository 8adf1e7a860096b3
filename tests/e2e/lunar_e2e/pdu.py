"""iSCSI PDUs as bytes (RFC 7143 s11): a basic header segment with named fields, and its data."""

import struct

NOP_OUT, SCSI_COMMAND, TASK_MANAGEMENT, LOGIN, TEXT, DATA_OUT, LOGOUT = range(7)
NOP_IN, SCSI_RESPONSE, TASK_MANAGEMENT_RESPONSE, LOGIN_RESPONSE = 0x20, 0x21, 0x22, 0x23
TEXT_RESPONSE, DATA_IN, LOGOUT_RESPONSE = 0x24, 0x25, 0x26
R2T, ASYNC_MESSAGE, REJECT = 0x31, 0x32, 0x3F

IMMEDIATE = 0x40  # in byte 0
FINAL = 0x80  # in byte 1
NO_TAG = 0xFFFFFFFF

BHS_LENGTH = 48


def pad(length: int) -> int:
    """Bytes that fill a segment up to a multiple of four."""
    return -length % 4


def _field(offset: int, code: str):
    packer = struct.Struct(">" + code)

    def get(self):
        return packer.unpack_from(self.bhs, offset)[0]

    def put(self, value):
        packer.pack_into(self.bhs, offset, value)

    return property(get, put)


class Pdu:
    """A PDU. Fields are views of the 48 header bytes. The opcode determines which of them are valid
    (two names may share a place)."""

    def __init__(self, opcode: int = 0, flags: int = FINAL, data: bytes = b"", **fields):
        self.bhs = bytearray(BHS_LENGTH)
        self.bhs[0] = opcode
        self.flags = flags
        self.data = data
        self.data_segment_length = len(data)
        self.ahs = b""
        for name, value in fields.items():
            if not isinstance(getattr(type(self), name, None), property):
                raise AttributeError(name)
            setattr(self, name, value)

    @classmethod
    def from_header(cls, bhs: bytes) -> "Pdu":
        pdu = cls()
        pdu.bhs[:] = bhs
        return pdu

    @property
    def opcode(self) -> int:
        return self.bhs[0] & 0x3F

    flags = _field(1, "B")
    byte2 = _field(2, "B")  # version max, response or reject reason
    byte3 = _field(3, "B")  # version min or active, SCSI status
    total_ahs_length = _field(4, "B")
    lun = _field(8, "Q")
    tsih = _field(14, "H")
    initiator_task_tag = _field(16, "I")
    target_transfer_tag = _field(20, "I")
    expected_data_transfer_length = _field(20, "I")
    referenced_task_tag = _field(20, "I")
    cid = _field(20, "H")
    cmd_sn = _field(24, "I")
    stat_sn = _field(24, "I")
    exp_stat_sn = _field(28, "I")
    exp_cmd_sn = _field(28, "I")
    max_cmd_sn = _field(32, "I")
    ref_cmd_sn = _field(32, "I")
    data_sn = _field(36, "I")
    r2t_sn = _field(36, "I")
    login_status = _field(36, "H")
    async_event = _field(36, "B")
    buffer_offset = _field(40, "I")
    desired_data_transfer_length = _field(44, "I")
    residual_count = _field(44, "I")

    @property
    def data_segment_length(self) -> int:
        return int.from_bytes(self.bhs[5:8], "big")

    @data_segment_length.setter
    def data_segment_length(self, value: int):
        self.bhs[5:8] = value.to_bytes(3, "big")

    @property
    def isid(self) -> bytes:
        return bytes(self.bhs[8:14])

    @isid.setter
    def isid(self, value: bytes):
        self.bhs[8:14] = value

    @property
    def cdb(self) -> bytes:
        return bytes(self.bhs[32:48])

    @cdb.setter
    def cdb(self, value: bytes):
        """The rest of a long CDB goes into an extended CDB header segment (RFC 7143 s11.2.2.3)."""
        self.bhs[32:48] = value[:16].ljust(16, b"\0")
        rest = value[16:]
        self.ahs = (len(rest) + 1).to_bytes(2, "big") + b"\1\0" + rest + bytes(pad(len(rest))) if rest else b""
        self.total_ahs_length = len(self.ahs) // 4

    def __repr__(self):
        return f"Pdu(opcode=0x{self.opcode:02x}, flags=0x{self.flags:02x}, data={len(self.data)} bytes)"


def encode_lun(lun: int) -> int:
    """SAM-5 s4.7: peripheral addressing up to 255, flat space addressing above."""
    return (lun << 48) if lun < 256 else ((0x4000 | lun) << 48)


def encode_keys(keys) -> bytes:
    """A dict or a list of pairs as the text of login and text PDUs."""
    pairs = keys.items() if hasattr(keys, "items") else keys
    return b"".join(f"{key}={value}".encode() + b"\0" for key, value in pairs)


def decode_keys(data: bytes) -> list:
    """The pairs of a text segment, in order; a key may come twice (TargetAddress)."""
    pairs = []
    for item in data.split(b"\0"):
        if item:
            key, _, value = item.decode().partition("=")
            pairs.append((key, value))
    return pairs

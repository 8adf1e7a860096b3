"""A TCP connection for PDUs: only framing, padding and digests."""

import socket

from . import crc32c
from .pdu import BHS_LENGTH, Pdu, pad


class Closed(Exception):
    """The target closed or reset the connection."""


class DigestError(Exception):
    """The target sent a digest that does not match."""


class Connection:
    def __init__(self, address, timeout: float):
        self.header_digest = False
        self.data_digest = False
        self.socket = socket.create_connection(address, timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send_raw(self, data: bytes):
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise Closed(str(error)) from error

    def encode(self, pdu: Pdu) -> bytes:
        parts = [bytes(pdu.bhs), pdu.ahs]
        if self.header_digest:
            parts.append(crc32c.digest(bytes(pdu.bhs) + pdu.ahs))
        if pdu.data:
            segment = pdu.data + bytes(pad(len(pdu.data)))
            parts.append(segment)
            if self.data_digest:
                parts.append(crc32c.digest(segment))
        return b"".join(parts)

    def send(self, pdu: Pdu):
        self.send_raw(self.encode(pdu))

    def receive(self) -> Pdu:
        """The next PDU. Raises Closed at the end of the stream, TimeoutError if nothing arrives."""
        pdu = Pdu.from_header(self._receive_exactly(BHS_LENGTH))
        ahs = self._receive_exactly(pdu.total_ahs_length * 4)
        if self.header_digest:
            self._check(bytes(pdu.bhs) + ahs, "header")
        length = pdu.data_segment_length
        if length:
            segment = self._receive_exactly(length + pad(length))
            if self.data_digest:
                self._check(segment, "data")
            pdu.data = segment[:length]
        return pdu

    def _check(self, data: bytes, what: str):
        if self._receive_exactly(4) != crc32c.digest(data):
            raise DigestError(what)

    def _receive_exactly(self, length: int) -> bytes:
        parts = []
        while length:
            try:
                part = self.socket.recv(length)
            except ConnectionResetError as error:
                raise Closed(str(error)) from error
            if not part:
                raise Closed("end of stream")
            parts.append(part)
            length -= len(part)
        return b"".join(parts)

    def wait_closed(self):
        """Reads and drops data until the target closes. Raises TimeoutError if it does not."""
        while True:
            try:
                if not self.socket.recv(1 << 16):
                    return
            except ConnectionResetError:
                return

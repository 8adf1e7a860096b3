"""CRC32C (RFC 7143 s13.1, RFC 3720 appendix B.4) for header and data digests."""

_POLYNOMIAL = 0x82F63B78  # Castagnoli, reflected


def _make_table():
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ (_POLYNOMIAL if crc & 1 else 0)
        table.append(crc)
    return tuple(table)


_TABLE = _make_table()


def crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc = (crc >> 8) ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def digest(data: bytes) -> bytes:
    """The four bytes that follow a header or data segment on the wire."""
    return crc32c(data).to_bytes(4, "little")

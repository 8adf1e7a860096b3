"""Data as text: data-out, and expected data-in (which may have arbitrary bytes)."""

import random
import re

from .numbers import TextError, evaluate


class Pattern:
    """Bytes, some of them arbitrary. `open_end`: more may follow."""

    def __init__(self, value=b"", mask=None, open_end=False):
        self.value = bytes(value)
        self.mask = bytes(mask) if mask is not None else b"\xff" * len(self.value)
        self.open_end = open_end

    def __add__(self, other):
        if self.open_end:
            raise TextError("nothing can follow `...`")
        return Pattern(self.value + other.value, self.mask + other.mask, other.open_end)

    def __mul__(self, count):
        return Pattern(self.value * count, self.mask * count)

    def exact(self) -> bytes:
        """For data to send."""
        if self.open_end or b"\0" in self.mask:
            raise TextError("`..` and `...` are for expectations")
        return self.value

    def mismatch(self, data):
        """None if `data` matches, otherwise the difference in words."""
        data = bytes(data)
        if data == self.value and not self.mask.strip(b"\xff"):
            return None
        for at, (got, want, mask) in enumerate(zip(data, self.value, self.mask)):
            if (got ^ want) & mask:
                return f"byte {at} is {got:02x}, not {want:02x}"
        if len(data) < len(self.value) or (len(data) > len(self.value) and not self.open_end):
            return f"{len(data)} bytes, not {len(self.value)}{' or more' if self.open_end else ''}"
        return None


ANY = Pattern(b"\0", b"\0")


def crc16(data: bytes) -> int:
    """The LOGICAL BLOCK GUARD (SBC-4 s4.21.4)."""
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ (0x8BB7 if crc & 0x8000 else 0)) & 0xFFFF
    return crc


def split_top(text: str, separator: str) -> list:
    """Splits outside of brackets and quotes."""
    parts, depth, quoted, start = [], 0, False, 0
    for at, char in enumerate(text):
        if char == '"':
            quoted = not quoted
        elif not quoted and char in "([":
            depth += 1
        elif not quoted and char in ")]":
            depth -= 1
        elif char == separator and not quoted and depth == 0:
            parts.append(text[start:at])
            start = at + 1
    return parts + [text[start:]]


def _bracket(text: str) -> Pattern:
    pattern = Pattern()
    for item in text.split():
        if item == "...":
            pattern += Pattern(open_end=True)
        elif item == "..":
            pattern += ANY
        elif re.fullmatch(r"([0-9a-fA-F]{2})+", item):
            pattern += Pattern(bytes.fromhex(item))
        else:
            raise TextError(f"{item!r} in [ ]: hexadecimal bytes, `..` or a last `...`")
    return pattern


class Functions:
    """The functions NAME(ARGUMENTS) of data. Their arguments are evaluated numbers."""

    def __init__(self, block: int):
        self.block = block

    def zero(self, length):
        return Pattern(bytes(length))

    def fill(self, byte, length):
        return Pattern(bytes([byte]) * length)

    def count(self, length):
        """00 01 02 … ff 00 …"""
        return Pattern((bytes(range(256)) * (length // 256 + 1))[:length])

    def random(self, seed, length):
        return Pattern(random.Random(seed).randbytes(length))

    def any(self, length):
        return ANY * length

    def lbas(self, lba, blocks=1, tag=0):
        """Distinguishable blocks: each repeats its LBA and the tag."""
        return Pattern(b"".join((number.to_bytes(8, "big") + tag.to_bytes(8, "big")) * (self.block // 16)
                                for number in range(lba, lba + blocks)))

    def protected(self, lba, blocks=1, tag=0, application=0, reference=None):
        """Like lbas(), with protection information. Reference tags count from the LBA unless given."""
        data = self.lbas(lba, blocks, tag).value
        return Pattern(b"".join(
            block + crc16(block).to_bytes(2, "big") + application.to_bytes(2, "big")
            + (((lba if reference is None else reference) + number) & 0xFFFFFFFF).to_bytes(4, "big")
            for number, block in enumerate(data[at : at + self.block] for at in range(0, len(data), self.block))))

    def be(self, value, length):
        return Pattern(value.to_bytes(length, "big"))

    def unmap(self, *extents):
        """The parameter list of UNMAP: LBA, blocks, LBA, blocks, … (SBC-4 s5.35.2)."""
        body = b"".join(lba.to_bytes(8, "big") + blocks.to_bytes(4, "big") + bytes(4)
                        for lba, blocks in zip(extents[::2], extents[1::2]))
        return Pattern((len(body) + 6).to_bytes(2, "big") + len(body).to_bytes(2, "big") + bytes(4) + body)


def parse(text: str, names) -> Pattern:
    """A sum of terms; `names` holds numbers and patterns, `block` among them."""
    pattern = Pattern()
    for term in split_top(text, "+"):
        pattern += _term(term, names)
    return pattern


def _term(text: str, names) -> Pattern:
    base, *times = split_top(text, "*")
    if len(times) > 1:
        raise TextError(f"{text!r}: one * at most")
    count = evaluate(times[0], names) if times else 1
    if base.startswith("[") and base.endswith("]"):
        pattern = _bracket(base[1:-1])
    elif len(base) > 1 and base[0] == base[-1] == '"':
        pattern = Pattern(base[1:-1].encode())
    elif match := re.fullmatch(r"(\w+)\((.*)\)", base):
        pattern = _call(match[1], match[2], names)
    elif isinstance(names.get(base), Pattern):
        pattern = names[base]
    else:
        raise TextError(f"{base!r} is no data: [bytes], \"text\", NAME or FUNCTION(…)")
    return pattern * count if times else pattern


def _call(function: str, arguments: str, names) -> Pattern:
    if function == "port":  # the TransportID of a nexus; SPC-5 s7.6.4.5
        nexus = names["nexuses"].get(arguments.strip())
        if nexus is None:
            raise TextError(f"no nexus {arguments.strip()}")
        return Pattern(nexus.transport_id())
    method = getattr(Functions(names["block"]), function, None)
    if function.startswith("_") or method is None:
        raise TextError(f"no function {function}")
    try:
        return method(*(evaluate(part, names) for part in arguments.split(",") if part.strip()))
    except (TypeError, OverflowError, ValueError) as error:
        raise TextError(f"{function}({arguments}): {error}") from error

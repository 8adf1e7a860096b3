"""Integer expressions and places: `last+1`, `cdb[2].7:3`."""

import ast
import operator
import re

_BINARY = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
           ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.LShift: operator.lshift,
           ast.RShift: operator.rshift, ast.BitOr: operator.or_, ast.BitAnd: operator.and_,
           ast.BitXor: operator.xor}


class TextError(Exception):
    """A case file is invalid."""


def evaluate(text: str, names) -> int:
    """An integer expression over `names`: + - * // % << >> | & ^ ( ) and `a or b`."""
    try:
        return _value(ast.parse(text.strip(), mode="eval").body, names)
    except (SyntaxError, ValueError, ZeroDivisionError) as error:
        raise TextError(f"{text!r} is no number") from error


def _value(node, names) -> int:
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    if isinstance(node, ast.Name):
        value = names.get(node.id)
        if not isinstance(value, int):
            raise TextError(f"no number is called {node.id}")
        return value
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        return _BINARY[type(node.op)](_value(node.left, names), _value(node.right, names))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand, names)
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
        values = (_value(part, names) for part in node.values)
        return next((value for value in values if value), 0)
    raise TextError(f"{ast.unparse(node)!r} is no number")


class Place:
    """The place of a field, counted as in the standards' tables: `2` a byte, `2:4` four bytes,
    `1.3` a bit, `1.7:3` three bits of which bit 7 is the most significant."""

    def __init__(self, text: str):
        match = re.fullmatch(r"(\w+)(?:\.(\d))?(?::(\d+))?", text)
        if match is None:
            raise TextError(f"{text!r} is no place: BYTE, BYTE:BYTES, BYTE.BIT or BYTE.BIT:BITS")
        self.byte = evaluate(match[1], {})
        self.width = int(match[3] or 1)
        self.is_bits = match[2] is not None
        self.bit = int(match[2] or 7)
        if self.is_bits and (self.bit > 7 or self.width > self.bit + 1):
            raise TextError(f"{text!r} crosses a byte")

    @property
    def end(self) -> int:
        return self.byte + (1 if self.is_bits else self.width)

    @property
    def limit(self) -> int:
        """One above the largest value."""
        return 1 << (self.width if self.is_bits else 8 * self.width)

    def get(self, data) -> int:
        if self.end > len(data):
            raise IndexError(f"byte {self.end - 1} of {len(data)}")
        if not self.is_bits:
            return int.from_bytes(data[self.byte : self.end], "big")
        return data[self.byte] >> (self.bit + 1 - self.width) & (self.limit - 1)

    def put(self, data: bytearray, value: int):
        if not 0 <= value < self.limit:
            raise TextError(f"{value} does not fit")
        if self.end > len(data):
            raise TextError(f"there is no byte {self.end - 1}")
        if not self.is_bits:
            data[self.byte : self.end] = value.to_bytes(self.width, "big")
            return
        shift = self.bit + 1 - self.width
        data[self.byte] = data[self.byte] & ~((self.limit - 1) << shift) | value << shift

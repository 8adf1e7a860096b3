"""CDBs by name (commands.txt) or as bytes."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from .numbers import Place, TextError, evaluate

TABLE = Path(__file__).resolve().parent.parent / "commands.txt"
VARIABLE_LENGTH = 0x7F
_LENGTHS = (6, 10, 10, 0, 16, 12, 16, 16)  # by the group code; SPC-5 s4.2.5.1


@dataclass
class Command:
    name: str
    cdb: bytes
    fields: dict  # name to Place
    direction: str = ""  # "in", "out" or ""
    length: str = "0"  # an expression
    parameters: dict = field(default_factory=dict)  # name to Place in the data-out
    preset: dict = field(default_factory=dict)  # name to value


def _places(text: str) -> dict:
    return {name: Place(place) for name, place in (word.split("=") for word in text.split())}


def _row(columns: list) -> Command:
    name, code, fields, data, parameters = (columns + [""] * 3)[:5]
    opcode, _, action = code.partition("/")
    opcode = int(opcode, 16)
    cdb = bytearray(32 if opcode == VARIABLE_LENGTH else _LENGTHS[opcode >> 5])
    cdb[0] = opcode
    if opcode == VARIABLE_LENGTH:
        cdb[7] = len(cdb) - 8
        cdb[8:10] = int(action, 16).to_bytes(2, "big")
    elif action:
        cdb[1] = int(action, 16)
    direction, _, length = data.partition(" ")
    return Command(name, bytes(cdb), _places(fields), direction, length or "0", _places(parameters))


def load(path=TABLE) -> dict:
    table = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        line = line.split("#", 1)[0].strip()
        try:
            if "|" in line:
                row = _row([column.strip() for column in line.split("|")])
                table[row.name] = row
            elif line:
                name, other = (part.strip() for part in line.split("=", 1))
                table[name] = _alias(name, other, table)
        except (KeyError, ValueError, TextError) as error:
            raise TextError(f"{path.name}:{number}: {error}") from error
    return table


def _alias(name: str, text: str, table) -> Command:
    known = max((other for other in table if text.startswith(other + " ")), key=len)
    base = table[known]
    preset = dict(word.split("=") for word in text[len(known):].split())
    return Command(name, base.cdb, base.fields, base.direction, base.length, base.parameters,
                   {key: int(value) for key, value in preset.items()})


TABLE_ROWS = load()


def find(words: list):
    """(Command, number of words of its name). Names and bytes may consist of several words."""
    hexadecimal = 0
    while hexadecimal < len(words) and re.fullmatch(r"[0-9a-fA-F]{2}", words[hexadecimal]):
        hexadecimal += 1
    if hexadecimal:
        return Command("CDB", bytes.fromhex("".join(words[:hexadecimal])), {}), hexadecimal
    for count in range(min(len(words), 6), 0, -1):
        if row := TABLE_ROWS.get(" ".join(words[:count])):
            return row, count
    raise TextError(f"no command is called {' '.join(words[:3])!r} (tests/conformance/commands.txt)")


def build(command: Command, values: dict, out_length: int) -> bytes:
    """The CDB with these fields. The name `cdb[PLACE]` stands for any place. `values` are numbers."""
    cdb = bytearray(command.cdb)
    for name, place in command.fields.items():
        if name == "alloc":
            place.put(cdb, 4096 if place.limit > 4096 else 255)
        elif name == "length":
            place.put(cdb, out_length)
    for name, value in {**command.preset, **values}.items():
        try:
            place_of(command, name).put(cdb, value)
        except TextError as error:
            raise TextError(f"{name}={value}: {error}") from error
    return bytes(cdb)


def place_of(command: Command, name: str) -> Place:
    if match := re.fullmatch(r"cdb\[(\d+)\](.*)", name):
        return Place(match[1] + match[2])
    if name not in command.fields:
        raise TextError(f"{command.name} has no field {name}; it has {' '.join(command.fields) or 'none'}")
    return command.fields[name]


def data_length(command: Command, cdb: bytes, names: dict) -> int:
    fields = {name: place.get(cdb) for name, place in command.fields.items()}
    transferred = any(value for name, value in fields.items() if name.endswith("protect"))
    return evaluate(command.length, {**names, **fields, "pi": 8 if transferred else 0})

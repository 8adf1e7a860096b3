"""The part after `=>`: the expected status, sense data and data of a command."""

import re

from . import data, sense
from .numbers import Place, TextError, evaluate

# RFC 7143 s11.6.1, RFC 7144 s8: responses to task management functions.
RESPONSES = {0: "FUNCTION COMPLETE", 1: "TASK DOES NOT EXIST", 2: "LUN DOES NOT EXIST",
             3: "TASK STILL ALLEGIANT", 4: "REASSIGNMENT NOT SUPPORTED", 5: "FUNCTION NOT SUPPORTED",
             6: "AUTHORIZATION FAILED", 7: "FUNCTION SUCCEEDED", 255: "FUNCTION REJECTED"}

_SENSE_CHECKS = ("field", "info", "specific", "sense", "progress", "deferred", "ili")
_OPTION = re.compile(r"([\w@.:]+?)(:=|!=|>=|<=|=)(.*)", re.DOTALL)


class Mismatch(AssertionError):
    """The answer does not match the line."""


def _compare(operator: str, got: int, want: int) -> bool:
    return {"=": got == want, "!=": got != want, ">=": got >= want, "<=": got <= want}[operator]


def _leading(words: list, names) -> tuple:
    """The longest of `names` that the words start with, and its number of words."""
    for count in range(min(4, len(words)), 0, -1):
        if " ".join(words[:count]) in names:
            return " ".join(words[:count]), count
    return None, 0


class Expectation:
    def __init__(self, words: list):
        """`GOOD …`, `[CHECK CONDITION] KEY ASC/ASCQ …`, another status or a response."""
        words = words or ["GOOD"]
        self.text = " ".join(words)
        self.key = self.asc = None
        self.reports = False  # the sense data is the data-in of REQUEST SENSE
        statuses = {name: code for code, name in sense.STATUS.items()}
        self.status, count = _leading(words, {**statuses, **{name: 0 for name in RESPONSES.values()}})
        words = words[count:]
        if words[:1] == ["reports"]:
            self.reports, words = True, words[1:]
        key, count = _leading(words, sense.KEYS)
        if key:
            self.key = key
            self.status = self.status or "CHECK CONDITION"
            words = words[count:]
            if words and re.fullmatch(r"[0-9A-F.]{2}/[0-9A-F.]{2}", words[0]):
                self.asc, words = words[0], words[1:]
        if self.status is None:
            raise TextError(f"{self.text!r}: no status, sense key or response comes first")
        if self.key and not self.reports and self.status != "CHECK CONDITION":
            raise TextError(f"{self.text!r}: sense data come with CHECK CONDITION")
        self.options = [self._option(word) for word in words]

    @staticmethod
    def _option(word: str):
        match = _OPTION.fullmatch(word)
        if match is None:
            raise TextError(f"{word!r} is no expectation")
        name, operator, value = match.groups()
        place = Place(name[1:]) if name.startswith("@") else None
        known = name in ("data", "len", "residual", "overflow", "ascending", *_SENSE_CHECKS)
        if not (place or known or operator == ":=" or name.startswith("data@")):
            raise TextError(f"{word!r}: nothing to expect is called {name}")
        return name, place, operator, value

    def check(self, task, names: dict):
        """Raises Mismatch. Adds values that the line captures to `names`."""
        if sense.status_name(task.status) != self.status:
            raise Mismatch(f"the status is {sense.status_name(task.status)}")
        told = sense.Sense(task.data if self.reports else task.sense)
        if self.key and told.key is None:
            raise Mismatch("there is no sense data")
        if self.key and sense.KEYS[told.key] != self.key:
            raise Mismatch(f"the sense key is {sense.KEYS[told.key]}")
        if self.asc and not re.fullmatch(self.asc, told.code()):
            raise Mismatch(f"the additional sense code is {told.code()}")
        for option in self.options:
            self._check_option(task, told, names, *option)
        self._check_amount(task)

    def _check_option(self, task, told, names, name, place, operator, value):
        if operator == ":=":
            names[name] = data.Pattern(task.data) if value == "data" else _get(Place(value[1:]), task.data)
        elif place:
            got, want = _get(place, task.data), evaluate(value, names)
            if not _compare(operator, got, want):
                raise Mismatch(f"{name} is 0x{got:x}, not 0x{want:x} ({value})")
        elif name == "data":
            wrong = data.parse(value, names).mismatch(task.data)
            if wrong:
                raise Mismatch(f"data: {wrong}")
        elif name.startswith("data@"):
            offset, pattern = evaluate(name[5:], names), data.parse(value, names)
            wrong = pattern.mismatch(task.data[offset : None if pattern.open_end else offset + len(pattern.value)])
            if wrong:
                raise Mismatch(f"data from byte {offset}: {wrong}")
        elif name == "ascending":
            self._check_ascending(task.data, value)
        elif name in _SENSE_CHECKS:
            _check_sense(told, names, name, operator, value)
        else:
            got = {"len": len(task.data), "residual": task.residual if task.flags & 2 else 0,
                   "overflow": task.residual if task.flags & 4 else 0}[name]
            if not _compare(operator, got, evaluate(value, names)):
                raise Mismatch(f"{name} is {got}")

    @staticmethod
    def _check_ascending(received, value):
        """`ascending=AT:WIDTH`: the entries from AT to the end ascend (lists of page codes, LUNs)."""
        at, _, width = value.partition(":")
        at, width = int(at), int(width or 1)
        entries = [bytes(received[k : k + width]) for k in range(at, len(received), width)]
        if not entries or any(one >= next_one for one, next_one in zip(entries, entries[1:])):
            raise Mismatch(f"not ascending from byte {at}: {b''.join(entries).hex(' ', width)}")

    def _check_amount(self, task):
        """RFC 7143 s11.4.5: data and residual add up to the expected length of the initiator."""
        if self.status != "GOOD" or not task.read_length or task.flags & 4:
            return
        missing = task.residual if task.flags & 2 else 0
        if len(task.data) + missing != task.read_length:
            raise Mismatch(f"{len(task.data)} bytes and a residual of {missing} for {task.read_length}")


def _get(place: Place, received) -> int:
    try:
        return place.get(bytes(received))
    except IndexError as error:
        raise Mismatch(f"there is no {error}") from error


def _check_sense(told, names, name, operator, value):
    if name == "field":
        _check_field(told, names, value)
        return
    if name == "sense":
        if told.format != value:
            raise Mismatch(f"the sense data has {told.format} format")
        return
    got = {"info": told.information, "specific": told.command_specific, "progress": told.progress(),
           "deferred": int(told.deferred), "ili": int(told.ili)}[name]
    if value in ("none", "any"):
        if (got is None) != (value == "none"):
            raise Mismatch(f"{name} is {got}")
    elif got is None or not _compare(operator, got, evaluate(value, names)):
        raise Mismatch(f"{name} is {'missing' if got is None else hex(got)}")


def _check_field(told, names, value):
    """`cdb[2]`, `cdb[2].7`, `param[8]` or `none`. Without a bit, any bit matches."""
    got = told.field()
    if value == "none":
        if got is not None:
            raise Mismatch("there is a field pointer")
        return
    match = re.fullmatch(r"(cdb|param)\[(.+)\](?:\.(\d))?", value)
    if match is None:
        raise TextError(f"field={value}: cdb[BYTE], cdb[BYTE].BIT, param[BYTE] …, or none")
    want = (match[1] == "cdb", evaluate(match[2], names), int(match[3]) if match[3] else None)
    if got is None:
        raise Mismatch("there is no field pointer")
    if got[:2] != want[:2] or (want[2] is not None and got[2] != want[2]):
        raise Mismatch("the field pointer is wrong")

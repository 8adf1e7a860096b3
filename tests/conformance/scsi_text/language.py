"""A case file as objects: its head, and its cases with their steps."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from . import commands
from .expectation import Expectation
from .numbers import TextError

FUNCTIONS = {"ABORT TASK": 1, "ABORT TASK SET": 2, "CLEAR ACA": 3, "CLEAR TASK SET": 4,
             "LOGICAL UNIT RESET": 5, "TARGET WARM RESET": 6, "TARGET COLD RESET": 7, "QUERY TASK": 9,
             "QUERY TASK SET": 10, "I_T NEXUS RESET": 11, "QUERY ASYNCHRONOUS EVENT": 12}
WITH_TASK = ("ABORT TASK", "QUERY TASK")
# Steps other than commands of a nexus: word and number of arguments.
PLAIN_STEPS = {"login": (1,), "logout": (1,), "drop": (1,), "settle": (1,), "restart": (0, 1), "wait": (1,),
               "pending": (1,), "aborted": (1,), "send": (1,), "let": (2,)}
HEAD = ("disk", "rule", "unit", "target", "portal", "nexus", "toml", "option", "media", "portable",
        "let")
# Arguments of commands, except the fields of the CDB.
COMMAND_OPTIONS = ("in", "out", "append", "edtl", "lun", "attr", "as")


@dataclass
class Line:
    number: int
    text: str
    indented: list = field(default_factory=list)  # verbatim continuation lines, for `toml`


@dataclass
class Step:
    line: Line
    kind: str  # "command", "function" or a word of PLAIN_STEPS
    nexus: str = ""
    arguments: list = field(default_factory=list)
    command: commands.Command = None
    flags: frozenset = frozenset()  # "poll", "hold"
    expectation: Expectation = None


@dataclass
class Case:
    name: str
    line: Line
    steps: list = field(default_factory=list)


@dataclass
class CaseFile:
    path: Path
    head: list = field(default_factory=list)  # (Line, words)
    before: list = field(default_factory=list)  # steps before each case
    cases: list = field(default_factory=list)


def without_comment(text: str) -> str:
    """Removes a comment: `#` at the start of a word, outside of quotes."""
    quoted = False
    for at, char in enumerate(text):
        if char == '"':
            quoted = not quoted
        elif char == "#" and not quoted and (at == 0 or text[at - 1].isspace()):
            return text[:at].rstrip()
    return text.rstrip()


def split_words(text: str) -> list:
    """Splits at blanks outside of brackets and quotes."""
    words, word, depth, quoted = [], "", 0, False
    for char in text:
        if char == '"':
            quoted = not quoted
        elif not quoted and char in "([":
            depth += 1
        elif not quoted and char in ")]":
            depth -= 1
        if char.isspace() and depth == 0 and not quoted:
            if word:
                words.append(word)
            word = ""
        else:
            word += char
    if depth or quoted:
        raise TextError("a bracket or quote is left open")
    return words + [word] if word else words


def _logical_lines(text: str):
    """Joins lines: one that begins with a blank continues the line above."""
    current = None
    for number, raw in enumerate(text.splitlines(), 1):
        stripped = without_comment(raw)
        if not stripped:
            continue
        if raw[0].isspace():
            if current is None:
                raise TextError(f"line {number}: nothing to continue")
            current.indented.append(raw)
            current.text += " " + stripped.strip()
            continue
        if current:
            yield current
        current = Line(number, stripped)
    if current:
        yield current


def parse(path: Path, text: str) -> CaseFile:
    file = CaseFile(path)
    steps = None
    line = Line(0, "")
    try:
        for line in _logical_lines(text):
            if line.text.startswith("case "):
                case = Case(line.text[5:].strip(), line)
                if any(other.name == case.name for other in file.cases):
                    raise TextError(f"a second case {case.name!r}")
                file.cases.append(case)
                steps = case.steps
            elif line.text == "before":
                steps = file.before
            elif steps is None:
                words = line.text.split() if line.text.startswith("toml") else split_words(line.text)
                if words[0] not in HEAD:
                    raise TextError(f"{words[0]!r} before the first case: one of {', '.join(HEAD)}")
                file.head.append((line, words))
            else:
                steps.append(_step(line))
        for case in file.cases:
            line = case.line
            if not case.steps:
                raise TextError(f"case {case.name!r} does nothing")
    except TextError as error:
        raise TextError(f"{path.name}:{line.number}: {error}") from error
    return file


def _step(line: Line) -> Step:
    words = split_words(line.text)
    if match := re.fullmatch(r"(\w+):", words[0]):
        return _nexus_step(line, match[1], words[1:])
    before, after = _at_arrow(words)
    word, arguments = before[0], before[1:]
    if word == "let":
        arguments = [part.strip() for part in line.text[4:].split("=", 1)]
    if len(arguments) not in PLAIN_STEPS.get(word, ()):
        raise TextError(f"{line.text!r} is no step: `NEXUS: COMMAND …`, or one of {', '.join(PLAIN_STEPS)}")
    if after is not None and word != "wait":
        raise TextError(f"`=>` after {word}")
    return Step(line, word, arguments=arguments,
                expectation=Expectation(after) if word == "wait" else None)


def _at_arrow(words: list):
    if "=>" not in words:
        return words, None
    at = words.index("=>")
    return words[:at], words[at + 1 :]


def _nexus_step(line: Line, nexus: str, words: list) -> Step:
    words, expected = _at_arrow(words)
    expectation = Expectation(expected)
    for count in range(min(3, len(words)), 0, -1):
        function = " ".join(words[:count])
        if function in FUNCTIONS:
            if expected is None:
                expectation = Expectation(["FUNCTION", "COMPLETE"])
            return Step(line, "function", nexus, [function, *words[count:]], expectation=expectation)
    flags = set()
    if words[:1] == ["poll"]:
        flags.add("poll")
        words = words[1:]
    command, count = commands.find(words)
    arguments = []
    for word in words[count:]:
        if word == "hold":
            flags.add(word)
            continue
        name, equals, value = word.partition("=")
        if not equals:
            raise TextError(f"{word!r}: FIELD=VALUE, or hold")
        if name not in COMMAND_OPTIONS and name not in command.parameters:
            commands.place_of(command, name)
        arguments.append((name, value))
    return Step(line, "command", nexus, arguments, command, frozenset(flags), expectation)

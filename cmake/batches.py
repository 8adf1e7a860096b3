#!/usr/bin/env python3
"""Prints which source files can be compiled as one: one line per batch.

    cmake/batches.py LIMIT FILE...

Most of the compile time goes into headers that the files of a folder share, so a batch of eight costs
about as much as three files. But the private names of a file (in an anonymous namespace, macros, using
declarations) are visible to the files after it in the batch. So two files go together only if neither
mentions a private name of the other. This reads words, not C++: it separates more files than necessary,
but no file needs to be written for it.
"""

import re
import sys
from pathlib import Path

TOKEN = re.compile(r"""
    (?P<skip>//[^\n]*|/\*.*?\*/|\#[^\n]*|\s+)
  | (?P<text>R"(?P<mark>\w*)\(.*?\)(?P=mark)"|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+')
  | (?P<number>\d(?:'?[\w.])*)
  | (?P<name>[A-Za-z_]\w*)
  | (?P<sign>::|->|.)""", re.VERBOSE | re.DOTALL)
BEFORE_A_TYPE = ("template", "inline", "static", "constexpr", "constinit", "const", "thread_local")
MACROS_OF_TESTS = re.compile(r"TEST(_[FP])?|RC_GTEST\w*|INSTANTIATE_TEST\w*")


def is_name(token: str) -> bool:
    return token[0].isalpha() or token[0] == "_"


def without_templates(tokens: list) -> list:
    depth, kept = 0, []
    for token in tokens:
        if token == "<" and kept and is_name(kept[-1]):
            depth += 1
        elif token == ">" and depth:
            depth -= 1
        elif not depth:
            kept.append(token)
    return kept


def declared_by(statement: list):
    """(name, its meaning) for a statement at namespace scope; None if it declares no name."""
    words = without_templates(statement)
    while words and words[0] in (*BEFORE_A_TYPE, "["):
        words = words[words.index("]") + 2:] if words[0] == "[" else words[1:]
    if not words or words[0] in ("friend", "static_assert") or "operator" in words:
        return None
    if words[0] in ("using", "namespace"):
        if len(words) < 2 or words[1] == "namespace":
            return None
        return words[1] if "=" in words else words[-1], " ".join(statement)
    if words[0] in ("struct", "class", "union", "enum", "concept"):
        names = [word for word in words[1:] if is_name(word) and word not in ("class", "struct", "alignas")]
        return (names[0], "") if names else None
    if "=" in words:
        words = words[:words.index("=")]
    at = min((words.index(sign) for sign in "([" if sign in words), default=len(words))
    if at < 1 or not is_name(words[at - 1]) or (at > 1 and words[at - 2] == "::"):
        return None  # a member, defined outside of its class
    return None if MACROS_OF_TESTS.fullmatch(words[at - 1]) else (words[at - 1], "")


class Names:
    """A file's private names with their meanings, and every word that it mentions."""

    def __init__(self, text: str):
        self.own = {name: "#define" for name in re.findall(r"^\s*#\s*define\s+(\w+)", text, re.MULTILINE)}
        # Only one per program is possible, such as a fuzzer's entry.
        self.own |= {name: "" for name in re.findall(r'extern "C"[^;{(]*?(\w+)\(', text)}
        self.own |= {name: "" for name in re.findall(r"^int (main)\(", text, re.MULTILINE)}
        self.words = set()
        scopes, statement, previous = [], [], ""
        for match in TOKEN.finditer(text):
            if match.lastgroup not in ("name", "sign"):
                continue
            token = match[0]
            if is_name(token) and previous not in (".", "->", "::"):
                self.words.add(token)
            previous = token
            if token == "{":
                is_namespace = bool(statement) and statement[0] in ("namespace", "inline") and "=" not in statement
                if not is_namespace:
                    self.declare(scopes, statement)
                scopes.append(" ".join(statement) if is_namespace else "")
                statement = []
            elif token in "};":
                if token == ";":
                    self.declare(scopes, statement)
                elif scopes:
                    scopes.pop()
                statement = []
            elif "" not in scopes:
                statement.append(token)

    def declare(self, scopes, statement):
        if "" in scopes or not statement:
            return
        if "namespace" in scopes or statement[0] in ("static", "using", "namespace"):
            declared = declared_by(statement)
            if declared:
                self.own[declared[0]] = declared[1]
                self.words.add(declared[0])

    def mixes_with(self, other) -> bool:
        return self.leaves_alone(other) and other.leaves_alone(self)

    def leaves_alone(self, other) -> bool:
        """Whether no private name means something else in the other file. Equal using declarations are fine."""
        return all(name not in other.words or (meaning and other.own.get(name) == meaning)
                   for name, meaning in self.own.items())


def batches_of(files: list, limit: int) -> list:
    names = {file: Names(Path(file).read_text()) for file in files}
    batches = []
    for file in files:
        for batch in batches:
            if len(batch) < limit and all(names[file].mixes_with(names[other]) for other in batch):
                batch.append(file)
                break
        else:
            batches.append([file])
    return batches


if __name__ == "__main__":
    for line in batches_of(sys.argv[2:], int(sys.argv[1])):
        print(" ".join(line))

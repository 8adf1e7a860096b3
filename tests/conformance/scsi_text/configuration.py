"""The head of a case file as the configuration of `lunar serve`, and as nexuses."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from lunar_e2e.daemon import free_port

from .numbers import TextError

IQN = "iqn.2026-11.io.lunar:"
DEFAULT_TARGET = "disks"


def qualified(name: str) -> str:
    return name if name.startswith(("iqn.", "eui.", "naa.")) else IQN + name


@dataclass
class NexusOptions:
    """`nexus NAME [initiator=…] [isid=…] [target=…] [portal=TAG] [lun=N]`; keys of the login too."""

    name: str
    isid: bytes
    initiator: str = ""
    target: str = DEFAULT_TARGET
    portal: int = 1
    lun: int = 0


@dataclass
class Configuration:
    disks: list = field(default_factory=list)  # (name, {key: value}, rules)
    targets: dict = field(default_factory=dict)  # name to ({key: value}, units)
    portals: dict = field(default_factory=dict)  # tag to {key: value}
    ports: dict = field(default_factory=dict)  # tag to the port of this start
    options: dict = field(default_factory=dict)
    raw: list = field(default_factory=list)
    nexuses: dict = field(default_factory=dict)
    lets: list = field(default_factory=list)
    portable: bool = False

    def take_ports(self):
        """New ones at each start: the kernel may still hold those of a killed daemon."""
        self.ports = {tag: free_port() for tag in self.portals}

    def toml(self, folder: Path) -> str:
        lines = [f"{key} = {value}" for key, value in {"shards": "2", "state": '"$DIR/state"', **self.options}.items()]
        for name, keys, rules in self.disks:
            lines += ["[[device]]", f'name = "{name}"', *_pairs(keys)]
            for rule in rules:
                lines += ["[[device.inject]]", *_pairs(rule)]
        for tag, keys in self.portals.items():
            lines += ["[[portal]]", f'listen = "127.0.0.1:{self.ports[tag]}"', f"tag = {tag}", *_pairs(keys)]
        for name, (keys, units) in self.targets.items():
            lines += ["[[target]]", f'name = "{qualified(name)}"', *_pairs(keys)]
            for unit in units:
                lines += ["[[target.lun]]", *_pairs(unit)]
        text = "\n".join(lines + self.raw) + "\n"
        for tag, port in self.ports.items():
            text = text.replace(f"$PORT{tag}", str(port))
        return text.replace("$DIR", str(folder))

    def prepare(self, folder: Path):
        """Creates the files of read-only disks."""
        for _, keys, _ in self.disks:
            path = Path(keys.get("path", "").strip('"').replace("$DIR", str(folder)))
            if keys.get("readonly") == "true" and not path.exists():
                size = int(re.match(r"\"?(\d+)", keys["size"])[1]) << (20 if "MiB" in keys["size"] else 0)
                with path.open("wb") as file:
                    file.truncate(size)


def _pairs(keys: dict) -> list:
    return [f"{key} = {value}" for key, value in keys.items()]


def _toml_value(text: str) -> str:
    plain = re.fullmatch(r"\d+|0x[0-9a-fA-F]+|true|false|\[.*\]|\{.*\}|\".*\"", text)
    return text if plain else f'"{text}"'


def _keys(words: list) -> dict:
    """`key=value`, or `key` for true."""
    pairs = (word.partition("=") for word in words)
    return {key: _toml_value(value) if equals else "true" for key, equals, value in pairs}


def media(head: list) -> list:
    """The disks of `media ram file:4096`; the file runs once with each. Without `media`: [None]."""
    return next((words[1:] for _, words in head if words[0] == "media"), [None])


def configure(head: list, medium=None) -> Configuration:
    configuration = Configuration()
    if medium:
        kind, _, block_size = medium.partition(":")
        configuration.disks.append(_disk("disk", kind, ["16MiB", f"block_size={block_size or 512}"]))
    for line, words in head:
        try:
            _directive(configuration, line, words)
        except (TextError, IndexError, KeyError, ValueError) as error:
            raise TextError(f"line {line.number}: {line.text!r}: {error}") from error
    _fill_in(configuration)
    return configuration


def _fill_in(configuration: Configuration):
    """The defaults of a file: a RAM disk, LUN 0, one portal, nexus A."""
    if not configuration.disks and not configuration.raw:
        configuration.disks.append(("disk", {"type": '"ram"', "size": '"16MiB"'}, []))
    if not configuration.targets and configuration.disks:
        device = configuration.disks[-1][0]
        configuration.targets[DEFAULT_TARGET] = ({}, [{"lun": "0", "device": f'"{device}"'}])
    if 1 not in configuration.portals:
        configuration.portals[1] = {}
    if not configuration.nexuses:
        configuration.nexuses["A"] = _nexus(["A"], 0)


def _directive(configuration: Configuration, line, words: list):
    word, rest = words[0], words[1:]
    if word == "disk":
        configuration.disks.append(_disk(*rest[:2], rest[2:]))
    elif word == "rule":
        next(disk for disk in configuration.disks if disk[0] == rest[0])[2].append(_keys(rest[1:]))
    elif word == "unit":
        keys = _keys(rest[2:])
        target = keys.pop("target", DEFAULT_TARGET).strip('"')
        units = configuration.targets.setdefault(target, ({}, []))[1]
        units.append({"lun": str(int(rest[0])), "device": f'"{rest[1]}"', **keys})
    elif word == "target":
        configuration.targets.setdefault(rest[0], ({}, []))[0].update(_keys(rest[1:]))
    elif word == "portal":
        configuration.portals[int(rest[0])] = _keys(rest[1:])
    elif word == "nexus":
        configuration.nexuses[rest[0]] = _nexus(rest, len(configuration.nexuses))
    elif word == "option":
        configuration.options.update(_keys(rest))
    elif word == "toml":
        configuration.raw += line.indented
    elif word == "let":
        configuration.lets.append([part.strip() for part in line.text[4:].split("=", 1)])
    elif word == "portable":
        configuration.portable = True


def _disk(name: str, kind: str, rest: list):
    keys = {"type": f'"{kind}"'}
    if kind == "file":
        keys["path"] = f'"$DIR/{name}.img"'
    if rest and "=" not in rest[0]:
        keys["size"] = f'"{rest.pop(0)}"'
    keys.update(_keys(rest))
    return name, keys, []


def _nexus(words: list, index: int) -> NexusOptions:
    name, keys = words[0], dict(word.split("=", 1) for word in words[1:])
    isid = bytes.fromhex(keys.pop("isid", f"8000000000{index + 1:02x}"))
    options = NexusOptions(name, isid, qualified(keys.pop("initiator", name.lower())))
    for key, value in keys.items():
        if key not in ("target", "portal", "lun"):
            raise TextError(f"a nexus has no {key}")
        setattr(options, key, value if key == "target" else int(value))
    return options

"""Runs the cases of a file against its target, step by step."""

import time
from dataclasses import dataclass

from lunar_e2e.connection import Closed, DigestError
from lunar_e2e.daemon import SLOWNESS
from lunar_e2e.initiator import LoginFailed, ProtocolError

from . import commands, configuration, data, language, sense
from .expectation import RESPONSES, Mismatch
from .language import FUNCTIONS, WITH_TASK, Case, CaseFile, Step
from .numbers import TextError, evaluate
from .target import OtherTarget, Target

ATTRIBUTES = {"untagged": 0, "simple": 1, "ordered": 2, "head": 3, "aca": 4}
POLL_SECONDS = 20 * SLOWNESS
SHOWN_BYTES = 512


class Failure(Exception):
    """A failed case. str() gives the whole report."""


@dataclass
class Started:
    nexus: object
    task: object
    cdb: bytes


class FileRun:
    """One case file and its running target. Close it."""

    def __init__(self, file: CaseFile, url=None, medium=None):
        self.file = file
        self.medium = medium  # one of the `media` in the head
        self.configuration = configuration.configure(file.head, None if url else medium)
        self.target = OtherTarget(self.configuration, url) if url else Target(self.configuration)
        self.globals = None
        self.names = {}
        self.started, self.ended = {}, {}  # commands with `as=`

    def start(self) -> "FileRun":
        self.target.start()
        return self

    def close(self):
        self.target.stop()

    # Cases

    def run(self, case: Case):
        """Raises Failure after replacing the target by a fresh one."""
        step = None
        try:
            for nexus in self.target.nexuses.values():
                nexus.settle()
            if self.globals is None:
                self.globals = self._globals()
            self.names, self.started, self.ended = dict(self.globals), {}, {}
            for step in (*self.file.before, *case.steps):
                self._do(step)
            if self.started:
                raise Mismatch(f"nobody waited for {', '.join(self.started)}")
        except (AssertionError, TextError, Closed, DigestError, LoginFailed, OSError) as error:
            report = self._report(case, step, error)
            self.target.start_afresh()
            raise Failure(report) from error

    def _report(self, case: Case, step: Step, error) -> str:
        line = step.line if step else case.line
        words = f"{type(error).__name__}: {error}" if not isinstance(error, Mismatch) else str(error)
        if not isinstance(error, Mismatch) and self.target.daemon and not self.target.daemon.running():
            words += "\n  the daemon has ended: " + self.target.daemon.output()[-4000:]
        return f"{self.file.path.name}:{line.number}: {case.name}{f' ({self.medium})' if self.medium else ''}\n  {line.text}\n  {words}"

    def _globals(self) -> dict:
        """The names of every case: the capacity of the first nexus' unit, and each `let` of the head."""
        names = {"nexuses": self.target.nexuses, "block": 512, "last": 0, "capacity": 0}
        names.update({f"len_{name}": len(nexus.transport_id()) for name, nexus in self.target.nexuses.items()})
        first = next(iter(self.target.nexuses.values()))
        session = first.use(first.options.lun)
        cdb = bytes([0x9E, 0x10]) + bytes(11) + bytes([32, 0, 0])
        task = session.execute(cdb, lun=first.options.lun, read_length=32)
        if task.status == 0 and len(task.data) == 32:
            names["last"] = int.from_bytes(task.data[:8], "big")
            names["capacity"] = names["last"] + 1
            names["block"] = int.from_bytes(task.data[8:12], "big")
        for name, value in self.configuration.lets:
            names[name] = _number_or_data(value, names)
        return names

    def ask(self, line: str) -> bytes:
        """For generators: the data-in of one command, which must be GOOD."""
        step = language.parse(self.file.path, f"case ask\n{line} => GOOD answer:=data").cases[0].steps[0]
        if self.globals is None:
            self.globals = self.names = self._globals()
        self._do(step)
        return self.names["answer"].value

    # Steps

    def _do(self, step: Step):
        getattr(self, f"_do_{step.kind}")(step)

    def _nexus(self, name: str):
        if name not in self.target.nexuses:
            raise TextError(f"no nexus {name}; the head has {', '.join(self.target.nexuses)}")
        return self.target.nexuses[name]

    def _do_let(self, step: Step):
        name, value = step.arguments
        self.names[name] = _number_or_data(value, self.names)

    def _do_login(self, step: Step):
        self._nexus(step.arguments[0]).login()

    def _do_settle(self, step: Step):
        nexus = self._nexus(step.arguments[0])
        nexus.use(nexus.options.lun)
        nexus.settle()

    def _do_logout(self, step: Step):
        self._nexus(step.arguments[0]).logout()

    def _do_drop(self, step: Step):
        self._nexus(step.arguments[0]).drop()

    def _do_restart(self, step: Step):
        how = (step.arguments or ["kill"])[0]
        if how not in ("kill", "orderly"):
            raise TextError("restart [kill | orderly]")
        self.target.restart(how)
        self.started = {}

    def _do_command(self, step: Step):
        nexus = self._nexus(step.nexus)
        options = dict(step.arguments)
        lun = evaluate(options.get("lun", str(nexus.options.lun)), self.names)
        session = nexus.use(lun)
        if "as" in options:
            self._start(step, nexus, session, lun, options)
        elif "poll" in step.flags:
            self._poll(step, session, lun, options)
        else:
            cdb, arguments = self._arguments(step, options)
            self._check(step, cdb, session.wait(session.start(cdb, lun=lun, **arguments)))

    def _start(self, step, nexus, session, lun, options):
        cdb, arguments = self._arguments(step, options)
        held = "hold" in step.flags
        if held:
            arguments["immediate"] = False
        tag = None
        task = session.start(cdb, lun=lun, on_start=lambda new: held and session.held.setdefault(new.tag, []),
                             **arguments)
        tag = task.tag
        self.started[options["as"]] = Started(nexus, task, cdb)
        if held:
            while not task.done and not session.held[tag]:
                session.pump()
        else:
            session.nop()  # ordered on one connection, so the target has the command

    def _poll(self, step, session, lun, options):
        """Repeats the command until its answer is as expected."""
        deadline = time.monotonic() + POLL_SECONDS
        while True:
            cdb, arguments = self._arguments(step, options)
            task = session.wait(session.start(cdb, lun=lun, **arguments))
            try:
                self._check(step, cdb, task)
                return
            except Mismatch:
                if time.monotonic() > deadline:
                    raise

    def _do_wait(self, step: Step):
        name = step.arguments[0]
        started = self._started(name)
        started.nexus.session.wait(started.task)
        self.ended[name] = self.started.pop(name)
        self._check(step, started.cdb, started.task)

    def _do_pending(self, step: Step):
        """The target has had enough time to answer, and has not answered."""
        started = self._started(step.arguments[0])
        started.nexus.session.nop()
        if started.task.done:
            raise Mismatch(f"it has ended: {_shown(started.task)}")

    def _do_aborted(self, step: Step):
        """SAM-5 s5.6: without TAS an aborted command has no answer."""
        self._do_pending(step)
        started = self.started.pop(step.arguments[0])
        started.nexus.session.tasks.pop(started.task.tag, None)
        started.nexus.session.held.pop(started.task.tag, None)

    def _do_send(self, step: Step):
        started = self._started(step.arguments[0])
        started.nexus.session.release(started.task)

    def _do_function(self, step: Step):
        nexus = self._nexus(step.nexus)
        function, *rest = step.arguments
        lun = nexus.options.lun
        if rest and rest[-1].startswith("lun="):
            lun = evaluate(rest.pop()[4:], self.names)
        referenced = {}
        if function in WITH_TASK:
            task = (self.ended.get(rest[0]) or self._started(rest[0])).task
            referenced = {"referenced": task.tag, "ref_cmd_sn": task.cmd_sn}
        elif rest:
            raise TextError(f"{function} takes no {rest[0]}")
        response = nexus.use(lun).task_management(FUNCTIONS[function], lun=lun, **referenced)
        if RESPONSES.get(response) != step.expectation.status:
            raise Mismatch(f"the response is {RESPONSES.get(response, response)}")

    def _started(self, name: str) -> Started:
        if name not in self.started:
            raise TextError(f"no command was started as {name}")
        return self.started[name]

    # Commands

    def _arguments(self, step: Step, options: dict):
        """The CDB, and the arguments for sending it."""
        command = step.command
        fields = {name: evaluate(value, self.names) for name, value in options.items()
                  if name in command.fields or name.startswith("cdb[")}
        out = self._data_out(command, fields, options)
        cdb = commands.build(command, fields, len(out))
        arguments = {"write": out, "read_length": 0}
        if "in" in options:
            arguments["read_length"] = evaluate(options["in"], self.names)
        elif command.direction == "in":
            arguments["read_length"] = commands.data_length(command, cdb, self.names)
        if "edtl" in options:
            arguments["length"] = evaluate(options["edtl"], self.names)
        if "attr" in options:
            if options["attr"] not in ATTRIBUTES:
                raise TextError(f"attr={options['attr']}: {', '.join(ATTRIBUTES)}")
            arguments["attribute"] = ATTRIBUTES[options["attr"]]
        return cdb, arguments

    def _data_out(self, command, fields: dict, options: dict) -> bytes:
        appended = data.parse(options["append"], self.names).exact() if "append" in options else b""
        if "out" in options:
            return data.parse(options["out"], self.names).exact() + appended
        if command.direction != "out":
            return appended
        cdb = commands.build(command, fields, 0)
        length = commands.data_length(command, cdb, self.names)
        if not command.parameters:  # blocks that contain their LBA
            block = self.names["block"]
            lbas = data.Functions(block).lbas(fields.get("lba", 0) & 0xFFFFFFFF, -(-length // block))
            return (lbas.value if length % block == 0 else bytes(length)) + appended
        parameters = bytearray(length)
        for name, place in command.parameters.items():
            if name in options:
                place.put(parameters, evaluate(options[name], self.names))
        return bytes(parameters) + appended

    def _check(self, step: Step, cdb: bytes, task):
        try:
            step.expectation.check(task, self.names)
        except Mismatch as wrong:
            raise Mismatch(f"CDB       {cdb.hex(' ')}\n  expected  {step.expectation.text}\n"
                           f"  came      {_shown(task)}\n  so        {wrong}") from None


def _number_or_data(text: str, names: dict):
    try:
        return evaluate(text, names)
    except TextError:
        return data.parse(text, names)


def _shown(task) -> str:
    words = [sense.status_name(task.status)]
    if task.sense:
        words.append(str(sense.Sense(task.sense)))
    if task.flags & 6:
        words.append(f"{'residual' if task.flags & 2 else 'overflow'}={task.residual}")
    if task.data:
        words.append(f"{len(task.data)} bytes{_dump(bytes(task.data[:SHOWN_BYTES]))}")
    return " ".join(words)


def _dump(shown: bytes) -> str:
    """A hex dump: sixteen bytes per row; `*` for repetitions of the row above."""
    rows, last = "", None
    for at in range(0, len(shown), 16):
        row = shown[at : at + 16]
        if row != last:
            rows += f"\n    {at:4}: {row.hex(' ')}"
        elif not rows.endswith("*"):
            rows += "\n       *"
        last = row
    return rows

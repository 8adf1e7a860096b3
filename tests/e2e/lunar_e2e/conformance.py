"""Runs libiscsi's iscsi-test-cu, one process a test, each test a unittest method.

CUnit counts a skip as a pass, so [SKIPPED] is looked for in what the test itself printed (the tool
also prints it of its own preparations, before and after); and a name that no test has runs nothing
and exits 0, so exactly one test must have run. What is not expected to pass stands in
conformance_expectations.txt; a row there that no longer holds fails too.
"""

import fnmatch
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from .case import run_tool
from .daemon import SLOWNESS
from .initiator import TARGET

EVERY_FAMILY = r"(?!ExtendedCopy|ReceiveCopyResults)\w+"  # the copy manager comes later
EXPECTATIONS = Path(__file__).resolve().parent.parent / "conformance_expectations.txt"


def list_tests(families=EVERY_FAMILY) -> list:
    """FAMILY.TEST of every test in the families that the pattern names whole."""
    names = (line.strip().split(".") for line in run_tool("iscsi-test-cu", "-l").splitlines())
    return sorted({f"{name[1]}.{name[2]}" for name in names
                   if len(name) == 3 and name[0] == "ALL" and re.fullmatch(families, name[1])})


def load_expectations(disk: str) -> list:
    """(pattern of names, outcome, reason) of the rows for that disk."""
    rows = []
    for number, line in enumerate(EXPECTATIONS.read_text().splitlines(), 1):
        row = line.split("#", 1)[0].split(None, 3)
        if not row:
            continue
        if len(row) != 4 or row[2] not in ("skip", "fail", "later"):
            raise AssertionError(f"{EXPECTATIONS.name}:{number}: not TEST DISKS skip|fail|later REASON")
        if disk in row[1].split(",") or row[1] == "*":
            rows.append((row[0], row[2], row[3]))
    return rows


def outcome_of(test: str, *urls: str):
    """("pass" | "skip" | "fail", the tool's output)."""
    command = ["iscsi-test-cu", "-d", "-S", "-v", "-f", "-t", f"ALL.{test}", *urls]
    try:
        result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, timeout=60 * SLOWNESS, check=False)
    except subprocess.TimeoutExpired as expired:
        return "fail", f"no end after {expired.timeout} s\n{(expired.output or b'').decode(errors='replace')}"
    text = result.stdout.decode(errors="replace")
    counts = re.search(r"^\s*tests\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)", text, re.MULTILINE)
    if result.returncode != 0 or counts is None or counts.groups() != ("1", "1", "1", "0"):
        return "fail", f"exit code {result.returncode}\n{text}"
    printed = re.search(r"^  Test: \S+ \.\.\.(.*?)passed", text, re.MULTILINE | re.DOTALL)
    if printed is None:
        return "fail", text
    return ("skip" if "[SKIPPED]" in printed[1] else "pass"), text


def config(scratch: Path, port: int, device: str, *, lun="", second_port=None) -> Path:
    """A configuration of one disk, as --disk has no word for all that there is."""
    path = scratch / "lunar.toml"
    ports = [port] if second_port is None else [port, second_port]
    portals = "".join(f'[[portal]]\nlisten = "127.0.0.1:{each}"\ntag = {tag}\n'
                      for tag, each in enumerate(ports, 1))
    path.write_text(f'[[device]]\nname = "disk"\n{device}\n{portals}[[target]]\nname = "{TARGET}"\n'
                    f'[[target.lun]]\ndevice = "disk"\n{lun}\n')
    return path


def suite(disk: str, start, families=EVERY_FAMILY):
    """A TestCase class that runs every test against a disk. `start` gets a scratch folder and gives a
    Daemon, and what more URLs the tool gets; `disk` is its name in the table of expectations."""

    class Conformance(unittest.TestCase):
        expectations = load_expectations(disk)

        @classmethod
        def setUpClass(cls):
            cls.scratch = Path(tempfile.mkdtemp(prefix="lunar-e2e."))
            cls.addClassCleanup(shutil.rmtree, cls.scratch)
            cls.daemon, *cls.more_urls = start(cls.scratch)
            cls.daemon.arguments += ["--state", str(cls.scratch / "state")]
            cls.daemon.start()
            cls.addClassCleanup(cls.daemon.kill)

        @classmethod
        def tearDownClass(cls):
            cls.daemon.stop()

        def check(self, test):
            self.assertTrue(self.daemon.running(), "the daemon has ended: " + self.daemon.output())
            outcome, text = outcome_of(test, self.daemon.url(), *self.more_urls)
            wanted, reason = next(((wanted, reason) for pattern, wanted, reason in self.expectations
                                   if fnmatch.fnmatch(test, pattern)), ("pass", ""))
            if outcome != wanted and wanted != "later":
                hint = f"the table says {wanted} ({reason})" if reason else "it must pass"
                self.fail(f"{test} on {disk}: {outcome}, but {hint}\n{text}")

        def test_expectations_name_only_tests_that_exist(self):
            known = list_tests()
            self.assertEqual([pattern for pattern, _, _ in self.expectations
                              if not fnmatch.filter(known, pattern)], [])

    def method(name):
        return lambda self: self.check(name)

    for name in list_tests(families):
        setattr(Conformance, "test_" + re.sub(r"\W", "_", name), method(name))
    return Conformance

"""Runs libiscsi's iscsi-test-cu: one process and one unittest method per test.

CUnit counts a skip as a pass, so this looks for [SKIPPED] in the output of the test itself (the tool
also prints it for its preparations before and after). A name without a test runs nothing and exits
with 0, so exactly one test must have run. conformance_expectations.txt lists tests that are not expected
to pass; a row that is no longer true fails, too.
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

TIMEOUT = 100  # one test sleeps for a minute
EVERY_FAMILY = r"(?!ExtendedCopy|ReceiveCopyResults)[^.]+"  # lunar has no copy manager yet
EXPECTATIONS = Path(__file__).resolve().parent.parent / "conformance_expectations.txt"


def list_tests(families=EVERY_FAMILY) -> list:
    """FAMILY.TEST of every test whose family or full name matches the pattern."""
    rows = (line.strip().split(".") for line in run_tool("iscsi-test-cu", "-l").splitlines())
    names = ((row[1], f"{row[1]}.{row[2]}") for row in rows if len(row) == 3 and row[0] == "ALL")
    return sorted({test for family, test in names
                   if re.fullmatch(families, family) or re.fullmatch(families, test)})


def load_expectations(disk: str) -> list:
    """(pattern of names, outcome, reason) of the rows for that disk."""
    rows = []
    for number, line in enumerate(EXPECTATIONS.read_text().splitlines(), 1):
        row = line.split("#", 1)[0].split(None, 3)
        if not row:
            continue
        if len(row) != 4 or row[2] not in ("skip", "fail", "later", "never"):
            raise AssertionError(f"{EXPECTATIONS.name}:{number}: not TEST DISKS skip|fail|later|never REASON")
        if disk in row[1].split(",") or row[1] == "*":
            rows.append((row[0], row[2], row[3]))
    return rows


def expectation_of(test: str, expectations) -> tuple:
    """(outcome, reason) of the first matching row. Without one, the test must pass."""
    return next(((wanted, reason) for pattern, wanted, reason in expectations
                 if fnmatch.fnmatch(test, pattern)), ("pass", ""))


def outcome_of(test: str, *urls: str):
    """("pass" | "skip" | "fail", the tool's output)."""
    command = ["iscsi-test-cu", "-d", "-S", "-v", "-f", "-t", f"ALL.{test}", *urls]
    try:
        result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, timeout=TIMEOUT * SLOWNESS, check=False)
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


def config(scratch: Path, port: int, device: str, *, base="", lun="", second_port=None, shards=2) -> Path:
    """A configuration of one disk, for options that --disk does not have. `base`: the base device of a
    layer."""
    devices = f"[[device]]\n{base}\n" if base else ""
    portals = "".join(f'[[portal]]\nlisten = "127.0.0.1:{each}"\ntag = {tag}\n'
                      for tag, each in enumerate([port, second_port] if second_port else [port], 1))
    path = scratch / "lunar.toml"
    path.write_text(f'shards = {shards}\n{devices}[[device]]\nname = "disk"\n{device}\n{portals}'
                    f'[[target]]\nname = "{TARGET}"\n[[target.lun]]\ndevice = "disk"\n{lun}\n')
    return path


def suite(disk: str, start, families=EVERY_FAMILY):
    """A TestCase class that runs every test against a disk. `start` takes a scratch folder and returns a
    Daemon and further URLs for the tool. `disk`: its name in the table of expectations."""

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
            wanted, reason = expectation_of(test, self.expectations)
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
        if expectation_of(name, Conformance.expectations)[0] == "never":
            continue
        setattr(Conformance, "test_" + re.sub(r"\W", "_", name), method(name))
    return Conformance

"""Runs libiscsi's iscsi-test-cu, one process a test, each test a unittest method.

CUnit counts a skip as a pass, so [SKIPPED] is looked for in what the test itself printed (the tool
also prints it of its own preparations, before and after); and a name that no test has runs nothing
and exits 0, so exactly one test must have run. What is not expected to pass stands in
conformance_expectations.txt; a row there that no longer holds fails too.
"""

import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from .case import run_tool
from .daemon import SLOWNESS, Daemon

FAMILIES = (r"Inquiry|Mandatory|ModeSense6|Read.*|Write(10|12|16)|ReportSupportedOpcodes|"
            r"TestUnitReady|Unmap|WriteSame.*|Verify.*|iSCSIcmdsn|iSCSIdatasn|iSCSIResiduals")
EXPECTATIONS = Path(__file__).resolve().parent.parent / "conformance_expectations.txt"


def list_tests(families=FAMILIES) -> list:
    """FAMILY.TEST of every test in the families that the pattern names whole."""
    names = (line.strip().split(".") for line in run_tool("iscsi-test-cu", "-l").splitlines())
    return sorted({f"{name[1]}.{name[2]}" for name in names
                   if len(name) == 3 and name[0] == "ALL" and re.fullmatch(families, name[1])})


def load_expectations(disk: str) -> dict:
    """Test name to (outcome, reason) of the rows for that disk."""
    expected = {}
    for number, line in enumerate(EXPECTATIONS.read_text().splitlines(), 1):
        row = line.split("#", 1)[0].split(None, 3)
        if not row:
            continue
        if len(row) != 4 or row[2] not in ("skip", "fail"):
            raise AssertionError(f"{EXPECTATIONS.name}:{number}: not TEST DISKS skip|fail REASON")
        if disk in row[1].split(",") or row[1] == "*":
            expected[row[0]] = (row[2], row[3])
    return expected


def outcome_of(test: str, url: str):
    """("pass" | "skip" | "fail", the tool's output)."""
    command = ["iscsi-test-cu", "-d", "-S", "-v", "-f", "-t", f"ALL.{test}", url]
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


def suite(disk: str, make_spec, families=FAMILIES):
    """A TestCase class that runs every test against a disk. `make_spec` gets a scratch folder and
    gives the SPEC of --disk; `disk` is its name in the table of expectations."""

    class Conformance(unittest.TestCase):
        expected = load_expectations(disk)

        @classmethod
        def setUpClass(cls):
            cls.scratch = Path(tempfile.mkdtemp(prefix="lunar-e2e."))
            cls.addClassCleanup(shutil.rmtree, cls.scratch)
            cls.daemon = Daemon("--disk", make_spec(cls.scratch))
            cls.daemon.start()
            cls.addClassCleanup(cls.daemon.kill)

        @classmethod
        def tearDownClass(cls):
            cls.daemon.stop()

        def check(self, test):
            self.assertTrue(self.daemon.running(), "the daemon has ended: " + self.daemon.output())
            outcome, text = outcome_of(test, self.daemon.url())
            wanted, reason = self.expected.get(test, ("pass", ""))
            if outcome != wanted:
                hint = f"the table says {wanted} ({reason})" if reason else "it must pass"
                self.fail(f"{test} on {disk}: {outcome}, but {hint}\n{text}")

        def test_expectations_name_only_tests_that_exist(self):
            self.assertEqual(sorted(set(self.expected) - set(list_tests(families))), [])

    def method(name):
        return lambda self: self.check(name)

    for name in list_tests(families):
        setattr(Conformance, "test_" + re.sub(r"\W", "_", name), method(name))
    return Conformance

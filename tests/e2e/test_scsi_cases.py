"""The SCSI cases of tests/conformance, one test per case; and tests that the runner can fail."""

import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

from lunar_e2e.case import E2eCase
from lunar_e2e.daemon import SLOWNESS

FOLDER = Path(__file__).resolve().parents[1] / "conformance"
sys.path.insert(0, str(FOLDER))

# pylint: disable=wrong-import-position
from scsi_text import expectation, language, suite
from scsi_text.data import Pattern, parse
from scsi_text.numbers import Place, TextError, evaluate
from scsi_text.runner import Failure, FileRun


def cases_of(run: FileRun):
    """A TestCase class for one run of a file. The cases run in order against one target."""

    class Cases(unittest.TestCase):
        @classmethod
        def setUpClass(cls):
            cls.addClassCleanup(run.close)
            run.start()

    def method(case):
        def test(self):
            try:
                run.run(case)
            except Failure as failure:
                raise self.failureException(str(failure)) from None

        return test

    for number, case in enumerate(run.file.cases, 1):
        name = re.sub(r"\W+", "_", case.name)
        setattr(Cases, f"test_{number:04}_{name}", method(case))
    Cases.__name__ = Cases.__qualname__ = re.sub(r"\W", "_", f"{run.file.path.stem}_{run.medium or ''}").strip("_")
    return Cases


for _path in suite.case_files(FOLDER):
    for _run in suite.runs(suite.load(_path)):
        _cases = cases_of(_run)
        globals()[_cases.__name__] = _cases
del _cases


class Language(unittest.TestCase):
    def words(self, text):
        return language.split_words(text)

    def test_numbers(self):
        self.assertEqual(evaluate("0x10+last*2", {"last": 3}), 22)
        self.assertEqual(evaluate("(blocks or 256)*512", {"blocks": 0}), 131072)
        for wrong in ("last", "1+", "open(1)", "1.5", "'a'"):
            with self.assertRaises(TextError):
                evaluate(wrong, {})

    def test_places(self):
        cdb = bytearray(4)
        Place("1.7:3").put(cdb, 5)
        Place("2:2").put(cdb, 0x1234)
        Place("1.0").put(cdb, 1)
        self.assertEqual(cdb.hex(), "00a11234")
        self.assertEqual((Place("1.7:3").get(cdb), Place("1.0").get(cdb), Place("2").get(cdb)), (5, 1, 0x12))
        with self.assertRaises(TextError):
            Place("1.0:2")

    def test_data(self):
        names = {"block": 512, "D": Pattern(b"xy"), "n": 2}
        self.assertEqual(parse('[00 ff01]*n+"ab"+D+zero(2)+be(258,4)', names).exact().hex(),
                         "00ff0100ff01" "6162" "7879" "0000" "00000102")
        masked = parse("[12 .. 56 ...]", names)
        self.assertIsNone(masked.mismatch(b"\x12\x99\x56"))
        self.assertIsNone(masked.mismatch(b"\x12\x99\x56\x78"))
        self.assertIn("byte 2", masked.mismatch(b"\x12\x99\x57"))
        self.assertIn("2 bytes", masked.mismatch(b"\x12\x34"))
        with self.assertRaises(TextError):
            masked.exact()

    def test_what_is_wrong_is_named_with_its_line(self):
        for line in ("A: REED(10) lba=1", "A: READ(10) bla=1", "A: READ(10) => GREAT", "jump A",
                     "A: READ(10) => GOOD sense=fixed foo=1", "A: READ(10) lba=(1"):
            with self.assertRaisesRegex(TextError, r"x\.scsi:2"):
                language.parse(Path("x.scsi"), f"case one\n{line}")

    def test_comments_and_continuations(self):
        file = language.parse(Path("x.scsi"), 'case one # two\n# no\nA: INQUIRY # yes\n  page=0x83\n  => GOOD data@8="#a" # b\n')
        step = file.cases[0].steps[0]
        self.assertEqual(step.arguments, [("page", "0x83")])
        self.assertEqual(step.expectation.text, 'GOOD data@8="#a"')


class Task:
    """Possible answers of a target."""

    def __init__(self, status=0, data=b"", sense=b"", residual=0, flags=0, read_length=0):
        self.status, self.data, self.sense = status, data, sense
        self.residual, self.flags, self.read_length = residual, flags, read_length


class Expectations(unittest.TestCase):
    REFUSED = Task(2, sense=bytes.fromhex("70 00 05 00000000 0a 00000000 24 00 00 cf 0002"))
    DESCRIPTOR = Task(2, sense=bytes.fromhex("72 0e 1d 00 00000014" "000a8000 0000000000000200" "0206 0000 c00002 00"))

    def holds(self, text, task, **names) -> bool:
        try:
            expectation.Expectation(language.split_words(text)).check(task, {"block": 512, **names})
        except expectation.Mismatch:
            return False
        return True

    def test_fixed_sense(self):
        for right in ("ILLEGAL REQUEST 24/00 field=cdb[2].7", "CHECK CONDITION", "ILLEGAL REQUEST field=cdb[2]",
                      "ILLEGAL REQUEST 24/.. sense=fixed info=none"):
            self.assertTrue(self.holds(right, self.REFUSED), right)
        for wrong in ("GOOD", "NOT READY", "ILLEGAL REQUEST 24/01", "ILLEGAL REQUEST 24/00 field=cdb[2].6",
                      "ILLEGAL REQUEST field=param[2]", "ILLEGAL REQUEST field=cdb[3]", "RESERVATION CONFLICT",
                      "ILLEGAL REQUEST field=none", "ILLEGAL REQUEST sense=descriptor", "ILLEGAL REQUEST info=0"):
            self.assertFalse(self.holds(wrong, self.REFUSED), wrong)

    def test_descriptor_sense(self):
        self.assertTrue(self.holds("MISCOMPARE 1D/00 sense=descriptor info=0x200", self.DESCRIPTOR))
        self.assertFalse(self.holds("MISCOMPARE 1D/00 info=0x201", self.DESCRIPTOR))

    def test_data(self):
        task = Task(data=bytes(range(16)), residual=4, flags=2, read_length=20)
        for right in ("GOOD @2=2 @0:4=0x10203 @7.1:2=3 len=16 residual=4 ascending=0", "GOOD data=[00 01 ...]",
                      "GOOD data@14=[0e0f]"):
            self.assertTrue(self.holds(right, task), right)
        for wrong in ("GOOD @2=3", "GOOD @16=0", "GOOD len=15", "GOOD data=[00 01]", "GOOD residual=0",
                      "GOOD data@15=[0f10]", "CHECK CONDITION"):
            self.assertFalse(self.holds(wrong, task), wrong)

    def test_data_and_residual_account_for_all(self):
        self.assertFalse(self.holds("GOOD", Task(data=bytes(8), read_length=16)))
        self.assertFalse(self.holds("GOOD", Task(data=bytes(8), read_length=16, residual=4, flags=2)))

    def test_sense_data_that_request_sense_reports(self):
        task = Task(data=self.REFUSED.sense)
        self.assertTrue(self.holds("GOOD reports ILLEGAL REQUEST 24/00", task))
        self.assertFalse(self.holds("GOOD reports UNIT ATTENTION", task))


class Cases(unittest.TestCase):
    def test_there_are_many(self):
        counts = {path.stem: len(suite.load(path).cases) for path in FOLDER.glob("*.scsi")}
        self.assertGreater(sum(counts.values()), 150, counts)

    def test_a_case_that_does_not_hold_fails_and_the_next_is_not_harmed(self):
        file = language.parse(Path("x.scsi"), "case wrong\nA: WRITE(10) lba=0 blocks=1 as=w hold\n"
                              "case also wrong\nA: READ(10) lba=0 blocks=1 => RESERVATION CONFLICT\n"
                              "case right\nA: READ(10) lba=0 blocks=1 => GOOD data=zero(block)\n")
        run = FileRun(file)
        self.addCleanup(run.close)
        run.start()
        with self.assertRaisesRegex(Failure, "nobody waited for w"):
            run.run(file.cases[0])
        with self.assertRaisesRegex(Failure, r"x\.scsi:4"):
            run.run(file.cases[1])
        run.run(file.cases[2])


class CommandLine(E2eCase):
    """tests/conformance/run on the command line."""

    def run_cases(self, *arguments, **options) -> subprocess.CompletedProcess:
        return subprocess.run([sys.executable, FOLDER / "run", *arguments], capture_output=True, text=True,
                              timeout=120 * SLOWNESS, stdin=subprocess.DEVNULL, **options)

    def write(self, text: str) -> Path:
        path = self.scratch / "x.scsi"
        path.write_text(text)
        return path

    def test_tells_of_each_case_and_exits_by_them(self):
        right = "case it is ready\nA: TEST UNIT READY\n"
        result = self.run_cases(self.write(right))
        self.assertEqual((result.returncode, result.stdout),
                         (0, "ok     x.scsi:1: it is ready\nconformance: 1 passed, 0 failed\n"))
        result = self.run_cases(self.write(right + "case it is not\nA: TEST UNIT READY => NOT READY 04/02\n"))
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("FAILED x.scsi:4: it is not\n  A: TEST UNIT READY => NOT READY 04/02\n", result.stdout)
        self.assertIn("so        the status is GOOD\n", result.stdout)

    def test_what_it_does_not_understand_is_one_line(self):
        result = self.run_cases(self.write("case wrong\nA: REED(10)\n"))
        self.assertEqual((result.returncode, len(result.stderr.splitlines())), (2, 1), result.stderr)
        self.assertIn("x.scsi:2", result.stderr)

    def test_url_of_a_target_that_runs_already(self):
        daemon = self.serve("--disk", "ram:16MiB")
        path = self.write("portable\nmedia ram file\ncase it is ready\nA: TEST UNIT READY\n")
        result = self.run_cases("--url", daemon.url(), path)
        self.assertEqual((result.returncode, result.stdout.splitlines()[-1]), (0, "conformance: 1 passed, 0 failed"))
        without = {name: value for name, value in os.environ.items() if name != "LUNAR_BIN"}
        result = self.run_cases("--url", daemon.url(), path, env=without, cwd=self.scratch)
        self.assertEqual(result.returncode, 0, f"it needs no lunar of its own: {result.stderr}")
        result = self.run_cases("--url", daemon.url(), self.write("disk d null 1MiB\ncase one\nA: TEST UNIT READY\n"))
        self.assertEqual(result.returncode, 1)
        self.assertIn("needs a target of its own", result.stdout)

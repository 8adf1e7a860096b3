#!/usr/bin/env python3
"""Tests that tests/unit/run counts passed, failed, crashed and skipped cases."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

RUN = Path(__file__).resolve().parent / "run"
# Output of GoogleTest, by part.
PROGRAM = """#!/usr/bin/env python3
import os, sys
part = os.environ["GTEST_SHARD_INDEX"]
print(f"[==========] Running {3 if part == '0' else 1} tests from 1 test suite.")
"""


class Run(unittest.TestCase):
    def run_program(self, text, jobs=1):
        with tempfile.TemporaryDirectory() as folder:
            program = Path(folder, "bin", "some_test")
            program.parent.mkdir()
            program.write_text(PROGRAM + text)
            program.chmod(0o755)
            result = subprocess.run([sys.executable, "-B", RUN, "--tree", folder, "-j", str(jobs)],
                                    capture_output=True, text=True, check=False, env=os.environ)
        return result.returncode, result.stdout

    def test_counts_and_times(self):
        code, text = self.run_program("for name in 'ABC' if part == '0' else 'D':\n"
                                      "  print(f'[ RUN      ] S.{name}\\n[       OK ] S.{name} (1500 ms)')\n", jobs=2)
        self.assertEqual(code, 0)
        self.assertIn("took 1.500 some_test.S.A\n", text)
        self.assertTrue(text.endswith("unit: 4 passed, 0 failed, 0 skipped\n"), text)

    def test_failure_is_named_with_what_it_printed(self):
        code, text = self.run_program("for name in 'AB': print(f'[ RUN      ] S.{name}\\n[       OK ] S.{name} (0 ms)')\n"
                                      "print('[ RUN      ] S/T.C/0\\nwrong\\n[  FAILED  ] S/T.C/0, where "
                                      "GetParam() = 1 (2 ms)')\n"
                                      "print('[  FAILED  ] 1 test, listed below:\\n[  FAILED  ] S/T.C/0')\nsys.exit(1)\n")
        self.assertEqual(code, 1)
        self.assertIn("FAILED some_test.S/T.C/0\n[ RUN      ] S/T.C/0\nwrong\n", text)
        self.assertTrue(text.endswith("unit: 2 passed, 1 failed, 0 skipped\n"), text)

    def test_death_fails_what_ran_and_what_had_not_begun(self):
        code, text = self.run_program("print('[ RUN      ] S.A\\n[       OK ] S.A (0 ms)\\n[ RUN      ] S.B', flush=True)\n"
                                      "os.abort()\n")
        self.assertEqual(code, 1)
        self.assertIn("FAILED some_test.S.B: exit code -6, 2 cases without a result", text)
        self.assertTrue(text.endswith("unit: 1 passed, 2 failed, 0 skipped\n"), text)

    def test_bad_end_is_a_failure(self):
        code, text = self.run_program("for name in 'ABC': print(f'[ RUN      ] S.{name}\\n[       OK ] S.{name} (0 ms)')\n"
                                      "sys.exit(23)\n")
        self.assertEqual(code, 1)
        self.assertTrue(text.endswith("unit: 3 passed, 1 failed, 0 skipped\n"), text)

    def test_skip_is_no_success(self):
        code, text = self.run_program("for name, how in zip('ABC', ('  SKIPPED ', '      OK ', '      OK ')):\n"
                                      "  print(f'[ RUN      ] S.{name}\\n[{how}] S.{name} (0 ms)')\n")
        self.assertEqual(code, 1)
        self.assertTrue(text.endswith("unit: 2 passed, 0 failed, 1 skipped\n"), text)


if __name__ == "__main__":
    unittest.main()

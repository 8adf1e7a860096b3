#!/usr/bin/env python3
"""scripts/test with stubs for the programs that it runs: its counts, output and skipped stages."""

import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "scripts/test"
STUBS = {
    "scripts/deps": "echo installed >installed",
    "bin/cmake": 'echo "$*" >>cmake.calls; case "$*" in "--build build/$FAULTY "*) exit 1 ;; esac',
    "bin/ctest": 'echo "66% tests passed, 1 tests failed out of 3"; [ -z "$CTEST_FAILS" ]',
    "bin/clang-format-19": "touch formatted",
    "tests/unit/run": 'echo "took 2.500 some_test.Slow.One"; echo "unit: 40 passed, 0 failed, 0 skipped"',
    "tests/e2e/run": 'echo "took 9.125 test_x.X.test_y"; echo "e2e: 5 passed, 0 failed, 0 skipped"',
    "tests/tidy/run": "exit 0",
    "build/asan/bin/good_fuzz": "exit 0",
    "build/asan/bin/bad_fuzz": "echo crashed; exit 1",
}


class Test(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        for name, text in STUBS.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"#!/bin/sh\n{text}\n")
            path.chmod(0o755)
        for name in ("src", "include", "examples"):
            (self.root / name).mkdir()
        shutil.copy(SCRIPT, self.root / "scripts/test")

    def run_script(self, *arguments, faulty="", ctest_fails=""):
        environment = os.environ | {"PATH": f"{self.root}/bin:{os.environ['PATH']}", "FAULTY": faulty,
                                    "CTEST_FAILS": ctest_fails}
        result = subprocess.run([self.root / "scripts/test", *arguments], env=environment, text=True,
                                capture_output=True, check=False)
        return result.returncode, result.stdout + result.stderr

    def test_quick_installs_nothing_and_builds_the_trees_of_daily_work(self):
        _, text = self.run_script("--quick")
        self.assertFalse((self.root / "installed").exists())
        calls = (self.root / "cmake.calls").read_text()
        self.assertIn("--build build/debug", calls)
        self.assertIn("--build build/release", calls)
        self.assertNotIn("asan", calls + text)

    def test_the_whole_installs_first_and_runs_every_stage_but_those_on_request(self):
        code, text = self.run_script()
        self.assertTrue((self.root / "installed").exists())
        self.assertEqual(code, 1)  # a fuzzer and a script
        for stage in self.run_script("--list")[1].split():
            self.assertEqual(f"{stage} " in text, not stage.endswith("debug"), stage)

    def test_tests_do_not_wait_for_more_than_their_build(self):
        """The second build ends after the format check and the tests of the first tree have run."""
        wait = "for i in $(seq 1000); do [ -e formatted ] && [ -e tested ] && exit 0; sleep 0.02; done; exit 1"
        (self.root / "bin/cmake").write_text(f'#!/bin/sh\ncase "$*" in "--build build/gcc "*) {wait} ;; esac\n')
        (self.root / "tests/e2e/run").write_text("#!/bin/sh\ntouch tested\n")
        code, text = self.run_script("--only", "format", "--only", "release", "--only", "build-gcc")
        self.assertEqual(code, 0, text)

    def test_counts_cases_and_what_has_none(self):
        code, text = self.run_script("--only", "unit-gcc", ctest_fails="yes")
        self.assertEqual((code, text.splitlines()[-1]), (1, "lunar: 42 passed, 1 failed, 0 skipped"))
        code, text = self.run_script("--only", "fuzz")
        self.assertEqual((code, text.splitlines()[-1]), (1, "lunar: 1 passed, 1 failed, 0 skipped"))
        self.assertIn("crashed", text)
        code, text = self.run_script("--only", "e2e-release", "--only", "format", "--only", "tidy")
        self.assertEqual((code, text.splitlines()[-1]), (0, "lunar: 7 passed, 0 failed, 0 skipped"))

    def test_tests_of_a_tree_that_was_not_built_fail_and_others_run(self):
        code, text = self.run_script("--only", "asan", "--only", "tsan", faulty="asan")
        self.assertEqual(code, 1)
        self.assertRegex(text, r"e2e-asan +FAILED")
        self.assertRegex(text, r"e2e-tsan +ok")
        self.assertEqual((self.root / "cmake.calls").read_text().count("--build build/asan"), 1)

    def test_tells_what_was_slow(self):
        text = self.run_script("--only", "unit-tsan", "--only", "e2e-tsan")[1]
        self.assertRegex(text, r"the slowest tests:\n +9\.1 s  e2e-tsan test_x\.X\.test_y\n"
                               r" +2\.5 s  unit-tsan some_test\.Slow\.One\n")

    def test_a_stage_that_is_none_is_refused(self):
        self.assertEqual(self.run_script("--only", "nothing")[0], 2)


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/env python3
"""scripts/deps: one list of packages, quick when nothing is missing."""

import subprocess
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEPS = ROOT / "scripts/deps"


def run(*arguments):
    return subprocess.run([DEPS, *arguments], capture_output=True, text=True, check=False)


class Deps(unittest.TestCase):
    def test_tests_need_what_building_needs(self):
        build, test = (set(run("--list", purpose).stdout.split()) for purpose in ("build", "test"))
        self.assertLess(build, test)
        self.assertIn("liburing-dev", build)

    def test_comparing_needs_the_other_targets(self):
        self.assertLess({"tgt", "istgt", "fio", "liburing-dev"}, set(run("--list", "compare").stdout.split()))

    def test_is_the_only_list(self):
        for name in ("scripts/run", "scripts/test", "scripts/prove-fresh", "scripts/compare", ".ci/run"):
            self.assertNotIn("apt-get install", (ROOT / name).read_text(), name)

    def test_second_call_is_quick(self):
        self.assertEqual(run("build", "try", "test").returncode, 0)
        started = time.monotonic()
        self.assertEqual(run("build", "try", "test").stdout, "")
        self.assertLess(time.monotonic() - started, 5)

    def test_refuses_what_it_does_not_know(self):
        for arguments in ((), ("frobnicate",), ("--frobnicate", "build")):
            result = run(*arguments)
            self.assertEqual((result.returncode, len(result.stderr.splitlines())), (2, 1))


if __name__ == "__main__":
    unittest.main()

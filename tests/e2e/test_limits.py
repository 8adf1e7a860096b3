"""Starts with too few resources: one line that names them, and no crash.

Only with the release binary: a sanitizer needs terabytes of address space for itself.
"""

import subprocess
from pathlib import Path

from lunar_e2e.case import E2eCase
from lunar_e2e.daemon import NOBODY, public_copy_of_binary

RELEASE_ONLY = True
MIB = 1 << 20
SERVES = "Try it: "
MACHINE = 1  # the exit code


class Limits(E2eCase):
    def setUp(self):
        super().setUp()
        self.program = public_copy_of_binary(self.scratch)
        self.scratch.chmod(0o755)

    def start(self, limit: str, **options):
        """(exit code, or None if it serves; standard error)"""
        process = subprocess.Popen(
            ["prlimit", limit, self.program, "serve", "--disk", "ram:1MiB", "--disk", "null:1MiB",
             "--listen", "127.0.0.1:0", "--log-level", "error"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={"HOME": "/nonexistent"}, **options)
        served = any(line.startswith(SERVES) for line in process.stdout)
        if served:
            process.terminate()
        errors = process.communicate(timeout=60)[1]
        return (None if served else process.returncode), errors

    def check_refusal(self, limit, code, errors):
        self.assertEqual(code, MACHINE, f"{limit}: {errors}")
        self.assertEqual(len(errors.splitlines()), 1, f"{limit}: {errors}")
        self.assertTrue(errors.startswith("lunar: "), f"{limit}: {errors}")

    def test_any_limit_of_address_space_serves_or_says_what_is_missing(self):
        needed = subprocess.run([self.program, "version"], check=True)  # it runs at all
        self.assertEqual(needed.returncode, 0)
        served = refused = 0
        for size in range(24 * MIB, 1400 * MIB, 24 * MIB):
            limit = f"--as={size}"
            if subprocess.run(["prlimit", limit, self.program, "version"], capture_output=True,
                              check=False).returncode != 0:
                continue  # too little for the loader
            code, errors = self.start(limit)
            if code is None:
                served += 1
            else:
                refused += 1
                self.check_refusal(limit, code, errors)
        self.assertGreater(served, 0)
        self.assertGreater(refused, 4)

    def test_without_threads_it_says_so(self):
        for threads in range(1, 4):
            limit = f"--nproc={threads}"
            code, errors = self.start(limit, user=NOBODY, group=NOBODY, extra_groups=[])
            if code is None:
                continue  # as many as it needs
            self.check_refusal(limit, code, errors)
            self.assertRegex(errors, "cannot start (a )?thread")
        code, errors = self.start("--nproc=1", user=NOBODY, group=NOBODY, extra_groups=[])
        self.check_refusal("--nproc=1", code, errors)

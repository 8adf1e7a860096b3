#!/usr/bin/env python3
"""Tests that the header check fails where it must."""

import tempfile
import unittest
from pathlib import Path

import check_own_header


class OwnHeader(unittest.TestCase):
    def check(self, files):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in files.items():
                path = Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return list(check_own_header.violations_of(Path(folder)))

    def test_first_is_right(self):
        self.assertEqual(self.check({
            "src/a/b.cpp": '// Why.\n#include "a/b.h"\n\n#include <vector>\n', "src/a/b.h": "#pragma once\n",
            "src/base/result.cpp": "#include <lunar/result.h>\n",
            "include/lunar/result.h": "#ifndef X_H_\n#define X_H_\n#endif\n"}), [])

    def test_without_a_header_of_its_name_any_is_right(self):
        self.assertEqual(self.check({"src/a/b.cpp": "#include <vector>\n"}), [])

    def test_second_is_wrong(self):
        self.assertEqual(self.check({"src/a/b.cpp": '#include <vector>\n#include "a/b.h"\n',
                                     "src/a/b.h": "#pragma once\n"}),
                         ["src/a/b.cpp: does not include a/b.h first"])

    def test_no_guard_is_wrong(self):
        self.assertEqual(self.check({"src/a/b.h": "int a();\n"}), ["src/a/b.h: has no include guard"])


if __name__ == "__main__":
    unittest.main()

"""The benchmark report: instructions per I/O, which do not depend on the machine's load.

Only with the release binary, because the figures depend on its flags. After an intended change of the
figures, run `scripts/perf-report --record` and mention it in the commit.
"""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

from performance import instructions  # noqa: E402

RELEASE_ONLY = True


class Instructions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        instructions.build()
        cls.found = instructions.measure()

    def test_an_io_costs_what_is_on_record(self):
        self.assertEqual(instructions.drifted(self.found, instructions.recorded()), [])

    def test_other_sessions_and_luns_cost_an_io_nothing(self):
        self.assertEqual(instructions.grown(self.found), [])

    def test_counting_again_gives_the_same(self):
        case = instructions.CASES[1]
        self.assertAlmostEqual(instructions.count(case) / self.found[case.title], 1, delta=0.01)


class Report(unittest.TestCase):
    """The comparisons themselves."""

    def test_a_change_of_ten_percent_is_seen_either_way(self):
        self.assertEqual(instructions.drifted({"a": 109.0, "b": 91.0}, {"a": 100, "b": 100}), [])
        self.assertEqual(len(instructions.drifted({"a": 111.0, "b": 89.0}, {"a": 100, "b": 100})), 2)

    def test_a_row_that_is_new_or_gone_is_seen(self):
        self.assertEqual(len(instructions.drifted({"new": 1.0}, {"gone": 1})), 2)

    def test_growth_of_five_percent_is_seen(self):
        plain, many = instructions.Case("read", 32), instructions.Case("read", 32, 1000)
        self.assertEqual(instructions.grown({plain.title: 100.0, many.title: 104.0}), [])
        self.assertEqual(len(instructions.grown({plain.title: 100.0, many.title: 106.0})), 1)

"""scripts/compare: its rows, and measuring some of them. Does not check speeds."""

from pathlib import Path

from lunar_e2e.case import E2eCase, run_tool
from lunar_e2e.daemon import binary

RELEASE_ONLY = True
ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/PERFORMANCE.md"
QUICK = ("lunar", "--rounds", 1, "--slice", 0.02)


def compare(*arguments, check=True) -> list:
    return run_tool(ROOT / "scripts/compare", *arguments, check=check).splitlines()


class Rows(E2eCase):
    def test_depths_have_three_sizes_and_bursts(self):
        *rows, note = compare("--list", "--table", "depths")
        depths = [1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 128]
        wanted = [f"depths: {work} {size} KiB QD{depth}" for size in (4, 16, 64)
                  for work in ("read", "write") for depth in depths]
        self.assertEqual(rows, [*wanted, "depths: write 4 KiB QD128, in bursts"])
        self.assertRegex(note, r"^at least [\d.]+ minutes")

    def test_a_part_can_be_named(self):
        *rows, _ = compare("--list", "--sizes", "4k,16k", "--depths", "8", "--work", "write")
        self.assertEqual(rows, ["depths: write 4 KiB QD8", "depths: write 16 KiB QD8"])
        *rows, _ = compare("--list", "--only", "read 4 KiB QD32$")
        self.assertEqual(rows, ["compare: read 4 KiB QD32", "depths: read 4 KiB QD32"])

    def test_what_is_not_there_is_refused(self):
        for arguments in (("--depths", "9"), ("nobody",), ("--rounds", "0"), ("--table", "chair")):
            self.assertIn("compare: error: ", compare(*arguments, check=False)[-1])


class Measures(E2eCase):
    def test_a_part_and_writes_no_file(self):
        before = PAGE.read_text()
        lines = compare("--bin", binary(), *QUICK, "--table", "depths", "--only", "4 KiB QD128, in bursts")
        self.assertEqual(PAGE.read_text(), before)
        self.assertEqual(lines[0], "depths:")
        cells = [cell.strip() for cell in lines[3].strip("|").split("|")]
        columns = [cell.strip() for cell in lines[1].strip("|").split("|")]
        self.assertEqual(columns, ["work", "floor", "lunar", "of the floor", "CPU", "in the same round", "CPU",
                                   "wanted", "initiator idle"])
        self.assertEqual(cells[0], "write 4 KiB QD128, in bursts")
        self.assertRegex(cells[2], r"^[\d.]+ [kM], [\d.]+ us$")
        for cell in (cells[4], cells[6]):
            self.assertRegex(cell, r"^\d+ %$")
            self.assertLessEqual(int(cell.split()[0]), 100)
        self.assertRegex(cells[8], r"^\d+, \d+ %$")
        self.assertRegex(lines[4], "^below what is wanted, by the best slice: ")

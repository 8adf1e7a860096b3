"""Instructions an I/O, counted by callgrind: the same on a busy machine as on an idle one."""

import json
import re
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RECORDED = ROOT / "tests/instructions/figures.json"
TREE = ROOT / "build/release"
PROGRAM = TREE / "bin/count_instructions"
IOS = 20_000
# Allowed difference from the recorded figure, and from that with one session and one LUN.
DRIFT, GROWTH = 0.10, 0.05


@dataclass(frozen=True)
class Case:
    """4 KiB I/Os of one session to one LUN, beside other sessions and LUNs."""

    work: str
    depth: int
    sessions: int = 1
    luns: int = 1

    @property
    def title(self) -> str:
        words = [f"{self.work} 4 KiB QD{self.depth}"]
        words += [f"{self.sessions} sessions"] * (self.sessions > 1)
        words += [f"{self.luns} LUNs"] * (self.luns > 1)
        return ", ".join(words)

    @property
    def plain(self) -> "Case":
        """The same load with one session and one LUN, for comparison."""
        return Case(self.work, self.depth)


CASES = [Case(work, *rest) for work in ("read", "write")
         for rest in ((1,), (32,), (32, 100), (32, 1000), (32, 1, 1000))]


def build():
    """Builds the program in the release tree, where it is in no other target."""
    subprocess.run(["cmake", "--build", str(TREE), "--target", "count_instructions"], check=True,
                   stdout=subprocess.DEVNULL)


def count(case: Case, profile=None) -> float:
    """Instructions per I/O. `profile`: file for callgrind's whole output."""
    with tempfile.TemporaryDirectory(prefix="lunar-perf.") as folder:
        out = Path(profile or Path(folder) / "out")
        command = ["valgrind", "--tool=callgrind", "--toggle-collect=counted_turn",
                   f"--callgrind-out-file={out}", PROGRAM, case.work, IOS, case.sessions, case.luns,
                   case.depth]
        run = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                             check=False)
        found = re.search(r"^(?:summary|totals): (\d+)$", out.read_text(), re.MULTILINE) \
            if run.returncode == 0 else None
        if not found or int(found[1]) == 0:
            raise SystemExit(f"perf-report: {case.title}: {' '.join(map(str, command))}\n{run.stderr}")
        return int(found[1]) / IOS


def measure(cases=None, jobs=2) -> dict:
    """{title: instructions per I/O}"""
    cases = cases or CASES
    with ThreadPoolExecutor(jobs) as pool:
        return dict(zip((case.title for case in cases), pool.map(count, cases)))


def recorded() -> dict:
    return json.loads(RECORDED.read_text())


def record(found: dict):
    rounded = {title: round(value) for title, value in found.items()}
    RECORDED.write_text(json.dumps(rounded, indent=2) + "\n")


def drifted(found: dict, before: dict) -> list:
    """One line per figure that differs from the record."""
    lines = [f"{title}: {found[title]:.0f} instructions, recorded are {before[title]}"
             for title in found if title in before
             and abs(found[title] / before[title] - 1) > DRIFT]
    lines += [f"{title}: not on record" for title in found if title not in before]
    lines += [f"{title}: on record, but not measured" for title in before if title not in found]
    return lines


def grown(found: dict) -> list:
    """One line per figure that depends on the number of other sessions or LUNs."""
    return [f"{case.title}: {found[case.title]:.0f} instructions, "
            f"{found[case.plain.title]:.0f} with one"
            for case in CASES if case.title in found
            and abs(found[case.title] / found[case.plain.title] - 1) > GROWTH]

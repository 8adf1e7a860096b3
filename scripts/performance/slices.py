"""Interleaved slices. On a shared machine only figures measured side by side are comparable."""

import json
import statistics
import subprocess
from dataclasses import dataclass

from .targets import DISK_BYTES, Floor, Lunar, spawn

BENCH_CORE = 1
TARGET_CORE = 0
SLICE_S = 0.4


def bench_command() -> list:
    """A function, because the program may be chosen after this module is loaded."""
    return [Lunar.program, "bench"]


@dataclass(frozen=True)
class Shape:
    """A load: kind, size and depth of its I/Os, further options, and the bench's core."""

    work: str
    block: str
    depth: int
    sessions: int = 1
    burst: bool = False  # the whole queue at once
    options: tuple = ()
    core: int = BENCH_CORE

    @property
    def title(self) -> str:
        size = self.block.replace("k", " KiB")
        many = "" if self.sessions == 1 else f", {self.sessions} sessions"
        burst = ", in bursts" if self.burst else ""
        return f"{self.work} {size} QD{self.depth}{many}{burst}"

    def arguments(self):
        burst = ("--burst",) if self.burst else ()
        return ["--rw", self.work, "--bs", self.block, "--qd", str(self.depth),
                "--connections", str(self.sessions), *burst, *self.options]


class Found:
    """The slices of one target for one shape."""

    def __init__(self):
        self.slices = []

    def best(self) -> dict:
        return max(self.slices, key=lambda slice_: slice_["iops"])

    @property
    def iops(self) -> float:
        return self.best()["iops"]

    @property
    def p50_us(self) -> float:
        return min(slice_["p50_us"] for slice_ in self.slices)

    @property
    def cpu_percent(self) -> float:
        """Share of its core, in the best slice."""
        return self.best()["target_cpu_percent"]

    @property
    def median_cpu_percent(self) -> float:
        return statistics.median(slice_["target_cpu_percent"] for slice_ in self.slices)


class Lane:
    """A bench that is logged in to one target and waits for its turns."""

    def __init__(self, target, shape, slice_s=SLICE_S):
        self.target = target
        self.found = Found()
        where = ["--floor", target.form, "--floor-cpu", TARGET_CORE] if isinstance(target, Floor) \
            else [target.url]
        target.proceed()
        self.process = spawn([*bench_command(), *where, *shape.arguments(), "--slice", slice_s, "--cpu",
                              shape.core], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.turn(count=False)  # logs in, and warms up

    def turn(self, count=True):
        cpu_ns = self.target.cpu_ns()
        self.target.proceed()
        try:
            self.process.stdin.write("go\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise SystemExit(f"compare: the bench of {self.target.name} has failed")
        self.target.stand_still()
        if count:
            slice_ = json.loads(line)
            spent_s = (self.target.cpu_ns() - cpu_ns) / 1e9
            slice_["target_cpu_percent"] = min(100.0, 100 * spent_s / slice_["seconds"])
            self.found.slices.append(slice_)

    def end(self):
        self.target.proceed()
        self.process.stdin.close()
        self.process.wait()
        self.target.stand_still()


def run_lanes(lanes, rounds) -> list:
    """The results of the lanes. Runs more rounds, up to three times as many, while a best figure
    still rises by 5 %."""
    try:
        settled = 0
        for number in range(3 * rounds):
            before = [lane.found.iops if lane.found.slices else 0 for lane in lanes]
            for lane in lanes:
                lane.turn()
            rising = any(lane.found.iops > 1.05 * best for lane, best in zip(lanes, before))
            settled = 0 if rising else settled + 1
            if number + 1 >= rounds and settled >= 3:
                break
    finally:
        for lane in lanes:
            lane.end()
    return [lane.found for lane in lanes]


def run_shape(targets, shape, rounds, slice_s=SLICE_S) -> dict:
    """{target's name: Found}, including both forms of the floor."""
    found = run_lanes([Lane(target, shape, slice_s) for target in targets], rounds)
    return dict(zip((target.name for target in targets), found))


def floor_of(found) -> Found:
    return max((found[name] for name in found if name.startswith("floor-")), key=lambda f: f.iops)


def paired_ratio(one: Found, other: Found) -> float:
    """The median over the rounds of the ratio within a round. Changes of the machine's speed during
    a run hardly affect it."""
    ratios = [a["iops"] / b["iops"] for a, b in zip(one.slices, other.slices) if b["iops"] > 0]
    return statistics.median(ratios) if ratios else 0


def fill(target):
    """Writes the whole disk once: unwritten parts would be read from a single page of zeroes."""
    target.proceed()
    for _ in range(20):
        done = subprocess.run([*bench_command(), target.url, "--rw", "write", "--bs", "256k", "--seq",
                               "--qd", "8", "--time", "2", "--json"], stdout=subprocess.PIPE, check=True,
                              text=True)
        if json.loads(done.stdout)["writes"] * (256 << 10) >= DISK_BYTES:
            break
    target.stand_still()

"""The tables of scripts/compare: their rows, and how a row is printed."""

from dataclasses import dataclass
from typing import Callable

from .slices import SLICE_S, Shape, floor_of, paired_ratio

DEPTHS = (1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 128)
SIZES = ("4k", "16k", "64k")

# Block size, queue depth, sessions; lunar's goals as shares of the floor: for reads, for writes.
_SIDE_BY_SIDE = {("4k", 1, 1): (0.95, 0.95), ("4k", 32, 1): (0.85, 0.80), ("4k", 128, 1): (0.75, 0.70),
                 ("4k", 32, 4): (0.85, 0.75), ("4k", 16, 16): (0.92, 0.85), ("256k", 8, 1): (0.98, 1.3)}
_BY_DEPTH = {"read": 0.85, "write": 0.80}


def _side_by_side() -> dict:
    return {Shape(work, *shape): shares[i] for i, work in enumerate(("read", "write"))
            for shape, shares in _SIDE_BY_SIDE.items()}


def _by_depth() -> dict:
    rows = {Shape(work, size, depth): share for size in SIZES for work, share in _BY_DEPTH.items()
            for depth in DEPTHS}
    rows[Shape("write", "4k", 128, burst=True)] = 0.80
    return rows


@dataclass(frozen=True)
class Table:
    """name: also marks its place in docs/PERFORMANCE.md. wanted: {Shape: share of the floor}."""

    name: str
    wanted: dict
    slice_s: float
    takes: Callable  # whether a target belongs to the table


TABLES = (Table("compare", _side_by_side(), SLICE_S, lambda name: True),
          Table("depths", _by_depth(), SLICE_S / 2, lambda name: name == "lunar"))


def head(names) -> list:
    """The last column, idleness, is for the floor and lunar in the best slice of each (docs/bench.md)."""
    columns = ["work", "floor"]
    for name in names:
        columns += [name, "of the floor", "CPU", "in the same round", "CPU"]
        if name == "lunar":
            columns += ["wanted", "initiator idle"]
        if name != "tgtd" and "tgtd" in names:
            columns.append("of tgtd")
    return [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]


def _cell(found) -> str:
    rate = f"{found.iops / 1e6:.2f} M" if found.iops >= 1e6 else f"{found.iops / 1e3:.1f} k"
    return f"{rate}, {found.p50_us:.1f} us"


def row(shape, wanted, found, names) -> str:
    floor = floor_of(found)
    cells = [shape.title, _cell(floor)]
    for name in names:
        one = found[name]
        cells += [_cell(one), f"{one.iops / floor.iops:.2f}", f"{one.cpu_percent:.0f} %",
                  f"{paired_ratio(one, floor):.2f}", f"{one.median_cpu_percent:.0f} %"]
        if name == "lunar":
            idle = [f"{either.best()['idle_percent']:.0f}" for either in (floor, one)]
            cells += [f"{wanted:.2f}", f"{', '.join(idle)} %"]
        if name != "tgtd" and "tgtd" in names:
            cells.append(f"{one.iops / found['tgtd'].iops:.1f}")
    return f"| {' | '.join(cells)} |"


def share(found) -> float:
    """lunar's best slice, as a share of the floor."""
    return found["lunar"].iops / floor_of(found).iops

"""Figures of scripts/perf-figures. Each function returns rows of its table."""

import json
import signal
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from .slices import TARGET_CORE, Lane, Shape, bench_command, fill, paired_ratio, run_lanes
from .targets import DISK_BYTES, NAME, REALTIME, ROOT, Floor, Lunar, cpu_ns, spawn


@dataclass
class Row:
    what: str
    figure: str
    wanted: str
    how: str

    def __str__(self):
        return f"| {self.what} | {self.figure} | {self.wanted} | {self.how} |"


def _rate(iops: float) -> str:
    return f"{iops / 1e6:.2f} M" if iops >= 1e6 else f"{iops / 1e3:.1f} k"


def _best_ratio(one, other) -> str:
    return f"{one.iops / other.iops:.2f} ({paired_ratio(one, other):.2f})"


def _run(lunar: Lunar, *arguments) -> dict:
    command = [*bench_command(), lunar.url, *arguments, "--json"]
    done = subprocess.run([str(word) for word in command], check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def _with_lunar(measure, lunar=None, filled=True):
    lunar = lunar or Lunar()
    try:
        lunar.start()
        if filled:
            fill(lunar)
            lunar.proceed()
        return measure(lunar)
    finally:
        lunar.end()


def digests(rounds):
    def measure(lunar):
        rows = []
        for shape in (Shape("read", "4k", 32), Shape("write", "4k", 32), Shape("read", "256k", 8),
                      Shape("write", "256k", 8)):
            with_both = Shape(shape.work, shape.block, shape.depth, options=("--digest", "header,data"))
            plain, checked = run_lanes([Lane(lunar, shape), Lane(lunar, with_both)], rounds)
            rows.append(Row(f"{shape.title}, header and data digests, of the rate without",
                            f"{_best_ratio(checked, plain)}: {_rate(checked.iops)}", "0.8",
                            "`lunar bench --digest header,data`"))
        return rows
    return _with_lunar(measure)


def one_core(rounds):
    """Both ends on one core, as in a small virtual machine; then a third process that never sleeps.

    Without real-time priority, under which the core would not be shared fairly.
    """
    REALTIME.clear()

    def measure(lunar):
        two_cores = Shape("read", "4k", 32)
        beside = Shape("read", "4k", 32, options=("--sleep",), core=TARGET_CORE)
        apart, together = run_lanes([Lane(lunar, two_cores), Lane(lunar, beside)], rounds)
        rows = [Row(f"{beside.title}, both ends on one core, of the rate on two",
                    f"{_best_ratio(together, apart)}: {_rate(together.iops)}", "0.35",
                    "`lunar bench --sleep --cpu 0`, lunar on core 0")]
        busy = spawn([sys.executable, "-c", "while True: pass"], TARGET_CORE)
        try:
            alone, crowded = run_lanes(
                [_Quiet(lunar, beside, busy), _Beside(lunar, beside, busy)], rounds)
        finally:
            busy.send_signal(signal.SIGCONT)
            busy.kill()
            busy.wait()
        fair = alone.iops * 2 / 3
        rows.append(Row("the same beside a third process that is always busy, of the fair share",
                        f"{crowded.iops / fair:.2f}: {_rate(crowded.iops)}", "0.33",
                        "as above, and an endless loop on core 0; fair: two thirds of the rate without"))
        return rows
    return _with_lunar(measure)


class _Beside(Lane):
    """A lane during whose turns `other` runs; otherwise `other` is stopped."""

    def __init__(self, target, shape, other):
        self.other = other
        super().__init__(target, shape)

    def turn(self, count=True):
        self.other.send_signal(signal.SIGCONT)
        super().turn(count)
        self.other.send_signal(signal.SIGSTOP)


class _Quiet(Lane):
    def __init__(self, target, shape, other):
        other.send_signal(signal.SIGSTOP)
        super().__init__(target, shape)


class _LunarOnFile(Lunar):
    def __init__(self):
        super().__init__()
        self.path = ROOT / "build/compare.img"

    def command(self):
        return [self.program, "serve", "--disk", f"file:{self.path},size={DISK_BYTES}", "--shards", "1",
                "--listen", f"127.0.0.1:{self.port}", "--target", NAME, "--log-level", "warning",
                "--state", self.folder / "state"]

    def end(self):
        super().end()
        self.path.unlink(missing_ok=True)


class _Fio:
    """fio on the file below a disk, with turns like a Lane's."""

    def __init__(self, path, depth, seconds):
        self.command = ["fio", "--name=file", f"--filename={path}", "--readonly", "--direct=1",
                        "--rw=randread", "--bs=4k", f"--iodepth={depth}", "--ioengine=io_uring",
                        f"--size={DISK_BYTES}", f"--runtime={seconds}", "--time_based",
                        "--output-format=json", f"--cpus_allowed={TARGET_CORE}"]
        self.slices = []

    def turn(self):
        process = spawn(self.command, stdout=subprocess.PIPE, text=True)
        text, _ = process.communicate()
        self.slices.append(json.loads(text[text.index("{"):])["jobs"][0]["read"]["iops"])


def file_disk(rounds):
    """Reads past the page cache at several depths, each beside fio on the same file."""
    seconds = 1

    def compare_at(lunar, depth):
        lane = Lane(lunar, Shape("read", "4k", depth), seconds)
        fio = _Fio(lunar.path, depth, seconds)
        try:
            for _ in range(rounds):
                fio.turn()
                lane.turn()
        finally:
            lane.end()
        found, best = lane.found, max(fio.slices)
        in_round = statistics.median(one["iops"] / other for one, other in zip(found.slices, fio.slices))
        return Row(f"file with O_DIRECT, read 4 KiB QD{depth}, of fio's io_uring on the same file",
                   f"{found.iops / best:.2f} ({in_round:.2f}): {_rate(found.iops)} of {_rate(best)}, "
                   f"core {found.cpu_percent:.0f} % busy", "0.9",
                   f"`fio --ioengine=io_uring --direct=1 --rw=randread --bs=4k --iodepth={depth}` in "
                   f"turns of {seconds} s")
    return _with_lunar(lambda lunar: [compare_at(lunar, depth) for depth in (1, 4, 16, 64, 128)],
                       _LunarOnFile())


def _cpu_percent(pid: int, seconds: float) -> float:
    before = cpu_ns(pid)
    time.sleep(seconds)
    return (cpu_ns(pid) - before) / seconds / 1e7


class _Held:
    """Holds a number of idle sessions."""

    def __init__(self, lunar, count):
        self.process = subprocess.Popen([*bench_command(), lunar.url, "--qd", "1", "--connections",
                                         str(count), "--slice", "0.01"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        # When one turn is answered, all sessions are logged in.
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        if not self.process.stdout.readline():
            raise SystemExit(f"perf-figures: {count} sessions cannot be had")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


def idle(_rounds):
    def measure(lunar):
        seconds = 10
        pid = lunar.process.pid
        time.sleep(1)
        none = _cpu_percent(pid, seconds)
        with _Held(lunar, 100):
            time.sleep(1)
            hundred = _cpu_percent(pid, seconds)
        how = f"run time of all its threads over {seconds} s (/proc/PID/task/*/schedstat)"
        return [Row("CPU of an idle daemon", f"{none:.2f} %", "0.0 %", how),
                Row("CPU with 100 idle sessions", f"{hundred:.2f} %", "below 0.5 %", how)]
    return _with_lunar(measure, filled=False)


def first_io(rounds):
    """One read every 20 ms. The target sleeps in between."""
    def measure(lunar):
        shape = Shape("read", "4k", 1, options=("--rate", "50"))
        floor, found = run_lanes([Lane(Floor("sleep"), shape, 1), Lane(lunar, shape, 1)], rounds)
        return [Row("first I/O after idle (p50), of a TCP round trip with a peer that sleeps",
                    f"{found.p50_us / floor.p50_us:.2f}: {found.p50_us:.0f} us of {floor.p50_us:.0f} us",
                    "at most 1.2", "`lunar bench --qd 1 --rate 50`, and the same with `--floor sleep`")]
    return _with_lunar(measure)


def _resident_kib(pid: int) -> int:
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0])


def sessions(_rounds):
    def measure(lunar):
        pid = lunar.process.pid
        started = _resident_kib(pid)
        few, many, most = 100, 1000, 10_000
        resident = []
        for count in (few, many, most):
            with _Held(lunar, count):
                resident.append(_resident_kib(pid))
        each = (resident[1] - resident[0]) / (many - few)
        seconds = []
        for count in (few, many):
            begun = time.monotonic()
            _run(lunar, "--connections", count, "--qd", 1, "--count", 1)
            seconds.append(time.monotonic() - begun)
        login_us = (seconds[1] - seconds[0]) / (many - few) * 1e6
        return [Row("resident memory at start", f"{started / 1024:.1f} MiB", "below 40 MiB",
                    "VmRSS of `lunar serve --disk ram:256MiB --shards 1`"),
                Row("of each further idle session", f"{each:.1f} KiB", "below 64 KiB",
                    f"VmRSS with {few} and with {many} sessions"),
                Row("a login, with TEST UNIT READY until it is GOOD", f"{login_us:.0f} us",
                    "below 1000 us", f"`lunar bench --connections {many} --count 1` less that of {few}"),
                Row("sessions held at once", f"{most}, in {resident[2] / 1024:.0f} MiB", f"{most}",
                    f"`lunar bench --connections {most}`")]
    return _with_lunar(measure, filled=False)


# one_core comes last, because it ends real-time priority.
ALL = {"digests": digests, "file": file_disk, "idle": idle, "first-io": first_io, "sessions": sessions,
       "one-core": one_core}

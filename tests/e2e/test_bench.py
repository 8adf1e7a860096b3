"""`lunar bench`: its measurements, the errors it finds, and its messages.

No test here looks at a speed. Runs end by --count; their --time is never used up.
"""

import contextlib
import json
import os
import pty
import re
import signal
import subprocess
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

from lunar_e2e import process
from lunar_e2e.case import E2eCase
from lunar_e2e.daemon import SLOWNESS, binary, run_to_end
from lunar_e2e.target import Target

MIB = 1 << 20
LONG = ("--time", 600)
DOCUMENT = Path(__file__).resolve().parents[2] / "docs/bench.md"
FIELDS = {"schema", "version", "time", "url", "initiator_name", "rw", "read_percent", "bs", "range", "qd",
          "connections", "sequential", "burst", "sleep", "rate", "floor", "digests", "seconds", "reads",
          "writes", "iops", "mb_per_s", "mean_us", "p50_us", "p95_us", "p99_us", "p999_us", "p9999_us",
          "max_us", "in_flight_max", "idle_percent", "cpu_s", "cpu_us_per_io"}
VERIFY_FIELDS = {"verified", "mismatches", "first_mismatch_byte"}


class BenchCase(E2eCase):
    def run_bench(self, *arguments):
        return run_to_end("bench", *LONG, *arguments, timeout=60)

    def measure(self, *arguments) -> dict:
        result = self.run_bench(*arguments, "--json")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(result.stdout.count("\n"), 1)
        return json.loads(result.stdout)

    def assert_fails(self, named, *arguments, code=1):
        """Fails with one line that contains `named`."""
        with self.subTest(arguments=" ".join(map(str, arguments))):
            result = self.run_bench(*arguments)
            self.assertEqual(result.returncode, code, result.stderr)
            self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
            self.assertIn(str(named), result.stderr)
            return result

    def serve_error_layer(self, rule):
        path = self.scratch / "lunar.toml"
        path.write_text(f"""
            [[device]]
            name = "ram"
            type = "ram"
            size = "1MiB"
            [[device]]
            name = "bad"
            type = "error"
            base = "ram"
            [[device.inject]]
            {rule}
            [[target]]
            name = "iqn.2026-11.io.lunar:disks"
            lun = [{{device = "bad"}}]
            """)
        return self.serve("--config", path)


class Measures(BenchCase):
    def test_reads_writes_and_mixes(self):
        url = self.serve("--disk", "ram:16MiB").url()
        for work, is_right in (("read", lambda reads, writes: writes == 0),
                               ("write", lambda reads, writes: reads == 0),
                               ("mix", lambda reads, writes: reads > writes > 0)):
            with self.subTest(work=work):
                found = self.measure(url, "--rw", work, "--count", 1000)
                self.assertEqual(set(found), FIELDS)
                self.assertEqual(found["reads"] + found["writes"], 1000)
                self.assertTrue(is_right(found["reads"], found["writes"]), found)
                self.assertEqual((found["rw"], found["bs"], found["qd"]), (work, 4096, 32))
                percentiles = [found[name] for name in ("p50_us", "p95_us", "p99_us", "p999_us",
                                                             "p9999_us", "max_us")]
                self.assertEqual(percentiles, sorted(percentiles))
                self.assertGreater(percentiles[0], 0)
                self.assertAlmostEqual(found["iops"] * found["seconds"], 1000, delta=1)
                self.assertAlmostEqual(found["mb_per_s"] / (found["iops"] * 4096 / 1e6), 1, delta=0.01)
                self.assertLessEqual(found["cpu_s"], found["seconds"] * 1.1)
                self.assertEqual(found["in_flight_max"], 32)
                self.assertTrue(0 <= found["idle_percent"] <= 100)

    def test_json_tells_what_was_measured(self):
        daemon = self.serve("--disk", "ram:16MiB")
        before = datetime.now(timezone.utc) - timedelta(milliseconds=1)
        found = self.measure(daemon.url(), "--count", 10, "--range", "1MiB", "--initiator-name",
                             "iqn.2026-11.example:it")
        version = run_to_end("version").stdout.split()[1]
        self.assertEqual((found["schema"], found["version"], found["url"]), (1, version, daemon.url()))
        self.assertTrue(before <= datetime.fromisoformat(found["time"]) <= datetime.now(timezone.utc), found)
        self.assertEqual((found["range"], found["digests"], found["initiator_name"]),
                         (MIB, "none", "iqn.2026-11.example:it"))
        self.assertEqual((found["sleep"], found["read_percent"], found["rate"], found["floor"]),
                         (False, None, None, None))
        self.assertEqual(self.measure(daemon.url(), "--count", 1)["range"], 16 * MIB)
        floor = self.measure("--floor", "recv", "--count", 1)
        self.assertEqual((floor["url"], floor["range"]), (None, 256 * MIB))

    def test_a_mix_is_as_asked(self):
        url = self.serve("--disk", "ram:1MiB").url()
        for percent, is_right in ((0, lambda reads: reads == 0), (100, lambda reads: reads == 1000),
                                  (20, lambda reads: 0 < reads < 500)):
            found = self.measure(url, "--rw", "mix", "--read-percent", percent, "--count", 1000)
            self.assertEqual(found["read_percent"], percent)
            self.assertTrue(is_right(found["reads"]), found)

    def test_times_have_units(self):
        url = self.serve("--disk", "ram:1MiB").url()
        for text in ("0.1", "0.1s", "100ms", "100000us"):
            result = run_to_end("bench", url, "--time", text, "--warmup", "1ms", "--json", timeout=60)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertGreaterEqual(json.loads(result.stdout)["seconds"], 0.1)

    def test_an_initiator_that_only_a_host_of_its_name_lets_in(self):
        path = self.scratch / "lunar.toml"
        path.write_text("""
            device = [{name = "ram", type = "ram", size = "1MiB"}]
            [[target]]
            name = "iqn.2026-11.io.lunar:disks"
            [[target.host]]
            name = "one"
            initiator = "iqn.2026-11.example:one"
            lun = [{lun = 3, device = "ram"}]
            """)
        url = self.serve("--config", path).url(3)
        self.assertEqual(self.measure(url, "--count", 1, "--initiator-name", "iqn.2026-11.example:one")["reads"], 1)
        self.assert_fails("LUN 3", url)

    def test_an_initiator_that_sleeps_sends_large_writes(self):
        """More than a socket accepts at once: the bench waits until it can send, not for an answer."""
        url = self.serve("--disk", "ram:16MiB").url()
        found = self.measure(url, "--rw", "write", "--bs", "8MiB", "--qd", 1, "--count", 8, "--sleep")
        self.assertEqual((found["writes"], found["sleep"]), (8, True))

    def test_tells_people_the_same(self):
        url = self.serve("--disk", "ram:16MiB").url()
        text = self.run_bench(url, "--count", 100, "--bs", "8k", "--seq").stdout
        self.assertRegex(text, r"^sequential 8 KiB reads, queue depth 32, 1 session: \d+ IOPS, [\d.]+ MB/s")
        self.assertRegex(text, r"latency us: mean [\d.]+, p50 [\d.]+, p95 [\d.]+, p99 [\d.]+, "
                               r"p99\.9 [\d.]+, p99\.99 [\d.]+, max [\d.]+")
        self.assertRegex(text, r"initiator: idle \d+ % of the time; [\d.]+ s of CPU")
        text = self.run_bench(url, "--count", 100, "--rw", "mix", "--read-percent", 30, "--burst").stdout
        self.assertRegex(text, r"^random 4 KiB mixed I/Os \(30 % reads\), queue depth 32 in bursts, ")

    def test_sequential_goes_through_the_range_and_stays_in_it(self):
        daemon = self.serve("--disk", "ram:1MiB")
        found = self.measure(daemon.url(), "--rw", "write", "--seq", "--range", "64KiB", "--count", 16)
        self.assertTrue(found["sequential"])
        disk = self.disk(daemon)
        for lba in range(0, 128, 8):
            self.assertNotEqual(disk.read(lba, 8), bytes(4096), lba)
        self.assertEqual(disk.read(128, 128), bytes(65536))

    def test_several_sessions(self):
        daemon = self.serve("--disk", "ram:16MiB")
        found = self.measure(daemon.url(), "--connections", 5, "--qd", 3, "--count", 500)
        self.assertEqual((found["connections"], found["reads"]), (5, 500))
        daemon.stop()
        self.assertEqual(daemon.output().count(" logged in to "), 5)

    def test_sizes_from_a_block_to_8_mib(self):
        url = self.serve("--disk", "ram:64MiB").url()
        for size, count in (("512", 100), ("64k", 50), ("1MiB", 20), ("8MiB", 8)):
            with self.subTest(size=size):
                found = self.measure(url, "--rw", "write", "--bs", size, "--qd", 4, "--count", count,
                                     "--verify")
                self.assertEqual((found["writes"], found["mismatches"]), (count, 0))

    def test_4096_byte_blocks(self):
        url = self.serve("--disk", f"file:{self.scratch}/d.img,size=16MiB,block=4096").url()
        self.assertEqual(self.measure(url, "--count", 100, "--bs", "16k")["reads"], 100)
        self.assert_fails("4096", url, "--bs", 512, code=2)

    def test_rate_is_not_passed(self):
        url = self.serve("--disk", "ram:1MiB").url()
        for extra in ((), ("--sleep",)):
            found = self.measure(url, "--rate", 1000, "--count", 101, *extra)
            self.assertEqual((found["reads"], found["rate"]), (101, 1000))
            self.assertGreaterEqual(found["seconds"], 0.1)  # when the last one is due

    def test_latency_at_a_rate_counts_from_when_an_io_was_due(self):
        """The first one is due at once, not a second later."""
        found = self.measure(self.serve("--disk", "ram:1MiB").url(), "--rate", 1, "--count", 1)
        self.assertLess(found["max_us"], 1e6)

    def test_digests_are_asked_for_and_compared(self):
        daemon = self.serve("--disk", "ram:16MiB")
        for digest in ("header", "data", "header,data"):
            found = self.measure(daemon.url(), "--digest", digest, "--rw", "write", "--count", 200,
                                 "--verify")
            self.assertEqual((found["mismatches"], found["digests"]), (0, digest))
            self.assertGreater(found["verified"], 0)
            # The digest of a payload without a pattern is computed once.
            found = self.measure(daemon.url(), "--digest", digest, "--rw", "write", "--count", 200)
            self.assertEqual(found["writes"], 200)

    def test_floor(self):
        for form in ("recv", "uring"):
            found = self.measure("--floor", form, "--count", 2000, "--connections", 2)
            self.assertEqual((found["floor"], found["reads"]), (form, 2000))
        found = self.measure("--floor", "--rw", "write", "--count", 200, "--verify")
        self.assertIn(found["floor"], ("recv", "uring"))
        self.assertEqual(found["mismatches"], 0)

    def test_slices_are_measured_as_lines_come(self):
        url = self.serve("--disk", "ram:1MiB").url()
        result = subprocess.run([binary(), "bench", url, "--slice", "0.05"], input="go\ngo\n", text=True,
                                capture_output=True, timeout=30 * SLOWNESS, check=True)
        slices = [json.loads(line) for line in result.stdout.splitlines()]
        self.assertEqual(len(slices), 2)
        for one in slices:
            self.assertEqual(set(one), FIELDS)

    def test_a_terminal_sees_how_it_goes(self):
        url = self.serve("--disk", "ram:1MiB").url()
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        # The last I/O is due after more than a second; the line appears after one.
        result = subprocess.run([binary(), "bench", url, "--rate", "20", "--count", "25"], stderr=theirs,
                                stdout=subprocess.PIPE, text=True, timeout=60 * SLOWNESS, check=True)
        os.close(theirs)
        line = ""
        with contextlib.suppress(OSError):  # EIO: all has been read
            while True:
                line += os.read(ours, 65536).decode()
        self.assertRegex(line, r"measuring: \d+ IOPS, p50 [\d.]+ us, \d+ I/Os")
        self.assertTrue(line.endswith("\r\x1b[K"), "the line is cleared")
        self.assertIn("IOPS", result.stdout)

    def test_help_names_every_option(self):
        text = run_to_end("help", "bench").stdout
        options = set(re.findall(r"^ +(--[a-z-]+)", text, re.MULTILINE))
        self.assertEqual(options, self.documented(r"^\| (`--.*?) \|"))
        self.assertIn("OVERWRITE", text)

    def test_document_names_every_key(self):
        page = DOCUMENT.read_text().split("## The JSON")[1]
        keys = {name for row in re.findall(r"^\| (`[a-z].*?) \|", page, re.MULTILINE)
                for name in re.findall(r"`(\w+)`", row)}
        self.assertEqual(keys, FIELDS | VERIFY_FIELDS)

    @staticmethod
    def documented(row) -> set:
        """The options in the first column of the table."""
        return {name for cell in re.findall(row, DOCUMENT.read_text(), re.MULTILINE)
                for name in re.findall(r"--[a-z-]+", cell)}


class Verifies(BenchCase):
    def test_finds_nothing_where_nothing_is_wrong(self):
        url = self.serve("--disk", "ram:16MiB").url()
        for work, is_right in (("write", lambda reads: reads == 0), ("mix", lambda reads: 250 < reads < 500)):
            found = self.measure(url, "--rw", work, "--count", 500, "--verify", "--connections", 2)
            self.assertEqual(set(found), FIELDS | VERIFY_FIELDS)
            self.assertEqual((found["mismatches"], found["first_mismatch_byte"]), (0, None))
            self.assertTrue(0 < found["verified"] <= found["writes"], found)
            self.assertTrue(is_right(found["reads"]), found)

    def test_overwrites_nothing_that_was_not_asked_for_in_words(self):
        daemon = self.serve("--disk", "ram:1MiB")
        disk = self.disk(daemon)
        disk.write(0, b"mine" * 128)
        for arguments in (("--verify",), ("--verify", "--rw", "read"), ("--verify", "--count", 1)):
            self.assert_fails("--rw write", daemon.url(), *arguments, code=2)
        self.assertEqual(self.measure(daemon.url(), "--count", 100)["writes"], 0)
        self.assertEqual(disk.read(0, 2048), (b"mine" * 128).ljust(MIB, b"\0"))

    def test_finds_a_byte_that_is_not_what_was_written(self):
        """Every block is written. The byte is in LBA 100."""
        daemon = self.serve_error_layer('op = "read"\naction = "corrupt"\noffset = 51205')
        arguments = (daemon.url(), "--rw", "write", "--seq", "--count", 256, "--verify")
        result = self.run_bench(*arguments, "--json")
        found = json.loads(result.stdout)
        self.assertEqual((result.returncode, found["mismatches"]), (1, 1))
        self.assertEqual(found["first_mismatch_byte"], 51200)  # start of its eight bytes
        self.assertIn("wrong data", result.stderr)
        self.assertIn("51200", result.stderr)
        self.assertIn("256 I/Os read back, 1 wrong", self.assert_fails("51200", *arguments).stdout)


class Fails(BenchCase):
    """One line, and exit code 2 for wrong options, 1 for a failed run."""

    def test_options(self):
        url = "iscsi://127.0.0.1:1/iqn.2026-11.io.lunar:disks/0"
        for arguments in (("--rw", "both"), ("--bs", "1000"), ("--bs", "4q"), ("--bs", "0"), ("--bs", "16MiB"),
                          ("--qd", 0), ("--qd", "many"), ("--connections", 0), ("--time", 0),
                          ("--time", "inf"), ("--rate", -1), ("--count", -1), ("--cpu", -1),
                          ("--digest", "md5"), ("--burst", "--rate", 5), ("--verify", "--rw", "read"), ("--slice", 1, "--verify", "--rw", "write"),
                          ("--slice", 1, "--count", 5), ("--slice", 1, "--warmup", 1), ("--slice", "-1"),
                          ("--time", "5 parsecs"), ("--time", "-1s"), ("--warmup", "s"),
                          ("--floor-cpu", 0), ("--read-percent", 50), ("--read-percent", 101, "--rw", "mix"),
                          ("--initiator-name", "me"), ("--initiator-name", "iqn.2026-11.example:a b"),
                          ("--initiator-name", "iqn." + 220 * "x"), ("--range", "2k"),
                          ("--frobnicate",), ("--range", "some")):
            self.assert_fails(arguments[0], url, *arguments, code=2)

    def test_urls(self):
        for url in ("nonsense", "http://127.0.0.1/a/0", "iscsi://127.0.0.1", "iscsi://127.0.0.1/a",
                    "iscsi://127.0.0.1/a/b", "iscsi://127.0.0.1/a/99999", "iscsi:///a/0"):
            self.assert_fails(url, url, code=2)
        self.assert_fails("URL", code=2)
        self.assert_fails("--floor", "iscsi://127.0.0.1/a/0", "--floor", code=2)

    def test_cores_that_are_not_there(self):
        self.assert_fails("core 9999", "--floor", "--cpu", 9999, code=2)
        self.assert_fails("core 9999", "--floor", "--floor-cpu", 9999, code=2)

    def test_digests_of_the_floor(self):
        self.assert_fails("--digest", "--floor", "--digest", "data", code=2)

    def test_range_beyond_the_disk(self):
        url = self.serve("--disk", "ram:1MiB").url()
        self.assert_fails("--range", url, "--range", "1025k", code=2)
        self.assert_fails("--range", "--floor", "recv", "--range", "1GiB", code=2)
        self.assertEqual(self.measure(url, "--range", "1MiB", "--count", 1)["range"], MIB)

    def test_nobody_there(self):
        self.assert_fails("127.0.0.1:1", "iscsi://127.0.0.1:1/iqn.2026-11.io.lunar:disks/0")
        self.assert_fails("nowhere.invalid", "iscsi://nowhere.invalid/iqn.2026-11.io.lunar:disks/0")

    def test_no_such_target_or_unit(self):
        daemon = self.serve("--disk", "ram:1MiB")
        self.assert_fails("no such target", f"{daemon.portal_url}iqn.2026-11.io.lunar:other/0")
        self.assert_fails("LUN 7", daemon.url(7))

    def test_disk_smaller_than_one_io(self):
        self.assert_fails("smaller", self.serve("--disk", "ram:64KiB").url(), "--bs", "1MiB")

    def test_write_protected_disk(self):
        path = self.scratch / "d.img"
        path.write_bytes(bytes(MIB))
        url = self.serve("--disk", f"file:{path},readonly").url()
        self.assert_fails("DATA PROTECT", url, "--rw", "write", "--count", 10)
        self.assertEqual(self.measure(url, "--count", 10)["reads"], 10)

    def test_medium_error(self):
        url = self.serve_error_layer('op = "read"\naction = "fail"\nstatus = "read_error"\nlba = 1000').url()
        self.assert_fails("read at byte 512000: ", url, "--bs", 512, "--seq", "--count", 2048)

    def test_target_that_is_killed_under_way(self):
        daemon = self.serve("--disk", "ram:1MiB")
        before = process.descriptors(daemon.pid)
        with subprocess.Popen([binary(), "bench", daemon.url(), "--time", "600"], stderr=subprocess.PIPE,
                              text=True) as bench:
            while process.descriptors(daemon.pid) == before:
                time.sleep(0.01)
            daemon.kill()
            text = bench.stderr.read()
        self.assertEqual((bench.returncode, len(text.splitlines())), (1, 1), text)

    def test_target_that_is_stopped_under_way(self):
        daemon = self.serve("--disk", "ram:1MiB")
        with subprocess.Popen([binary(), "bench", daemon.url(), "--time", "600"], stderr=subprocess.PIPE,
                              text=True) as bench:
            while " logged in to " not in daemon.output():
                time.sleep(0.01)
            daemon.stop(signal.SIGTERM)
            text = bench.stderr.read()
        self.assertEqual((bench.returncode, len(text.splitlines())), (1, 1), text)


class AgainstOddTargets(BenchCase):
    """Behaviour that lunar does not have, but other targets may."""

    def target(self, **options) -> Target:
        target = Target(**options)
        self.addCleanup(target.stop)
        return target

    def test_command_window_is_respected(self):
        for window in (1, 3):
            target = self.target(window=window)
            found = self.measure(target.url, "--qd", 32, "--count", 60)
            self.assertEqual(found["reads"], 60)
            self.assertEqual(target.faults, [])

    def test_window_of_each_session_is_its_own(self):
        # A window of one: the number of I/Os per session is undefined, and the target waits until a
        # window is full.
        target = self.target(window=1)
        self.measure(target.url, "--connections", 3, "--qd", 2, "--count", 60, "--rw", "write")
        self.assertEqual(target.faults, [])

    def test_a_window_smaller_than_the_queue_is_told(self):
        # An answer may open the window again while earlier answers are still in flight.
        target = self.target(window=3)
        self.assertIn(self.measure(target.url, "--qd", 8, "--count", 60)["in_flight_max"], range(3, 6))
        text = self.run_bench(target.url, "--qd", 8, "--count", 60).stdout
        self.assertRegex(text, "the target's command window let [345] I/Os of a session be in flight")

    def test_digests_that_are_refused(self):
        target = self.target(keys={"HeaderDigest": "None", "DataDigest": "None"})
        for digest in ("header", "data"):
            self.assert_fails(f"takes no {digest} digests", target.url, "--digest", digest)

    def test_bursts_wait_until_all_is_answered(self):
        for extra, is_right in (((), lambda early: early > 0), (("--burst",), lambda early: early == 0)):
            target = self.target(window=32, batch=8, pings=True)
            found = self.measure(target.url, "--qd", 8, "--count", 40, *extra)
            self.assertEqual((found["reads"], found["burst"], target.faults), (40, bool(extra), []))
            self.assertTrue(is_right(target.early), (extra, target.early))

    def test_bursts_larger_than_the_window(self):
        target = self.target(window=4)
        self.assertEqual(self.measure(target.url, "--qd", 8, "--count", 64, "--burst")["reads"], 64)
        self.assertEqual(target.faults, [])

    def test_data_that_are_asked_for_in_odd_pieces(self):
        target = self.target(window=4, r2t_bytes=1002, keys={
            "ImmediateData": "No", "MaxRecvDataSegmentLength": "513"})
        for digest in ("none", "header,data"):
            found = self.measure(target.url, "--qd", 4, "--seq", "--count", 256, "--rw", "write",
                                 "--verify", "--digest", digest)
            self.assertEqual((found["verified"], found["mismatches"]), (256, 0))
        self.assertEqual(target.faults, [])
        self.assertLessEqual({513, 489}, set(target.segments))  # 1002 bytes are two segments

    def test_immediate_data_are_no_more_than_the_target_takes(self):
        target = self.target(window=4, keys={"MaxRecvDataSegmentLength": "1024"})
        found = self.measure(target.url, "--qd", 4, "--seq", "--count", 256, "--rw", "write", "--verify")
        self.assertEqual((found["mismatches"], target.faults), (0, []))
        self.assertEqual(set(target.segments), {1024})

    def test_write_that_is_lost(self):
        target = self.target(window=4, lost_lba=64)
        arguments = (target.url, "--rw", "write", "--qd", 4, "--seq", "--count", 256, "--verify")
        self.assertIn("1 wrong", self.assert_fails(64 * 512, *arguments).stdout)

    def test_reads_of_too_few_bytes_are_no_reads(self):
        target = self.target(window=1, read_bytes=512)
        self.assert_fails("512 bytes came instead of 4096", target.url, "--count", 10)

    def test_connection_that_ends_under_way(self):
        target = self.target(window=1, end_after=100)
        self.assert_fails("closed the connection", target.url)

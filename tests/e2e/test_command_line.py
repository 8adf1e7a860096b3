"""`lunar`: its options, what it refuses, and its messages."""

import os
import re
import subprocess
from pathlib import Path

from lunar_e2e.case import E2eCase
from lunar_e2e.daemon import (NOBODY, SLOWNESS, Daemon, binary, free_port, public_copy_of_binary,
                              run_to_end)

MIB = 1 << 20


class Refused(E2eCase):
    """A wrong option, size, path or key: one line that names it, exit code 2."""

    def check(self, named, *arguments, code=2):
        with self.subTest(arguments=" ".join(map(str, arguments))):
            result = run_to_end(*arguments)
            self.assertEqual(result.returncode, code, result.stderr)
            self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
            self.assertIn(str(named), result.stderr)

    def serve_refuses(self, named, *arguments):
        self.check(named, "serve", "--listen", f"127.0.0.1:{free_port()}", *arguments)

    def test_commands_and_options(self):
        self.check("frobnicate", "frobnicate")
        self.serve_refuses("--frobnicate", "--frobnicate")
        self.serve_refuses("loud", "--disk", "ram:1MiB", "--log-level", "loud")
        self.serve_refuses("not an iqn", "--disk", "ram:1MiB", "--target", "not an iqn")
        self.serve_refuses("none", "--disk", "ram:1MiB", "--shards", "none")
        self.serve_refuses("0", "--disk", "ram:1MiB", "--shards", "0")
        self.serve_refuses("--shards is given twice", "--disk", "ram:1MiB", "--shards", "1", "--shards", "1")
        self.check("--bs is given twice", "bench", "--bs", "4k", "--bs", "4k")

    def test_sizes_and_kinds_of_disk(self):
        self.serve_refuses("1GiBB", "--disk", "ram:1GiBB")
        self.serve_refuses("ram:", "--disk", "ram:")
        self.serve_refuses("ram:0", "--disk", "ram:0")
        self.serve_refuses("1000", "--disk", "ram:1000")
        self.serve_refuses("99999999999TiB", "--disk", "null:99999999999TiB")
        self.serve_refuses("floppy", "--disk", "floppy:1MiB")
        self.serve_refuses("did you mean 'ram'?", "--disk", "rma:1MiB")
        self.serve_refuses("there is no device 'medium' before this one", "--disk", "delay:medium")
        self.serve_refuses("--disk ram: has no size: ram:1GiB", "--disk", "ram")
        self.serve_refuses("write GiB", "--disk", "ram:64 GB")
        self.serve_refuses("write MiB", "--disk", "ram:64MB")

    def test_options_of_a_file(self):
        path = self.scratch / "d.img"
        self.serve_refuses("frobnicate", "--disk", f"file:{path},size=1MiB,frobnicate=1")
        self.serve_refuses("sometimes", "--disk", f"file:{path},size=1MiB,cache=sometimes")
        self.serve_refuses("1000", "--disk", f"file:{path},size=1MiB,block=1000")
        self.serve_refuses("missing", "--disk", f"file:{path},size=1MiB,missing=wait")
        self.serve_refuses("missing", "--disk", f"file:{path},protection=1,missing=wait")
        self.serve_refuses("muchMiB", "--disk", f"file:{path},size=muchMiB")
        self.assertFalse(path.exists(), "a refused disk must not be created")

    def test_paths(self):
        self.serve_refuses("/nonexistent/d.img", "--disk", "file:/nonexistent/d.img,size=1MiB")
        missing = self.scratch / "missing.img"
        self.serve_refuses(missing, "--disk", f"file:{missing}")
        self.serve_refuses("give its size", "--disk", f"file:{missing}")
        self.serve_refuses(self.scratch, "--disk", f"file:{self.scratch}")

    def test_nothing_is_made_before_all_is_checked(self):
        """Whatever the error elsewhere, the first disk is not created."""
        path, other = self.scratch / "d.img", self.scratch / "other.img"
        made = ("--disk", f"file:{path},size=1MiB")
        taken = self.scratch / "file"
        taken.touch()
        config = self.scratch / "lunar.toml"
        for named, *more in (
            ("already", "--disk", f"file:{path}"),
            ("give its size", "--disk", f"file:{other}"),
            ("no interface of this machine", "--listen", "192.0.2.1:3260"),
            ("is taken by the portal on", "--listen", "127.0.0.1:1", "--listen", "127.0.0.1:1"),
            (taken, "--state", taken / "state"),
            ("16 TiB", "--disk", "ram:17TiB"),
        ):
            self.serve_refuses(named, *made, *more)
            self.assertFalse(path.exists(), named)
        for named, text in (
            ("one writer", """device = [{name = "d", type = "ram", size = "1MiB"},
                               {name = "a", type = "passthru", base = "d"},
                               {name = "b", type = "passthru", base = "d"}]"""),
            ("no portal has the tag 2", """target = [{name = "iqn.2026-11.io.lunar:t", port_group = [{tag = 2}]}]"""),
        ):
            config.write_text(text)
            self.serve_refuses(named, *made, "--config", config)
            self.assertFalse(path.exists(), named)

    def test_a_closed_standard_error_is_no_crash(self):
        result = subprocess.run(["bash", "-c", 'exec "$0" serve --disk ram 2>&-', binary()],
                                stdout=subprocess.DEVNULL, timeout=30 * SLOWNESS, check=False)
        self.assertEqual(result.returncode, 2)

    def test_addresses(self):
        for address in ("127.0.0.1:99999", "127.0.0.1:port", "nonsense:::", "300.0.0.1:3260"):
            self.check(address, "serve", "--disk", "ram:1MiB", "--listen", address)

    def test_configuration(self):
        self.serve_refuses("missing.toml", "--config", self.scratch / "missing.toml")
        wrong = self.scratch / "wrong.toml"
        wrong.write_text("frobnicate = 1\n")
        self.serve_refuses("frobnicate", "--config", wrong)
        wrong.write_text("this is = = no TOML\n")
        self.serve_refuses("wrong.toml", "--config", wrong)


class Busy(E2eCase):
    """Resources held by another process: one clear line, an exit code other than 0; the other continues."""

    def refused_beside(self, daemon, named, *arguments):
        result = run_to_end("serve", *arguments)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn(str(named), result.stderr)
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        self.assertEqual(len(self.disk(daemon).read(0, 1)), 512)

    def test_file_is_served_by_one_process(self):
        path = self.scratch / "d.img"
        daemon = self.serve("--disk", f"file:{path},size=1MiB")
        self.refused_beside(daemon, path, "--disk", f"file:{path}", "--listen",
                            f"127.0.0.1:{free_port()}")

    def test_file_is_one_disk_of_a_process(self):
        path = self.scratch / "d.img"
        result = run_to_end("serve", "--disk", f"file:{path},size=1MiB", "--disk", f"file:{path}",
                            "--listen", f"127.0.0.1:{free_port()}")
        self.assertEqual(result.returncode, 2)
        self.assertIn(f"file {path}: it is the disk of --disk file:{path},size=1MiB already", result.stderr)
        self.assertFalse(path.exists())

    def test_port(self):
        daemon = self.serve("--disk", "ram:1MiB")
        self.refused_beside(daemon, daemon.port, "--disk", "ram:1MiB", "--listen",
                            f"127.0.0.1:{daemon.port}")

    def test_port_can_be_taken_again_at_once(self):
        daemon = self.serve("--disk", "ram:1MiB")
        self.disk(daemon)
        daemon.stop()
        self.disk(self.serve("--disk", "ram:1MiB", port=daemon.port))


class Served(E2eCase):
    def test_what_is_odd_is_told_and_served(self):
        path = self.scratch / "d.img"
        path.write_bytes(bytes(2 * MIB))
        config = self.scratch / "lunar.toml"
        config.write_text('device = [{name = "spare", type = "ram", size = "1MiB"}]')
        daemon = self.serve("--config", config, "--disk", f"file:{path},size=1MiB")
        self.assertEqual(self.disk(daemon).block_count, 2 * MIB // 512)
        daemon.wait_for_output("larger than size says, 2 MiB instead of 1 MiB")
        daemon.wait_for_output("device 'spare' is no LUN")

    def test_help_names_every_option_of_every_kind_of_disk(self):
        """The names that the parser lists when it is given another one."""
        text = run_to_end("serve", "--help").stdout
        for kind, spec in (("ram", "ram:1MiB"), ("null", "null:1MiB"), ("file", "file:d"), ("delay", "delay:d")):
            refusal = run_to_end("serve", "--disk", f"{spec},frobnicate").stderr
            known = re.search(r"\(it has ([^)]*)\)", refusal).group(1).split(", ")
            line = next(line for line in text.splitlines() if f" {kind}:" in line and "example" not in line)
            own = run_to_end("help", kind)
            self.assertEqual(own.returncode, 0)
            for key in known:
                self.assertRegex(line, rf"\[,{key}\b", kind)
                self.assertRegex(own.stdout, rf"(?m)^  {key}\b", kind)

    def test_reference_is_the_page_in_the_documents(self):
        page = Path(__file__).resolve().parents[2] / "docs/reference/devices.md"
        self.assertEqual(run_to_end("reference").stdout, page.read_text())

    def test_a_layer_stands_on_a_device_of_the_file(self):
        config = self.scratch / "lunar.toml"
        config.write_text('device = [{name = "medium", type = "ram", size = "1MiB"}]')
        disk = self.disk(self.serve("--config", config, "--disk", "delay:medium,read_delay_us=100"))
        disk.write(0, b"slow" * 128)
        self.assertEqual(disk.read(0, 1), b"slow" * 128)

    def test_version_and_help(self):
        version = run_to_end("version")
        self.assertEqual(version.returncode, 0)
        self.assertRegex(version.stdout, r"^lunar \d+\.\d+\.\d+")
        text = run_to_end("help")
        self.assertEqual(text.returncode, 0)
        self.assertIn("serve", text.stdout)

    def test_each_disk_is_the_next_lun(self):
        daemon = self.serve("--disk", "ram:1MiB", "--disk", "null:1TiB",
                            "--disk", f"file:{self.scratch}/d.img,size=2MiB")
        session = self.disk(daemon).session
        self.assertEqual(self.disk(daemon).report_luns(), [0, 1, 2])
        sizes = []
        for lun in (0, 1, 2):
            disk = self.disk(daemon, lun)
            sizes.append(disk.block_count * disk.block_size)
        self.assertEqual(sizes, [MIB, 1 << 40, 2 * MIB])
        session.logout()

    def test_null_reads_zeroes_and_drops_writes(self):
        disk = self.disk(self.serve("--disk", "null:1TiB"))
        disk.write((1 << 31) - 8, b"x" * 4096)
        self.assertEqual(disk.read((1 << 31) - 8, 8), bytes(4096))

    def test_several_listeners_and_a_name(self):
        other, name = free_port(), "iqn.2026-11.io.lunar:other"
        daemon = self.serve("--disk", "ram:1MiB", "--listen", f"127.0.0.1:{other}", "--target", name)
        daemon.target = name
        self.disk(daemon).write(0, b"both" * 128)
        daemon.port = other
        self.assertEqual(self.disk(daemon).read(0, 1), b"both" * 128)

    def test_4096_byte_blocks(self):
        disk = self.disk(self.serve("--disk", f"file:{self.scratch}/d.img,size=1MiB,block=4096"))
        self.assertEqual((disk.block_size, disk.block_count), (4096, 256))
        disk.write(255, b"last" * 1024)
        self.assertEqual(disk.read(255, 1), b"last" * 1024)

    def test_file_is_created_sparse_with_its_size(self):
        path = self.scratch / "d.img"
        self.serve("--disk", f"file:{path},size=10GiB")
        self.assertEqual(path.stat().st_size, 10 << 30)
        self.assertLess(path.stat().st_blocks * 512, MIB)

    def test_existing_file_needs_no_size(self):
        path = self.scratch / "d.img"
        path.write_bytes(b"here" * 128 + bytes(MIB - 512))
        self.assertEqual(self.disk(self.serve("--disk", f"file:{path}")).read(0, 1), b"here" * 128)

    def test_starts_as_an_ordinary_user(self):
        folder = self.scratch / "public"
        folder.mkdir()
        if os.getuid() == 0:
            self.scratch.chmod(0o755)
            os.chown(folder, NOBODY, NOBODY)
        program = public_copy_of_binary(self.scratch)
        daemon = self.serve("--disk", "ram:1GiB", "--disk", f"file:{folder}/d.img,size=10GiB",
                            command=[program, "serve"], as_nobody=True)
        self.assertNotEqual(Path(f"/proc/{daemon.pid}").stat().st_uid, 0)
        for lun in (0, 1):
            disk = self.disk(daemon, lun)
            disk.write(0, b"user" * 16384)
            self.assertEqual(disk.read(0, 128), b"user" * 16384)

    def test_default_listener_is_the_registered_port_on_loopback(self):
        """Taken from the help, not from a socket: another daemon may run on this machine."""
        self.assertIn("127.0.0.1:3260", run_to_end("serve", "--help").stdout)

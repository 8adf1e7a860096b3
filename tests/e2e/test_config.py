"""`lunar serve --config FILE`: devices, layers, targets, portals and LUN numbers in TOML."""

import os
import time

from lunar_e2e.case import E2eCase
from lunar_e2e.daemon import Daemon, free_port, run_to_end
from lunar_e2e.disk import CommandFailed
from lunar_e2e.initiator import LoginFailed

MIB = 1 << 20
HARDWARE_ERROR = 4  # the error layer's default


class Config(E2eCase):
    def write(self, text: str):
        path = self.scratch / "lunar.toml"
        path.write_text(text)
        return path

    def serve_config(self, text: str, *arguments) -> Daemon:
        """Replaces PORT in the text by the daemon's port, and DIR by the scratch folder."""
        port = free_port()
        text = text.replace("PORT", str(port)).replace("DIR", str(self.scratch))
        return self.serve("--config", self.write(text), *arguments, port=port, listen=False)

    def test_devices_targets_portals_and_lun_numbers(self):
        daemon = self.serve_config("""
            shards = 2
            log_level = "debug"
            [[device]]
            name = "scratch"
            type = "ram"
            size = "8MiB"
            block_size = 4096
            [[device]]
            name = "kept"
            type = "file"
            path = "DIR/kept.img"
            size = 16777216
            cache = "buffered"
            [[target]]
            name = "iqn.2026-11.io.lunar:one"
            alias = "first"
            [[target.lun]]
            lun = 5
            device = "kept"
            [[target]]
            name = "iqn.2026-11.io.lunar:two"
            [[target.lun]]
            device = "scratch"
            [[portal]]
            listen = "127.0.0.1:PORT"
            tag = 7
            """)
        session = self.login(daemon, discovery=True)
        names = [value for key, value in session.text({"SendTargets": "All"}) if key == "TargetName"]
        self.assertEqual(sorted(names), ["iqn.2026-11.io.lunar:one", "iqn.2026-11.io.lunar:two"])
        one = self.disk(daemon, 5, target="iqn.2026-11.io.lunar:one")
        two = self.disk(daemon, 0, target="iqn.2026-11.io.lunar:two")
        self.assertEqual((one.block_size, one.block_count), (512, 32768))
        self.assertEqual((two.block_size, two.block_count), (4096, 2048))
        self.assertEqual((one.report_luns(), two.report_luns()), ([5], [0]))
        one.write(0, b"one!" * 128)
        self.assertEqual(two.read(0, 1), bytes(4096))
        with self.assertRaises(LoginFailed):
            self.login(daemon)

    def test_lun_above_255(self):
        # Flat space addressing (SAM-5 s4.7.7.3).
        disk = self.disk(self.serve_config("""
            device = [{name = "d", type = "ram", size = "1MiB"}]
            portal = [{listen = "127.0.0.1:PORT"}]
            [[target]]
            name = "iqn.2026-11.io.lunar:disks"
            lun = [{lun = 300, device = "d"}]
            """), 300)
        disk.write(1, b"high" * 128)
        self.assertEqual(disk.read(1, 1), b"high" * 128)
        self.assertEqual(disk.report_luns(), [300])

    def test_identity_given_by_the_file(self):
        text = """
            [[device]]
            name = "d"
            type = "ram"
            size = "1MiB"
            uuid = "00112233-4455-8677-8899-aabbccddeeff"
            [[target]]
            name = "iqn.2026-11.io.lunar:disks"
            lun = [{device = "d"}]
            [[portal]]
            listen = "127.0.0.1:PORT"
            """
        pages = []
        for _ in range(2):
            daemon = self.serve_config(text)
            pages.append(self.disk(daemon).inquiry(0x83))
            daemon.stop()
        self.assertEqual(pages[0], pages[1])

    def test_command_line_adds_to_the_file(self):
        daemon = self.serve_config("""
            device = [{name = "d", type = "ram", size = "1MiB"}]
            portal = [{listen = "127.0.0.1:PORT"}]
            target = [{name = "iqn.2026-11.io.lunar:disks", lun = [{device = "d"}]}]
            """, "--disk", "null:2MiB")
        self.assertEqual(self.disk(daemon, 1).report_luns(), [0, 1])

    def test_readonly_lun_of_a_writable_device(self):
        disk = self.disk(self.serve_config("""
            device = [{name = "d", type = "ram", size = "1MiB"}]
            portal = [{listen = "127.0.0.1:PORT"}]
            target = [{name = "iqn.2026-11.io.lunar:disks", lun = [{device = "d", readonly = true}]}]
            """))
        with self.assertRaises(CommandFailed) as failed:
            disk.write(0, bytes(512))
        self.assertEqual((failed.exception.task.sense_key, failed.exception.task.asc_ascq), (7, 0x2700))

    LAYERS = """
        [[device]]
        name = "medium"
        type = "ram"
        size = "1MiB"
        [[device]]
        name = "slow"
        type = "delay"
        base = "medium"
        read_delay_us = 20000
        [[device]]
        name = "through"
        type = "passthru"
        base = "slow"
        [[device]]
        name = "bad"
        type = "error"
        base = "through"
        inject = [{op = "read", action = "fail", lba = 100, count = 10},
                  {op = "write", action = "hang", lba = 200, count = 1}]
        [[portal]]
        listen = "127.0.0.1:PORT"
        [[target]]
        name = "iqn.2026-11.io.lunar:disks"
        [[target.lun]]
        device = "bad"
        """

    def test_layers_stand_on_each_other(self):
        disk = self.disk(self.serve_config(self.LAYERS))
        disk.write(0, b"deep" * 128)
        started = time.monotonic()
        self.assertEqual(disk.read(0, 1), b"deep" * 128)
        self.assertGreater(time.monotonic() - started, 0.005)
        for lba, count in ((100, 1), (96, 8), (109, 4)):
            with self.assertRaises(CommandFailed) as failed:
                disk.read(lba, count)
            self.assertEqual(failed.exception.task.sense_key, HARDWARE_ERROR)
        self.assertEqual(disk.read(110, 8), bytes(4096))

    def test_medium_that_hangs_does_not_hang_the_stop(self):
        daemon = self.serve_config(self.LAYERS)
        disk = self.disk(daemon)
        disk.start_write(200, bytes(512))
        self.assertEqual(disk.session.nop(b"alive").data, b"alive")
        daemon.stop()

    def refused(self, named, text):
        with self.subTest(named=named):
            result = run_to_end("serve", "--config", self.write(text))
            self.assertEqual(result.returncode, 2, result.stderr)
            self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
            self.assertIn(named, result.stderr)
            self.assertLessEqual(result.stderr.count("lunar.toml"), 1, result.stderr)

    def test_stack_of_layers_has_a_bound(self):
        """A write passes five layers. Six are refused at the start."""
        layers = 'device = [{name = "l0", type = "ram", size = "1MiB"}'
        for number in range(1, 6):
            layers += f', {{name = "l{number}", type = "passthru", base = "l{number - 1}"}}'
        disk = self.disk(self.serve_config(layers + """]
            target = [{name = "iqn.2026-11.io.lunar:disks", lun = [{device = "l5"}]}]
            portal = [{listen = "127.0.0.1:PORT"}]
            """))
        disk.write(0, b"deep" * 128)
        self.assertEqual(disk.read(0, 1), b"deep" * 128)
        self.refused("a stack of 6 layers; at most 5", layers + """,
            {name = "l6", type = "passthru", base = "l5"}]
            target = [{name = "iqn.2026-11.io.lunar:disks", lun = [{device = "l6"}]}]
            """)

    def test_disks_of_one_identity_are_named(self):
        for name in ("a", "b"):
            (self.scratch / f"{name}.img").write_bytes(bytes(MIB))
        disks = "".join(f"""
            [[device]]
            name = "{name}"
            type = "file"
            path = "{self.scratch}/{name}.img"
            """ for name in "ab")
        target = 'name = "iqn.2026-11.io.lunar:disks"\nlun = [{device = "a"}, {device = "b"}]'
        self.serve_config(f"{disks}[[target]]\n{target}\n[[portal]]\nlisten = '127.0.0.1:PORT'").stop()
        os.setxattr(self.scratch / "b.img", "user.lunar.uuid",
                    os.getxattr(self.scratch / "a.img", "user.lunar.uuid"))
        for part in ("a.img", "b.img", "setfattr -x user.lunar.uuid"):
            self.refused(part, f"{disks}[[target]]\n{target}\n[[portal]]\nlisten = '127.0.0.1:0'")

    def test_what_is_wrong_is_named(self):
        target = 'target = [{name = "iqn.2026-11.io.lunar:disks", lun = [{device = "d"}]}]\n'
        ram = 'device = [{name = "d", type = "ram", size = "1MiB"}]\n'
        self.refused("sise", 'device = [{name = "d", type = "ram", sise = "1MiB"}]')
        self.refused("tape", 'device = [{name = "d", type = "tape"}]')
        self.refused("1GiBB", 'device = [{name = "d", type = "ram", size = "1GiBB"}]')
        self.refused("missing", 'device = [{name = "d", type = "error", base = "missing"}]')
        self.refused("nobody", ram + target.replace('"d"', '"nobody"'))
        self.refused("not an iqn", ram + target.replace("iqn.2026-11.io.lunar:disks", "not an iqn"))
        self.refused("luns", ram + target.replace("lun =", "luns ="))
        self.refused("16383", ram + target.replace("{device", "{lun = 16384, device"))
        self.refused("nowhere", ram + target + 'portal = [{listen = "nowhere"}]')
        self.refused("d", ram.replace("]", ', {name = "d", type = "ram", size = "1MiB"}]') + target)

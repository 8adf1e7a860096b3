"""Real clients: QEMU's iSCSI driver and libiscsi's commands."""

import shutil
from pathlib import Path

from lunar_e2e.case import E2eCase, run_tool

CHECKOUT = Path(__file__).resolve().parents[2]
MIB = 1 << 20


class QemuImg(E2eCase):
    def make_image(self) -> Path:
        """An ext4 image of this repository's files."""
        tree, image = self.scratch / "tree", self.scratch / "source.img"
        shutil.copytree(CHECKOUT, tree, symlinks=True,
                        ignore=shutil.ignore_patterns("build", ".git", ".cache", "__pycache__"))
        with image.open("wb") as file:
            file.truncate(96 * MIB)
        run_tool("mkfs.ext4", "-q", "-d", tree, image)
        return image

    def test_file_system_image_comes_back_bit_identical(self):
        image = self.make_image()
        daemon = self.serve("--disk", "ram:96MiB",
                            "--disk", f"file:{self.scratch}/lun1.img,size=96MiB")
        for lun in (0, 1):
            with self.subTest(lun=lun):
                back = self.scratch / f"back{lun}.img"
                run_tool("qemu-img", "convert", "-n", "-f", "raw", "-O", "raw", image, daemon.url(lun))
                run_tool("qemu-img", "convert", "-f", "raw", "-O", "raw", daemon.url(lun), back)
                run_tool("cmp", image, back)
                run_tool("e2fsck", "-fn", back)

    def test_info_tells_the_size(self):
        daemon = self.serve("--disk", "null:1TiB")
        self.assertIn(f"({1 << 40} bytes)", run_tool("qemu-img", "info", daemon.url()))


class QemuIo(E2eCase):
    def check(self, url, *commands):
        words = [word for command in commands for word in ("-c", command)]
        text = run_tool("qemu-io", "-f", "raw", "-t", "none", *words, url)
        self.assertNotIn("verification failed", text)
        self.assertNotIn("error", text.lower())

    def test_patterns_zeroes_and_discards_verify(self):
        daemon = self.serve("--disk", "ram:64MiB",
                            "--disk", f"file:{self.scratch}/lun1.img,size=64MiB",
                            "--disk", f"file:{self.scratch}/lun2.img,size=64MiB,cache=buffered")
        for lun in (0, 1, 2):
            with self.subTest(lun=lun):
                self.check(daemon.url(lun),
                           "write -P 0xa5 0 4M", "write -P 0x3c 4M 512", "flush",
                           "read -P 0xa5 0 4M", "read -P 0x3c 4M 512", "read -P 0 8M 1M",
                           "write -z 1M 1M", "read -P 0 1M 1M", "read -P 0xa5 2M 2M",
                           "discard 2M 1M", "read -P 0xa5 3M 1M",
                           "aio_write -P 0x77 16M 2M", "aio_write -P 0x88 18M 2M", "aio_flush",
                           "read -P 0x77 16M 2M", "read -P 0x88 18M 2M")


class LibiscsiTools(E2eCase):
    def setUp(self):
        super().setUp()
        self.daemon = self.serve("--disk", "ram:64MiB", "--disk", "null:1TiB")

    def test_ls_shows_the_target_and_its_luns(self):
        text = run_tool("iscsi-ls", "-s", self.daemon.portal_url)
        self.assertIn(f"Target:{self.daemon.target}", text)
        self.assertIn(f"127.0.0.1:{self.daemon.port}", text)
        self.assertRegex(text, r"Lun:0 +Type:DIRECT_ACCESS \(Size:")
        self.assertRegex(text, r"Lun:1 +Type:DIRECT_ACCESS \(Size:")

    def test_inq_reads_the_standard_data_and_the_pages(self):
        self.assertIn("Peripheral Device Type:DIRECT_ACCESS", run_tool("iscsi-inq", self.daemon.url()))
        for page in (0x00, 0x80, 0x83, 0xB0, 0xB1, 0xB2):
            with self.subTest(page=hex(page)):
                text = run_tool("iscsi-inq", "-e", "1", "-c", page, self.daemon.url())
                self.assertNotIn("failed", text.lower())

    def test_readcapacity16_tells_the_size(self):
        self.assertIn("Total size:67108864\n", run_tool("iscsi-readcapacity16", self.daemon.url()))

    def test_perf_runs(self):
        text = run_tool("iscsi-perf", "-m", 32, "-b", 8, "-t", 1, "-r", self.daemon.url())
        self.assertRegex(text, r"iops|IOPS")

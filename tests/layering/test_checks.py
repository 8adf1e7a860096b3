#!/usr/bin/env python3
"""Tests that the layering checks fail where they must."""

import tempfile
import unittest
from pathlib import Path

import check_includes
import check_links
import layers


class Table(unittest.TestCase):
    def test_has_no_cycle(self):
        for name, uses in layers.LAYERS.items():
            for used in uses:
                self.assertNotIn(name, layers.may_use(used), f"{name} and {used} use each other")

    def test_backends_and_protocols_do_not_know_each_other(self):
        for protocol in ("scsi/target", "iscsi/service", "control"):
            self.assertFalse([name for name in layers.may_use(protocol) if name.startswith("backends/")])
        for name in layers.LAYERS:
            if name.startswith(("backends/", "layers/")):
                self.assertEqual(layers.may_use(name), {name, "kinds", "schema", "block", "engine", "base"})

    def test_access_knows_no_protocol(self):
        self.assertEqual(layers.may_use("access"), {"access", "state", "engine", "base"})


class Includes(unittest.TestCase):
    def check(self, files):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in files.items():
                path = Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return check_includes.check(Path(folder))[1]

    def test_downwards_is_allowed(self):
        self.assertEqual(self.check({
            "src/iscsi/session/session.cpp": '#include "iscsi/session/session.h"\n#include "scsi/core/command.h"\n'
                                     '#include "base/bytes.h"\n#include <vector>\n',
            "include/lunar/block/device.h": '#include "lunar/result.h"\n'}), [])

    def test_upwards_fails(self):
        self.assertEqual(self.check({"src/block/device.cpp": '#include "scsi/core/command.h"\n'}),
                         ['src/block/device.cpp: block may not use scsi/core ("scsi/core/command.h")'])

    def test_sideways_fails(self):
        self.assertEqual(len(self.check({"src/backends/ram/ram.h": '#  include "backends/file/file.h"'})), 1)
        self.assertEqual(len(self.check({"src/scsi/spec/cdb.h": '#include "iscsi/spec/pdu.h"'})), 1)

    def test_a_room_uses_those_before_it(self):
        includes = '#include "scsi/core/command.h"\n'
        self.assertEqual(self.check({"src/scsi/blocks/verify.cpp": includes}), [])
        self.assertEqual(self.check({"src/scsi/state/condition.cpp": includes}),
                         ['src/scsi/state/condition.cpp: scsi/state may not use scsi/core '
                          '("scsi/core/command.h")'])

    def test_tests_of_a_room_use_the_whole_but_nothing_above(self):
        self.assertEqual(self.check({
            "src/scsi/state/unit_state_test.cpp": '#include "scsi/testing/bench.h"\n'
                                                  '#include "scsi/target/device_server.h"\n'}), [])
        self.assertEqual(len(self.check({
            "src/scsi/state/unit_state_test.cpp": '#include "iscsi/session/session.h"\n',
            "src/scsi/target/inventory.cpp": '#include "scsi/testing/bench.h"\n'})), 2)

    def test_public_header_upwards_fails(self):
        self.assertEqual(len(self.check({"include/lunar/types.h": '#include "lunar/block/device.h"\n'})), 1)

    def test_what_the_table_does_not_know_fails(self):
        self.assertEqual(len(self.check({"src/nvme/queue.h": "#pragma once\n"})), 1)
        self.assertEqual(len(self.check({"src/block/device.h": '#include "device.h"\n'})), 1)
        self.assertEqual(len(self.check({"include/lunar/unheard_of.h": ""})), 1)


class Links(unittest.TestCase):
    def check(self, text):
        return [line for line in check_links.violations_of(text) if "has no lunar_library" not in line]

    BASE = "lunar_library(base FOLDER src/base LINK fmt::fmt)\n"

    def test_downwards_is_allowed(self):
        self.assertEqual(self.check(self.BASE + "lunar_library(engine FOLDER src/engine\n LINK lunar_base)"), [])

    def test_upwards_fails(self):
        text = "lunar_library(base FOLDER src/base LINK lunar_engine)\nlunar_library(engine FOLDER src/engine)"
        self.assertEqual(self.check(text), ["lunar_base: base may not use engine (lunar_engine)"])

    def test_the_loop_over_kinds_is_a_row_of_each(self):
        loop = "lunar_library(${name} FOLDER src/${kind} LINK lunar_scsi_spec)\nlunar_library(scsi_spec FOLDER src/scsi/spec)"
        self.assertEqual(self.check(loop), [f"lunar_{kind.rpartition('/')[2]}: {kind} may not use scsi/spec (lunar_scsi_spec)"
                                            for kind in layers.KINDS])

    def test_library_outside_the_table_fails(self):
        self.assertEqual(len(self.check("lunar_library(nvme FOLDER src/nvme)")), 1)

    def test_folder_without_a_library_fails(self):
        self.assertIn("src/engine: has no lunar_library()", list(check_links.violations_of(self.BASE)))


if __name__ == "__main__":
    unittest.main()

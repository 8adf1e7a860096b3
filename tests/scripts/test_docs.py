#!/usr/bin/env python3
"""What the documents name exists: links, paths, scripts, presets."""

import json
import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
FOLDERS = "src|include|tests|scripts|docs|examples|cmake"


class Documents(unittest.TestCase):
    def test_there_are_the_ones_that_readme_promises(self):
        for name in ("README.md", "CHANGELOG.md", "LICENSE", "docs/ARCHITECTURE.md", "docs/HACKING.md"):
            self.assertTrue((ROOT / name).is_file(), name)

    def test_links_lead_somewhere(self):
        for document in DOCUMENTS:
            for link in re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text()):
                if not link.startswith(("http:", "https:")):
                    self.assertTrue((document.parent / link).exists(), f"{document.name}: {link}")

    def test_paths_of_the_repository_exist(self):
        for document in DOCUMENTS:
            for name in re.findall(rf"(?<![\w/.-])((?:{FOLDERS})/[\w./-]*\w)", document.read_text()):
                if "NAME" in name:  # a placeholder
                    continue
                self.assertTrue((ROOT / name).exists(), f"{document.name}: {name}")

    def test_presets_are_the_ones_described(self):
        presets = json.loads((ROOT / "CMakePresets.json").read_text())["configurePresets"]
        names = {preset["name"] for preset in presets if not preset.get("hidden")}
        described = set(re.findall(r"^\| (\w+) \| (?:g\+\+|clang) ", (ROOT / "docs/HACKING.md").read_text(),
                                   re.MULTILINE))
        self.assertEqual(names, described)

    def test_commands_name_presets_and_scripts_that_exist(self):
        presets = {path["name"] for path in
                   json.loads((ROOT / "CMakePresets.json").read_text())["configurePresets"]}
        for document in DOCUMENTS:
            for preset in re.findall(r"--preset (\w+)", document.read_text()):
                self.assertIn(preset, presets, document.name)


if __name__ == "__main__":
    unittest.main()

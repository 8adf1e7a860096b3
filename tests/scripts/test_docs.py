#!/usr/bin/env python3
"""Checks that links, paths, scripts and presets in the documents exist."""

import json
import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md",
             *sorted((ROOT / "docs").rglob("*.md"))]
FOLDERS = "src|include|tests|scripts|docs|examples|cmake"


class Documents(unittest.TestCase):
    def test_there_are_the_ones_that_readme_promises(self):
        for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "docs/ARCHITECTURE.md",
                     "docs/HACKING.md"):
            self.assertTrue((ROOT / name).is_file(), name)

    def test_links_lead_somewhere(self):
        for document in DOCUMENTS:
            prose = re.sub(r"```.*?```", "", document.read_text(), flags=re.DOTALL)  # a lambda is no link
            for link in re.findall(r"\]\(([^)#]+)[^)]*\)", prose):
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

    def test_options_of_our_scripts_are_theirs(self):
        pattern = re.compile(r"((?:scripts|tests/e2e|tests/conformance)/[\w-]+)((?:[ \t]+[\w./:,*=-]+)*)")
        for document in DOCUMENTS:
            for script, words in pattern.findall(document.read_text()):
                if not (ROOT / script).is_file():
                    continue
                for option in re.findall(r"(?<!\S)--[a-z-]+", words):
                    self.assertIn(option, (ROOT / script).read_text(), f"{document.name}: {script} {option}")

    def test_options_of_lunar_are_its_own(self):
        sources = "".join(path.read_text() for path in (ROOT / "src/cli").glob("*.cpp"))
        for document in DOCUMENTS:
            for command in re.findall(r"lunar (?:serve|bench)([^`\n]*)", document.read_text()):
                for option in re.findall(r"(?<!\S)--[a-z-]+", command):
                    self.assertIn(f'"{option}"', sources, document.name)

    def test_methods_and_members_that_embedding_names_are_there(self):
        headers = "".join(path.read_text() for path in (ROOT / "include/lunar").rglob("*.h"))
        text = (ROOT / "docs/embedding.md").read_text()
        named = set(re.findall(r"`(?:\w+(?:::|\.))*([a-z]\w*_\w+)(?:\(\))?`", text))
        named |= set(re.findall(r"server->(\w+)", text))
        self.assertGreater(len(named), 15)
        for name in named - {"find_package", "add_subdirectory"}:
            self.assertRegex(headers, rf"\b{name}\b", name)

    def test_each_backend_and_layer_is_described(self):
        reference = (ROOT / "docs/reference/devices.md").read_text()
        layers = (ROOT / "docs/layers.md").read_text()
        for folder in (ROOT / "src/backends").iterdir():
            self.assertTrue((ROOT / f"docs/backends/{folder.name}.md").is_file(), folder.name)
            self.assertIn(f"\n## {folder.name}\n", reference)
        for folder in (ROOT / "src/layers").iterdir():
            self.assertIn(f"- **{folder.name}** ", layers)
            self.assertIn(f"\n## {folder.name}\n", reference)

    def test_the_kind_of_device_that_hacking_adds_is_the_one_that_is_tested(self):
        tested = (ROOT / "src/control/new_kind_test.cpp").read_text()
        declaration = re.search(r"// HACKING: the declaration\n(.*?)\n// HACKING: end", tested, re.DOTALL)[1]
        shown = re.search(r"```cpp\n(.*?)\n   ```", (ROOT / "docs/HACKING.md").read_text(), re.DOTALL)[1]
        self.assertEqual(re.sub(r"^   ", "", shown, flags=re.MULTILINE), declaration.rstrip())

    def test_bounds_are_those_of_the_code(self):
        header = (ROOT / "include/lunar/block/request.h").read_text()
        most = int(re.search(r"kMaxLayers = (\d+);", header).group(1))
        names = {5: "five", 6: "six", 7: "seven", 8: "eight"}
        self.assertIn(f"room for {names[most]} frames", (ROOT / "docs/layers.md").read_text())
        for page in ("docs/layers.md", "docs/embedding.md"):
            self.assertIn(f"at most {names[most - 1]}", re.sub(r"\s+", " ", (ROOT / page).read_text()).lower()
                          .replace("at\nmost", "at most"), page)

    def test_nothing_is_promised_for_later(self):
        for document in DOCUMENTS:
            if document.name != "CHANGELOG.md":
                self.assertNotRegex(document.read_text(), r"later issue", document.name)

    def test_commands_name_presets_and_scripts_that_exist(self):
        presets = {path["name"] for path in
                   json.loads((ROOT / "CMakePresets.json").read_text())["configurePresets"]}
        for document in DOCUMENTS:
            for preset in re.findall(r"--preset (\w+)", document.read_text()):
                self.assertIn(preset, presets, document.name)


if __name__ == "__main__":
    unittest.main()

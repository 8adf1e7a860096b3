#!/usr/bin/env python3
"""Fails if CMakeLists.txt links a folder's library to one that the table of layers forbids.

    tests/layering/check_links.py [CHECKOUT]

Reads the lunar_library() and lunar_tests() rows, so it sees what is declared, before any build.
"""

import re
import sys
from pathlib import Path

from layers import KINDS, LAYERS, may_use

# The libraries of all kinds of device, made in a loop over their folders.
OF_A_KIND = re.compile(r"lunar_library\(\$\{name\}\s+FOLDER\s+src/\$\{kind\}([^)]*)\)")
LIBRARY = re.compile(r"lunar_(?:library|tests)\(\s*(\w+)\s+FOLDER\s+src/(\S+)([^)]*)\)")


def violations_of(text: str):
    """The violations in the text of a CMakeLists.txt, one per line."""
    text = re.sub(r"#.*", "", text)
    rows = LIBRARY.findall(text)
    for rest in OF_A_KIND.findall(text):
        rows += [(kind.rpartition("/")[2], kind, rest) for kind in KINDS]
    folders = {f"lunar_{name}": folder for name, folder, _ in rows}
    for name, folder, rest in rows:
        if folder not in LAYERS:
            yield f"lunar_{name}: src/{folder} stands in no layer of tests/layering/layers.py"
            continue
        for linked in re.findall(r"\blunar_\w+", rest):
            if linked not in folders:
                yield f"lunar_{name}: links {linked}, which is no lunar_library()"
            elif folders[linked] not in may_use(folder):
                yield f"lunar_{name}: {folder} may not use {folders[linked]} ({linked})"
    for folder in LAYERS:
        if folder not in folders.values() and folder != "cli":
            yield f"src/{folder}: has no lunar_library()"


def main() -> int:
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2]
    violations = list(violations_of((root / "CMakeLists.txt").read_text()))
    for line in violations:
        print(line)
    print(f"{len(violations)} violations")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Fails if a .cpp file does not include its own header first, or a header has no guard.

    tests/headers/check_own_header.py [CHECKOUT]

A header that comes first in a file that is compiled is one that includes what it needs; the others are
compiled alone (CMakeLists.txt here).
"""

import re
import sys
from pathlib import Path

INCLUDE = re.compile(r'^\s*#\s*include\s*["<]([^">]+)[">]', re.MULTILINE)


def own_header(root: Path, source: Path) -> str:
    """The include path of the own header: beside the source, or below include/lunar. "": there is none."""
    name = source.relative_to(root / "src").with_suffix(".h")
    for path in (Path(name), Path("lunar") / name, Path("lunar") / name.name):
        if (root / "src" / path).exists() or (root / "include" / path).exists():
            return path.as_posix()
    return ""


def violations_of(root: Path):
    """The errors, one per line."""
    for source in sorted(root.glob("src/**/*.cpp")):
        if source.stem.endswith(("_test", "_fuzz")):
            continue
        header = own_header(root, source)
        included = INCLUDE.search(source.read_text())
        if header and (not included or included[1] != header):
            yield f"{source.relative_to(root)}: does not include {header} first"
    for header in sorted([*root.glob("src/**/*.h"), *root.glob("include/**/*.h")]):
        text = header.read_text()
        guard = re.search(r"^#ifndef (\w+)\n#define \1$", text, re.MULTILINE)
        if not guard and not re.search(r"^#pragma once$", text, re.MULTILINE):
            yield f"{header.relative_to(root)}: has no include guard"


def main() -> int:
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2]
    violations = list(violations_of(root))
    print(*violations, f"{len(violations)} violations", sep="\n")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Fails when an #include in src/ or include/ breaks the table of layers.

    tests/layering/check_includes.py [CHECKOUT]
"""

import re
import sys
from pathlib import Path

from layers import LAYERS, PUBLIC_HEADERS, layer_of, layer_of_file, may_use

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)


def layer_of_header(included: str):
    """The layer of an include path as written, relative to src/ or include/. None: unknown."""
    if included.startswith("lunar/"):
        folder, slash, _ = included.removeprefix("lunar/").rpartition("/")
        return PUBLIC_HEADERS.get(folder + "/" if slash else included.removeprefix("lunar/"))
    return layer_of(included.rpartition("/")[0])


def violations_of(name: str, layer: str, text: str):
    """The violations of one file's includes, one per line."""
    allowed = may_use(layer)
    for included in INCLUDE.findall(text):
        target = layer_of_header(included)
        if target is None:
            yield f"{name}: includes \"{included}\", which belongs to no layer of tests/layering/layers.py"
        elif target not in allowed:
            yield f"{name}: {layer} may not use {target} (\"{included}\")"


def check(root: Path):
    """(number of files, violations) of a checkout."""
    files, violations = 0, []
    for path in sorted([*root.glob("src/**/*.h"), *root.glob("src/**/*.cpp"),
                        *root.glob("include/**/*.h")]):
        name = path.relative_to(root).as_posix()
        if name.startswith("include/"):
            layer = layer_of_header(name.removeprefix("include/"))
        else:
            layer = layer_of_file(name.removeprefix("src/"))
        files += 1
        if layer is None:
            violations.append(f"{name}: stands in no layer of tests/layering/layers.py")
        else:
            violations += violations_of(name, layer, path.read_text())
    return files, violations


def main() -> int:
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2]
    files, violations = check(root)
    for line in violations:
        print(line)
    if not files:
        print(f"no sources below {root}")
        return 1
    print(f"{files} files, {len(LAYERS)} layers, {len(violations)} violations")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())

"""Writes the generated parts of docs/PERFORMANCE.md. Each is between two comments."""

import re

from .targets import ROOT

PAGE = ROOT / "docs/PERFORMANCE.md"
PICTURE = ROOT / "docs/performance.svg"
DEPTHS_PICTURE = ROOT / "docs/performance-depths.svg"


def write(name: str, lines: list):
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    block = "\n".join([begin, *lines, end])
    text, count = re.subn(f"{begin}.*?{end}", lambda _: block, PAGE.read_text(), flags=re.DOTALL)
    if count != 1:
        raise SystemExit(f"{PAGE} has no place for {name}")
    PAGE.write_text(text)

#!/usr/bin/env python3
"""shellcheck over every shell script of the repository."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

scripts = [path for folder in ("scripts", ".ci", "tests") for path in sorted((ROOT / folder).rglob("*"))
           if path.is_file() and path.read_bytes()[:64].split(b"\n")[0].endswith(b"bash")]
if len(scripts) < 5:
    sys.exit(f"only {len(scripts)} scripts found below {ROOT}")
sys.exit(subprocess.run(["shellcheck", *scripts], check=False).returncode)

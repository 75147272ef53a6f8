"""The check of the layers: it looks at every module of src/, the adapter's too."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_module_is_looked_at() -> None:
    """The adapter is below packages of another distribution, where import-linter alone doesn't find it."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "import_layers.py")], capture_output=True, text=True, timeout=120
    )
    found = re.search(r"Analyzed (\d+) files", done.stdout)
    assert found, done.stdout + done.stderr
    packages = [ROOT / "src" / "penstock", ROOT / "src" / "dbt" / "adapters" / "penstock"]
    assert int(found[1]) == sum(len(list(package.rglob("*.py"))) for package in packages)
    assert done.returncode == (0 if "0 broken" in done.stdout else 1)

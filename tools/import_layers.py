"""Check the layers of src/ against the contracts in pyproject.toml: run `lint-imports` so that it finds the adapter.

dbt-core's `dbt.adapters` is a regular package that other distributions extend. import-linter accepts a nested root
package only inside namespace packages. In this process, `dbt` and `dbt.adapters` are therefore namespace packages.
"""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

from importlinter.cli import lint_imports

ROOT = Path(__file__).resolve().parents[1]


def stand_in(name: str) -> None:
    """Replace a package by a namespace package whose only folder is in src/."""
    module = ModuleType(name)
    module.__spec__ = ModuleSpec(name, None, is_package=True)
    module.__path__ = [str(ROOT / "src" / name.replace(".", "/"))]
    sys.modules[name] = module


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "src"))
    stand_in("dbt")
    stand_in("dbt.adapters")
    sys.exit(lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True, no_logo=True))

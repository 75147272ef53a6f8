"""The tests that passed, in a file of dbt's target folder, each with a key of its SQL and its data."""

from __future__ import annotations

import json
import threading
from pathlib import Path

from dbt.adapters.events.logging import AdapterLogger
from dbt_common.invocation import get_invocation_id

from penstock.storage import private_files

logger = AdapterLogger("penstock")
FILE = "passed_tests.json"


class PassedTests:
    """The tests that passed, by unique id, each with a key of its SQL and its data.

    Args:
        path: the file that holds them between runs.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._keys: dict[str, str] | None = None
        self._new: dict[str, str] = {}
        self.reused = 0

    def _before(self) -> dict[str, str]:
        if self._keys is None:
            try:
                self._keys = dict(json.loads(self._path.read_text())["keys"])
            except (OSError, ValueError, KeyError, TypeError):
                self._keys = {}
        return self._keys

    def reuse(self, name: str, key: str) -> bool:
        """Return whether a test passed with this key, and count it."""
        with self._lock:
            found = bool(key) and self._before().get(name) == key
            self.reused += found
            return found

    def add(self, name: str, key: str) -> None:
        """Note that a test passed."""
        with self._lock:
            self._new[name] = key

    def save(self) -> None:
        """Write what passed in this run beside what passed before."""
        with self._lock:
            if not self._new and not self.reused:
                return
            if self.reused:
                logger.info(f"{self.reused} tests not repeated: they passed, and their SQL and data are the same")
            self._keys = {**self._before(), **self._new}
            data = {"run": get_invocation_id(), "reused": self.reused, "keys": self._keys}
            private_files.write(self._path, json.dumps(data, indent=1))
            self._new, self.reused = {}, 0

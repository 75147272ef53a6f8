"""The file `passed_tests.json` in dbt's target folder.

The file lists the passed tests, each with a key, which is a hash of the test's SQL and data. If the variable
`reuse_passed_tests` is set, `dbt build` skips a test whose key is unchanged.
"""

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
    """The keys of the passed tests, by unique id. A key is a hash of a test's SQL and data.

    Args:
        path: the path of `passed_tests.json`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._keys: dict[str, str] | None = None
        self._new: dict[str, str] = {}
        self.reused = 0

    def _saved(self) -> dict[str, str]:
        if self._keys is None:
            try:
                self._keys = dict(json.loads(self._path.read_text())["keys"])
            except (OSError, ValueError, KeyError, TypeError):
                self._keys = {}
        return self._keys

    def reuse(self, name: str, key: str) -> bool:
        """Return whether a test passed before with the same key. If so, count the test as reused."""
        with self._lock:
            is_same = bool(key) and self._saved().get(name) == key
            self.reused += is_same
            return is_same

    def add(self, name: str, key: str) -> None:
        """Record that a test passed."""
        with self._lock:
            self._new[name] = key

    def save(self) -> None:
        """Add the tests that passed in this run to the file. The tests of earlier runs stay in the file."""
        with self._lock:
            if not self._new and not self.reused:
                return
            if self.reused:
                logger.info(f"{self.reused} tests not repeated: they passed, and their SQL and data are the same")
            self._keys = {**self._saved(), **self._new}
            data = {"run": get_invocation_id(), "reused": self.reused, "keys": self._keys}
            try:
                private_files.write(self._path, json.dumps(data, indent=1))
            except OSError as error:
                logger.warning(f"which tests passed could not be saved, so they run again next time: {error}")
            self._new, self.reused = {}, 0

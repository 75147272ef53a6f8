"""Tests that `dbt build` need not repeat: they passed, and their SQL and their data are the same.

The variable `reuse_passed_tests` switches it on. Only what this program can see is compared: the newest commits of
Delta tables on this machine, the definitions of views, the lake's months. A test that reads anything else runs.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dbt.adapters.base.meta import available
from dbt.adapters.events.logging import AdapterLogger
from dbt_common.invocation import get_invocation_id

from dbt.adapters.penstock import node_fingerprint, statement_text
from dbt.adapters.penstock.interval_models.runner import IntervalModels
from penstock import __version__
from penstock.delta import log as delta_log
from penstock.lake.catalog import MANIFEST, SCHEMA
from penstock.storage import private_files

logger = AdapterLogger("penstock")
FILE = "passed_tests.json"
VARIABLE = "reuse_passed_tests"
DEFINITION = re.compile(r"penstock\.definition=(\w+)")
# A query with one of these may give something else tomorrow.
CHANGING = re.compile(
    r"\b(current_\w+|curdate|now|localtimestamp|unix_timestamp|rand\w*|uuid|shuffle|monotonically_increasing_id"
    r"|spark_partition_id|input_file_\w+|_metadata)\b",
    re.IGNORECASE,
)


# A relation that a query names itself, with its schema.
NAMED = re.compile(rf"\b(?:from|join)\s+{statement_text.NAME}", re.IGNORECASE)


class Unseen(Exception):
    """A test reads something whose changes this program can't see."""


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


class ReusedTests(IntervalModels):
    """dbt-spark's adapter, with tests that aren't repeated."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        # `dbt debug` has no project, and no tests.
        self._passed = PassedTests(self._notes / FILE) if hasattr(self.config, "target_path") else None
        # SHOW TABLE EXTENDED's answer for each relation that this run changed: its tests come after its statements.
        self._changed: dict[str, str] = {}

    @available
    def test_key(self, node: dict[str, Any], sql: str, expected: Any = None) -> str:
        """Return a key of a test's SQL and of the data that it reads now; empty when that can't be seen.

        Args:
            node: the test.
            sql: its query, with all the rows of a unit test's inputs.
            expected: the rows that a unit test expects.
        """
        if (
            self._passed is None
            or CHANGING.search(statement_text.stripped(sql))
            or getattr(self.config.args, "defer", False)
        ):
            return ""
        try:
            # A unit test reads nothing but its query.
            read = [] if node["resource_type"] == "unit_test" else sorted(self._read(node["unique_id"]))
            self._require_known(sql, node["unique_id"])
        except Unseen as error:
            logger.debug(f"{node['name']} runs again: {error}")
            return ""
        if not read and node["resource_type"] != "unit_test":
            return ""
        # A model may write dbt's own id of the run into its rows.
        text = sql.replace(get_invocation_id(), "")
        parts = [__version__, version("pyspark"), text, json.dumps(expected, default=str), *read]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    @available
    def test_has_passed(self, node: dict[str, Any], key: str) -> bool:
        """Return whether a test passed with this key before."""
        return self._passed is not None and self._passed.reuse(node["unique_id"], key)

    @available
    def test_ran(self, node: dict[str, Any], key: str, table: Any) -> str:
        """Note a test that passed.

        Args:
            key: as it was before the test ran.
            table: the rows of its query: a count of failures, or a unit test's expected and actual rows.
        """
        if self._passed is None or not key:
            return ""
        rows = [dict(zip(table.column_names, row, strict=True)) for row in table.rows]
        if node["resource_type"] == "unit_test":
            sides: dict[str, list[str]] = {"expected": [], "actual": []}
            for row in rows:
                sides[row.pop("actual_or_expected")].append(repr(row))
            passed = sorted(sides["expected"]) == sorted(sides["actual"])
        else:
            passed = [row["failures"] for row in rows] == [0]
        if passed:
            self._passed.add(node["unique_id"], key)
        return ""

    def _read(self, name: str) -> Iterator[str]:
        """What a node reads, behind views too, each with what tells its rows from any others.

        Raises:
            Unseen: names what can't be seen.
        """
        manifest: Any = self.get_macro_resolver()
        for parent in manifest.nodes[name].depends_on.nodes:
            source, node = manifest.sources.get(parent), manifest.nodes.get(parent)
            if source is not None:
                of_lake = source.schema.lower() == SCHEMA and source.identifier.lower() != MANIFEST
                if not of_lake or not (self.config.credentials.settings.root / "lake.yml").exists():
                    raise Unseen(parent)
                yield f"{parent} {sorted(self._lake.months(self._rows_of, source.identifier.lower()).items())}"
            elif node is None:
                raise Unseen(parent)
            elif node_fingerprint.is_stored(node):
                yield f"{parent} {self._commit(node)}"
            else:
                if node.config.materialized == "view":
                    definition = DEFINITION.search(self._information(node))
                    if not definition or CHANGING.search(statement_text.stripped(node.raw_code)):
                        raise Unseen(parent)
                    self._require_known(node.raw_code, parent)
                    yield f"{parent} {definition[1]}"
                yield from self._read(parent)

    def _require_known(self, sql: str, name: str) -> None:
        """Refuse a query that names a relation which isn't among the inputs of its node.

        Raises:
            Unseen: names the relation.
        """
        known = self._inputs(name)
        for found in NAMED.finditer(statement_text.stripped(sql)):
            parts = found[1].replace("`", "").lower().split(".")
            if len(parts) > 1 and ".".join(parts[-2:]) not in known:
                raise Unseen(found[1])

    def _inputs(self, name: str) -> set[str]:
        """The relations that a node refers to, also behind views and ephemeral models, as `schema.table`."""
        manifest: Any = self.get_macro_resolver()
        found: set[str] = set()
        node = manifest.nodes.get(name)
        for parent in node.depends_on.nodes if node else ():
            of = manifest.nodes.get(parent) or manifest.sources.get(parent)
            if of is not None:
                found.add(node_fingerprint.name_of(of))
                found |= (
                    self._inputs(parent) if parent in manifest.nodes and not node_fingerprint.is_stored(of) else set()
                )
        return found

    def _information(self, node: Any) -> str:
        """What SHOW TABLE EXTENDED says of a node's relation; asked for again, once, when this run changed it."""
        name = node_fingerprint.name_of(node)
        if name not in self._changed:
            known = self.get_relation(None, node.schema, node.alias)
            if known is None or (known.information and not self.connections.descriptions.changed(name)):
                return (known.information or "") if known else ""
            found = self._find(node.schema, [node.alias.lower()])
            self._changed[name] = (found[0].information or "") if found else ""
        return self._changed[name]

    def _commit(self, node: Any) -> str:
        """The newest commit of a node's table.

        Raises:
            Unseen: no Delta table on this machine.
        """
        log = delta_log.folder(self._information(node)) if self.config.credentials.managed else None
        found = delta_log.newest(log) if log else None
        if found is None:
            raise Unseen(node.unique_id)
        return found

    def cleanup_connections(self) -> None:
        """Save which tests passed, at the end of dbt."""
        super().cleanup_connections()
        if self._passed is not None:
            self._passed.save()

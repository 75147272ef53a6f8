"""Skip tests in `dbt build` that passed before, while their SQL and their data are the same.

The variable `reuse_passed_tests` switches it on. Only changes that this program can see are compared: the newest
commits of Delta tables on this machine, the definitions of views, the versions of the lake's months. A test that reads
anything else runs.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dbt.adapters.events.logging import AdapterLogger
from dbt_common.invocation import get_invocation_id

from dbt.adapters.penstock import __version__, node_fingerprint, statement_text
from dbt.adapters.penstock.errors import as_dbt_errors
from dbt.adapters.penstock.interval_models.runner import IntervalRunner
from dbt.adapters.penstock.passed_tests import FILE, PassedTests
from dbt.adapters.penstock.relation_lookup import RelationLookup, information
from penstock.delta import log as delta_log

if TYPE_CHECKING:
    from dbt.adapters.penstock.impl import PenstockAdapter

logger = AdapterLogger("penstock")
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


class ReusedTests:
    """The reuse of passed tests in one dbt run.

    Args:
        adapter: knows the project, and sends the statements.
        relations: looks up relations by name.
        intervals: knows the interval sources.
    """

    def __init__(self, adapter: PenstockAdapter, relations: RelationLookup, intervals: IntervalRunner) -> None:
        self._adapter, self._relations, self._intervals = adapter, relations, intervals
        project = adapter.config
        # `dbt debug` has no project, and no tests.
        target = Path(project.project_root) / project.target_path if hasattr(project, "target_path") else None
        self._passed = PassedTests(target / FILE) if target else None
        # SHOW TABLE EXTENDED's answer for each relation that this run changed: its tests come after its statements.
        self._changed: dict[str, str] = {}

    @as_dbt_errors()
    def key(self, node: dict[str, Any], sql: str, expected: Any = None) -> str:
        """Return a key of a test's SQL and of the data that it reads now; empty when that can't be seen.

        Args:
            node: the test.
            sql: its query, with all the rows of a unit test's inputs.
            expected: the rows that a unit test expects.

        Raises:
            AdapterError: penstock.yml is not valid, or an interval source is damaged.
        """
        if (
            self._passed is None
            or CHANGING.search(statement_text.stripped(sql))
            or getattr(self._adapter.config.args, "defer", False)
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
        parts = [__version__.version, metadata.version("pyspark"), text, json.dumps(expected, default=str), *read]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def has_passed(self, node: dict[str, Any], key: str) -> bool:
        """Return whether a test passed with this key before."""
        return self._passed is not None and self._passed.reuse(node["unique_id"], key)

    def record(self, node: dict[str, Any], key: str, table: Any) -> str:
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
        manifest: Any = self._adapter.get_macro_resolver()
        for parent in manifest.nodes[name].depends_on.nodes:
            source, node = manifest.sources.get(parent), manifest.nodes.get(parent)
            if source is not None:
                owner, table = self._intervals.sources.get(source.schema.lower()), source.identifier.lower()
                if owner is None or not owner.registers or not owner.has_intervals(table):
                    raise Unseen(parent)
                yield f"{parent} {sorted(owner.versions(self._intervals.rows, table).items())}"
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
        manifest: Any = self._adapter.get_macro_resolver()
        found: set[str] = set()
        node = manifest.nodes.get(name)
        for parent in node.depends_on.nodes if node else ():
            of = manifest.nodes.get(parent) or manifest.sources.get(parent)
            if of is not None:
                found.add(node_fingerprint.relation_name(of))
                found |= (
                    self._inputs(parent) if parent in manifest.nodes and not node_fingerprint.is_stored(of) else set()
                )
        return found

    def _information(self, node: Any) -> str:
        """What SHOW TABLE EXTENDED says of a node's relation; asked for again, once, when this run changed it."""
        name = node_fingerprint.relation_name(node)
        if name not in self._changed:
            known = self._adapter.get_relation(None, node.schema, node.alias)
            text = information(known) if known else ""
            if known is None or (text and not self._adapter.connections.descriptions.changed(name)):
                return text
            found = self._relations.find(node.schema, [node.alias.lower()])
            self._changed[name] = information(found[0]) if found else ""
        return self._changed[name]

    def _commit(self, node: Any) -> str:
        """The newest commit of a node's table.

        Raises:
            Unseen: no Delta table on this machine.
        """
        log = delta_log.folder(self._information(node)) if self._adapter.config.credentials.managed else None
        found = delta_log.newest(log) if log else None
        if found is None:
            raise Unseen(node.unique_id)
        return found

    def save(self) -> None:
        """Save which tests passed, at the end of dbt."""
        if self._passed is not None:
            self._passed.save()

"""Skip tests in `dbt build` that passed before and whose SQL and data are unchanged.

The dbt variable `reuse_passed_tests` turns this behavior on. The adapter skips a test only if it can detect every
change of the test's inputs. To detect changes, it compares the newest commits of Delta tables on this machine, the
definitions of views, and the versions of the monthly files in the lake. A test with any other input always runs.
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
# A query with one of these functions may return different rows each time.
NONDETERMINISTIC = re.compile(
    r"\b(current_\w+|curdate|now|localtimestamp|unix_timestamp|rand\w*|uuid|shuffle|monotonically_increasing_id"
    r"|spark_partition_id|input_file_\w+|_metadata)\b",
    re.IGNORECASE,
)
# A relation in the text of a query.
RELATION = re.compile(rf"\b(?:from|join)\s+{statement_text.NAME}", re.IGNORECASE)


class UnknownChanges(Exception):
    """The adapter cannot detect the changes of one of a test's inputs."""


class ReusedTests:
    """The reuse of passed tests in one dbt run.

    Args:
        adapter: provides the project's configuration and sends the statements.
        relations: looks up relations by name.
        intervals: provides the interval sources, which are sources whose tables consist of intervals.
    """

    def __init__(self, adapter: PenstockAdapter, relations: RelationLookup, intervals: IntervalRunner) -> None:
        self._adapter, self._relations, self._intervals = adapter, relations, intervals
        project = adapter.config
        # `dbt debug` has no project and no tests.
        target = Path(project.project_root) / project.target_path if hasattr(project, "target_path") else None
        self._passed = PassedTests(target / FILE) if target else None
        # The output of SHOW TABLE EXTENDED for each relation that this run changed, after the relation's last change.
        self._changed: dict[str, str] = {}

    @as_dbt_errors()
    def key(self, node: dict[str, Any], sql: str, expected: Any = None) -> str:
        """Return a key for a test: a hash of the test's SQL and of the versions of its inputs.

        If the adapter cannot detect every change of the test's result, the key is empty, and the test always runs.

        Args:
            node: the test.
            sql: the test's query. A unit test's query contains the rows of its inputs.
            expected: the rows that a unit test expects.

        Raises:
            AdapterError: penstock.yml is not valid, or an interval source is damaged.
        """
        if (
            self._passed is None
            or NONDETERMINISTIC.search(statement_text.stripped(sql))
            or getattr(self._adapter.config.args, "defer", False)
        ):
            return ""
        try:
            # A unit test has no inputs outside its query.
            versions = [] if node["resource_type"] == "unit_test" else sorted(self._input_versions(node["unique_id"]))
            self._require_known(sql, node["unique_id"])
        except UnknownChanges as error:
            logger.debug(f"{node['name']} runs again: {error}")
            return ""
        if not versions and node["resource_type"] != "unit_test":
            return ""
        # The query may contain dbt's invocation id, which differs in each run.
        text = sql.replace(get_invocation_id(), "")
        parts = [__version__.version, metadata.version("pyspark"), text, json.dumps(expected, default=str), *versions]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def has_passed(self, node: dict[str, Any], key: str) -> bool:
        """Return whether a test passed with this key before."""
        return self._passed is not None and self._passed.reuse(node["unique_id"], key)

    def record(self, node: dict[str, Any], key: str, table: Any) -> str:
        """Record a test after it ran, if the test passed.

        Args:
            node: the test.
            key: the test's key, computed before the test ran.
            table: the result of the test's query: a count of failures, or a unit test's expected and actual rows.
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

    def _input_versions(self, name: str) -> Iterator[str]:
        """Yield a text for each input of a node. The text identifies the input and the input's current rows.

        If an input is a view, also yield the texts of the view's own inputs.

        Raises:
            UnknownChanges: the adapter cannot detect the changes of an input. The error names the input.
        """
        manifest: Any = self._adapter.get_macro_resolver()
        for parent in manifest.nodes[name].depends_on.nodes:
            source, node = manifest.sources.get(parent), manifest.nodes.get(parent)
            if source is not None:
                intervals, table = self._intervals.sources.get(source.schema.lower()), source.identifier.lower()
                if intervals is None or not intervals.registers or not intervals.has_intervals(table):
                    raise UnknownChanges(parent)
                yield f"{parent} {sorted(intervals.versions(self._intervals.rows, table).items())}"
            elif node is None:
                raise UnknownChanges(parent)
            elif node_fingerprint.is_stored(node):
                yield f"{parent} {self._newest_commit(node)}"
            else:
                if node.config.materialized == "view":
                    definition = DEFINITION.search(self._information(node))
                    if not definition or NONDETERMINISTIC.search(statement_text.stripped(node.raw_code)):
                        raise UnknownChanges(parent)
                    self._require_known(node.raw_code, parent)
                    yield f"{parent} {definition[1]}"
                yield from self._input_versions(parent)

    def _require_known(self, sql: str, name: str) -> None:
        """Check that a query reads only relations that are inputs of its node.

        Raises:
            UnknownChanges: the query reads another relation. The error names that relation.
        """
        known = self._inputs(name)
        for match in RELATION.finditer(statement_text.stripped(sql)):
            parts = match[1].replace("`", "").lower().split(".")
            if len(parts) > 1 and ".".join(parts[-2:]) not in known:
                raise UnknownChanges(match[1])

    def _inputs(self, name: str) -> set[str]:
        """Return the relations (as `schema.table`) that a node reads, also through views and ephemeral models."""
        manifest: Any = self._adapter.get_macro_resolver()
        relations: set[str] = set()
        node = manifest.nodes.get(name)
        for parent in node.depends_on.nodes if node else ():
            upstream = manifest.nodes.get(parent) or manifest.sources.get(parent)
            if upstream is None:
                continue
            relations.add(node_fingerprint.relation_name(upstream))
            if parent in manifest.nodes and not node_fingerprint.is_stored(upstream):
                relations |= self._inputs(parent)
        return relations

    def _information(self, node: Any) -> str:
        """Return the output of SHOW TABLE EXTENDED for a node's relation.

        dbt's cache has the output from the start of the run. If this run changed the relation, the first call reads the
        output from Spark again.
        """
        name = node_fingerprint.relation_name(node)
        if name not in self._changed:
            known = self._adapter.get_relation(node.database, node.schema, node.alias)
            text = information(known) if known else ""
            if known is None or (text and not self._adapter.connections.descriptions.changed(name)):
                return text
            matches = self._relations.find(node.database, node.schema, [node.alias.lower()])
            self._changed[name] = information(matches[0]) if matches else ""
        return self._changed[name]

    def _newest_commit(self, node: Any) -> str:
        """Return the id of the newest commit of a node's table.

        Raises:
            UnknownChanges: the table is not a Delta table on this machine.
        """
        log = delta_log.log_folder(self._information(node)) if self._adapter.config.credentials.managed else None
        commit = delta_log.newest_commit_id(log) if log else None
        if commit is None:
            raise UnknownChanges(node.unique_id)
        return commit

    def save(self) -> None:
        """Save the passed tests at the end of a dbt run."""
        if self._passed is not None:
            self._passed.save()

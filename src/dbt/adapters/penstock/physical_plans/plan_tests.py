"""Tests of physical plans and of files. Macros run these tests with `adapter.physical_failures`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dbt.adapters.base import BaseRelation

from dbt.adapters.penstock import node_fingerprint
from dbt.adapters.penstock.errors import AdapterError
from dbt.adapters.penstock.physical_plans.capture import EXPLAIN, PlanCapture
from dbt.adapters.penstock.physical_plans.file_tests import FileTests
from penstock.errors import render
from penstock.plans import assertions, plan_store
from penstock.plans.operators import Plan
from penstock.plans.plan_parser import NotAPlan, parse
from penstock.plans.plan_store import CapturedPlan

if TYPE_CHECKING:
    from dbt.adapters.penstock.impl import PenstockAdapter


def _number(least: float) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int | float) and not isinstance(value, bool) and value >= least


def _count(least: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= least


def _name(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _names(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_name, value))


# By test and argument: a check of the argument's value, a description of a valid value, and whether the argument is
# optional.
COUNT = (_count(1), "a whole number of at least 1", False)
ARGUMENTS: dict[str, dict[str, tuple[Callable[[Any], bool], str, bool]]] = {
    "plan_broadcasts": {"side": (_name, "an alias of the query or a table it reads", False)},
    "plan_exchanges_at_most": {"n": (_count(0), "a whole number of at least 0", False)},
    "plan_reads_columns_at_most": {"n": COUNT, "table": (_name, "a table that the plan reads", True)},
    "plan_has_no_cartesian": {},
    "plan_has_no_single_partition_window": {},
    "plan_prunes_partitions": {
        "column": (_name, "a column", False),
        "value": (lambda value: value is not None and not isinstance(value, list | dict), "one value of it", False),
    },
    "file_sizes_between": {
        "min": (_number(0), "a number of MB, at least 0", False),
        "max": (_number(0), "a number of MB, at least 0", False),
    },
    "files_per_partition_at_most": {"n": COUNT},
    "stats_present": {"columns": (_names, "a list of columns", True)},
}


def check_arguments(test: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Check the arguments of a test, and return those that have a value.

    Raises:
        AdapterError: an argument is missing or invalid. The error names the argument.
    """
    given: dict[str, Any] = {}
    for name, (is_valid, needed, optional) in ARGUMENTS[test].items():
        value = arguments.get(name)
        if value is None and optional:
            continue
        if not is_valid(value):
            found = "nothing" if value is None else repr(value)
            raise AdapterError(f"{name} of {test} as {needed}", found, "correct it in the test's yml")
        given[name] = value
    if "max" in given and given["max"] <= given["min"]:
        found = f"min {given['min']} and max {given['max']}"
        raise AdapterError(f"a max of {test} above its min", found, "correct them in the test's yml")
    return given


class PhysicalTests:
    """The tests of plans and files.

    Args:
        adapter: sends the statements.
        plans: the captured plans.
    """

    def __init__(self, adapter: PenstockAdapter, plans: PlanCapture) -> None:
        self._adapter, self._plans, self._files = adapter, plans, FileTests(adapter)
        # The query and plan of each tested view. They are cached, since a view does not change after its first test.
        self._views: dict[str, tuple[str, Plan]] = {}
        self._lock = threading.Lock()

    def failures(self, relation: Any, test: str, arguments: dict[str, Any]) -> list[str]:
        """Return the failure messages of a test of a model's plan or files. The list is empty if the test passes.

        Args:
            relation: the model's relation, as dbt passes it to a generic test.
            test: the test's name.
            arguments: the test's own arguments.

        Raises:
            AdapterError: the relation is not a model of the project, or an argument is invalid.
        """
        given = check_arguments(test, arguments)
        if not isinstance(relation, BaseRelation):
            raise AdapterError(f"a whole model for {test}", str(relation), "leave out its `where`")
        if test == "plan_prunes_partitions":
            return self._test_pruning(relation, **given)
        if test not in assertions.CHECKS:
            name = str(relation.schema), str(relation.identifier)
            cached = self._adapter.get_relation(relation.database, *name)
            return self._files.failures(cached or relation, test, **given)
        node = self._find_model(relation, test)
        return (
            self._test_captured_plan(node, test, given)
            if node_fingerprint.is_stored(node)
            else self._test_view(relation, node, test, given)
        )

    def _test_view(self, relation: BaseRelation, node: Any, test: str, given: dict[str, Any]) -> list[str]:
        """Test the EXPLAIN output of a view, since a view has no captured plan."""
        with self._lock:
            if node.unique_id not in self._views:
                text = next((str(row[1]) for row in self._files.describe_rows(relation) if row[0] == "View Text"), "")
                self._views[node.unique_id] = (text, self._explain(relation))
        text, plan = self._views[node.unique_id]
        views = node_fingerprint.views(self._adapter.get_macro_resolver(), node.unique_id)
        return assertions.run(test, CapturedPlan(node.unique_id, "", "", text, views), plan, given)

    def _test_captured_plan(self, node: Any, test: str, given: dict[str, Any]) -> list[str]:
        """Test the captured plan of a model's last run."""
        self._plans.wait(node.unique_id)
        captured = plan_store.read(self._plans.target, node.unique_id)
        do = f"dbt run --select {node.name}"
        try:
            plan = captured.plan if captured else None
        except NotAPlan as error:
            return [render(f"a plan of {node.name} in the form of EXPLAIN FORMATTED", str(error), do)]
        if captured and captured.missing and plan is None:
            found = f"{captured.missing}, and no executed plan"
            do = f"raise explain_seconds, or set ui_url for a remote server, then {do}"
            return [render(f"the plan that {node.name} last ran with", found, do)]
        if captured is None or plan is None:
            where = f"{self._adapter.config.target_path}/{plan_store.FOLDER}"
            return [render(f"the plan that {node.name} last ran with", f"none in {where}", do)]
        if captured.code != node_fingerprint.fingerprint(self._adapter.get_macro_resolver(), node.unique_id):
            needed = f"a plan of {node.name} with its current code"
            return [render(needed, "one of older code", do, entry="the-plan-is-of-older-code")]
        return assertions.run(test, captured, plan, given)

    def _find_model(self, relation: BaseRelation, test: str) -> Any:
        manifest: Any = self._adapter.get_macro_resolver()
        name = f"{relation.schema}.{relation.identifier}".lower()
        for node in manifest.nodes.values():
            if node.resource_type == "model" and node_fingerprint.relation_name(node) == name:
                return node
        raise AdapterError(f"a model of this project for {test}", name, "put the test on a model")

    def _explain(self, relation: BaseRelation, condition: str = "") -> Plan:
        _, table = self._adapter.execute(f"{EXPLAIN}select * from {relation.render()}{condition}", fetch=True)
        try:
            return parse(str(table.rows[0][0]))
        except NotAPlan as error:
            found = str(table.rows[0][0])
            raise AdapterError(f"a plan of {relation}", found or str(error), "correct the test") from None

    def _test_pruning(self, relation: BaseRelation, column: str, value: Any) -> list[str]:
        literal = value if isinstance(value, int | float) else "'" + str(value).replace("'", "\\'") + "'"
        known = self._adapter.get_relation(relation.database, str(relation.schema), str(relation.identifier))
        if known is not None and getattr(known, "is_iceberg", False):
            # An Iceberg scan has no PartitionFilters to test. But Iceberg skips files by all columns of its partition
            # transforms, so a test of the table's partitioning suffices.
            columns = self._files.partitioning(known)
            if column.lower() in map(str.lower, columns):
                return []
            needed, found = f"a filter on {column} to prune partitions of {relation}", ", ".join(columns) or "none"
            return [render(needed, f"partitions by {found}", f"partition the table by {column}")]
        plan = self._explain(relation, f" where {column} = {literal}")
        return assertions.prunes_partitions(relation.render(), plan, column)

"""Compare the tables of models, one after another, in one session."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from penstock.diff import checksums, columns, keys, multisets, row_changes
from penstock.diff.checksums import Checksums
from penstock.diff.columns import ComparedColumn
from penstock.diff.dbt_tables import DbtTable, Relation
from penstock.diff.equal_intervals import EqualIntervals, SkippedIntervals, history
from penstock.diff.keys import Key
from penstock.diff.multisets import DuplicateKeys
from penstock.diff.request import Bounds
from penstock.diff.results import DIFFERENT, EQUAL, NEW, NO_VERSION, NOT_BUILT, SAME_TABLE, VIEW, TableDiff
from penstock.diff.row_changes import RowChanges
from penstock.diff.source_rows import ComparedRows
from penstock.errors import PenstockError
from penstock.intervals.grain import MONTH, format_intervals
from penstock.sql import data_types

RunQuery = Callable[[str], Sequence[Sequence[Any]]]
MISSING = ("TABLE_OR_VIEW_NOT_FOUND", "SCHEMA_NOT_FOUND", "Table or view not found", "CATALOG_NOT_FOUND")
NO_KEY = "no key: whole rows are compared; give one with unique_key, a unique test or --key"


@dataclass
class Comparison:
    """A comparison of tables between two targets, or with an earlier version.

    Attributes:
        run_query: runs a statement in the session.
        target: the target whose tables are compared.
        baseline: the other target; empty for an earlier version.
        version: the Delta version to compare with; a negative number counts back from the newest version.
        key: the columns of the option `--key`; empty without it.
        bounds: the limits of the work.
    """

    run_query: RunQuery
    target: str
    baseline: str = ""
    version: int | None = None
    key: Key = field(default_factory=Key)
    bounds: Bounds = field(default_factory=Bounds)

    def __post_init__(self) -> None:
        for name, value in data_types.UNTRUNCATED_TYPES.items():
            self.run_query(f"set {name}={value}")
        self._equal_intervals = EqualIntervals(self.run_query)

    def compare(self, table: DbtTable) -> TableDiff:
        """Return the differences of one model.

        Raises:
            PenstockError: a column of `--key` is missing, or Spark can't read a table.
        """
        after = table.relations[self.target]
        if self.version is not None:
            return self._compare_version(table, after)
        before = table.relations.get(self.baseline, Relation(""))
        result = TableDiff(
            table.name, before.sql, after.sql, grain=table.intervals.grain.name if table.intervals else MONTH
        )
        if before.sql.lower() == after.sql.lower():
            return replace(result, status=SAME_TABLE)
        new = self._columns(after.sql)
        if new is None:
            return replace(result, status=NOT_BUILT)
        old = self._columns(before.sql) if before.sql else None
        if old is None:
            count = int(self.run_query(f"select count(*) from {after.sql}")[0][0])
            return replace(result, status=NEW, rows=(0, count), changes=RowChanges(added=count))
        skipped = SkippedIntervals()
        if table.intervals and not self.bounds.full:
            skipped = self._equal_intervals.find(before, after, table.intervals)
        return self._compare_rows(table, result, old, new, skipped)

    def _compare_version(self, table: DbtTable, relation: Relation) -> TableDiff:
        result = TableDiff(table.name, relation.sql, relation.sql)
        if table.is_view:
            return replace(result, status=VIEW)
        new = self._columns(relation.sql)
        if new is None:
            return replace(result, status=NOT_BUILT)
        version, found = self._find_version(relation.sql)
        if version is None:
            return replace(result, status=NO_VERSION, note=found)
        before = f"{relation.sql} version as of {version}"
        old = self._columns(before)
        assert old is not None
        return self._compare_rows(table, replace(result, before=before), old, new, SkippedIntervals())

    def _find_version(self, relation: str) -> tuple[int | None, str]:
        """Return the version to compare with. If the table lacks the version, return None and a reason."""
        try:
            versions = [commit.version for commit in history(self.run_query, relation)]
        except PenstockError:
            return None, "it is not a Delta table"
        assert self.version is not None
        version = versions[-1] + self.version if self.version < 0 else self.version
        return (version, "") if version in versions else (None, f"it has the versions {versions[0]} to {versions[-1]}")

    def _columns(self, source: str) -> list[tuple[str, str]] | None:
        """Return (name, type) of a table's columns, or None if the table doesn't exist."""
        try:
            return [(str(row[0]), str(row[1])) for row in self.run_query(f"describe query select * from {source}")]
        except PenstockError as error:
            if any(text in error.found for text in MISSING):
                return None
            raise

    def _compare_rows(
        self, table: DbtTable, result: TableDiff, old: columns.Columns, new: columns.Columns, skipped: SkippedIntervals
    ) -> TableDiff:
        compared = columns.compared_columns(old, new)
        key = self._key(table, compared)
        by_name = {column.name.casefold(): column for column in compared}
        key_columns = [by_name[name.casefold()] for name in key.columns]
        values = [column for column in compared if column not in key_columns]
        result = replace(
            result,
            schema=columns.schema_changes(old, new),
            key=Key(tuple(column.name for column in key_columns), key.source),
            columns=tuple(column.name for column in (*key_columns, *values)),
            note="" if key else NO_KEY,
        )
        if skipped.days and table.intervals:
            shown = format_intervals(skipped.days, table.intervals.grain)
            result = replace(result, skipped=shown, skipped_count=len(skipped.days), skipped_rows=skipped.rows)
        if not skipped.complete and compared:
            rows = ComparedRows(result.before, result.after, key_columns, values, skipped.where, self.bounds.sample)
            result = self._with_rows(result, rows)
        changes = result.changes
        differs = result.schema or changes.added or changes.removed or changes.changed
        return replace(result, status=DIFFERENT if differs else EQUAL)

    def _key(self, table: DbtTable, compared: Sequence[ComparedColumn]) -> Key:
        """Return the key of a model.

        Raises:
            PenstockError: one of the compared tables lacks a column of `--key`.
        """
        names = [column.name for column in compared]
        if not self.key:
            return keys.choose(table.keys, names)
        chosen = keys.choose([self.key], names)
        if not chosen:
            missing = [name for name in self.key.columns if name.casefold() not in {item.casefold() for item in names}]
            needed = f"columns of {table.name} in both tables as --key"
            do = f"name some of {', '.join(names)}, or choose other models with --select"
            raise PenstockError(needed, f"no {', '.join(missing)}", do)
        return chosen

    def _with_rows(self, result: TableDiff, rows: ComparedRows) -> TableDiff:
        """Return the result with the differences between rows."""
        sums = checksums.parse(rows, self.run_query(checksums.query(rows)))
        figures = {rows.columns[name].name: pair for name, pair in sums.figures.items()}
        result = replace(result, rows=sums.rows, figures=figures)
        if not sums.differing:
            return result
        limit = self.bounds.limit
        if rows.key:
            found = self.run_query(multisets.duplicates_query(rows, limit))
            if duplicates := multisets.parse_duplicates(found, limit):
                result = replace(result, duplicates=duplicates, note=_describe(duplicates))
                return replace(result, changes=self._multiset_changes(rows, sums))
            return replace(result, changes=self._row_changes(rows, sums))
        return replace(result, changes=self._multiset_changes(rows, sums))

    def _multiset_changes(self, rows: ComparedRows, sums: Checksums) -> RowChanges:
        limit = self.bounds.limit
        found = self.run_query(multisets.differences_query(rows, sums.differing, limit))
        return multisets.parse_differences(rows, found, limit)

    def _row_changes(self, rows: ComparedRows, sums: Checksums) -> RowChanges:
        counts = row_changes.parse_counts(rows, self.run_query(row_changes.counts_query(rows, sums.differing)))
        changes, limit = counts.totals, self.bounds.limit
        if limit and (changes.added or changes.removed or changes.changed):
            found = self.run_query(row_changes.examples_query(rows, counts, limit))
            changes.examples = row_changes.parse_examples(found)
        return _with_names(changes, {name: column.name for name, column in rows.columns.items()})


def _with_names(changes: RowChanges, names: Mapping[str, str]) -> RowChanges:
    """Return row changes with the names of columns instead of their SQL names, in the order of the table."""
    counts = {name: changes.columns[sql] for sql, name in names.items() if sql in changes.columns}
    examples = {names.get(kind, kind): found for kind, found in changes.examples.items()}
    return replace(changes, columns=counts, examples=examples)


def _describe(duplicates: DuplicateKeys) -> str:
    parts = [
        f"{keys_:,} keys in {rows:,} rows {when}"
        for keys_, rows, when in zip(duplicates.keys, duplicates.rows, ("before", "after"), strict=True)
        if keys_
    ]
    return f"the key is not unique ({', '.join(parts)}): whole rows are compared"


def compare_all(
    comparison: Comparison, tables: Sequence[DbtTable], progress: Callable[[str], object] = lambda text: None
) -> list[TableDiff]:
    """Return the differences of each model.

    Args:
        comparison: compares one model.
        tables: the models.
        progress: called with a short text before each model.

    Raises:
        PenstockError: no table could be compared, or `Comparison.compare` raised the error.
    """
    results = []
    for place, table in enumerate(tables, start=1):
        progress(f"comparing {table.name} ({place}/{len(tables)})")
        results.append(comparison.compare(table))
    if all(result.status in (NOT_BUILT, NO_VERSION, SAME_TABLE, VIEW) for result in results):
        raise _nothing_compared(comparison, results)
    return results


def _nothing_compared(comparison: Comparison, results: Sequence[TableDiff]) -> PenstockError:
    first = results[0]
    names = ", ".join(result.name for result in results[:5]) + (" …" if len(results) > 5 else "")
    statuses = {result.status for result in results}
    if statuses == {SAME_TABLE}:
        needed = (
            f"tables that are in other schemas or catalogs in `{comparison.baseline}` than in `{comparison.target}`"
        )
        found = f"the same tables in both: {names}"
        return PenstockError(needed, found, "give the targets other schemas, see macro generate_schema_name")
    if NO_VERSION in statuses:
        version = next(result for result in results if result.status == NO_VERSION)
        needed = f"the Delta version {comparison.version} of {version.name}"
        return PenstockError(needed, version.note, f"see `describe history {version.after}`")
    if VIEW in statuses:
        return PenstockError("a table with versions", f"only views: {names}", "name tables with --select")
    do = f"type `dbt build --target {comparison.target}`, or choose other models with --select"
    return PenstockError(f"built tables of `{comparison.target}`", f"none of {names}, as in {first.after}", do)

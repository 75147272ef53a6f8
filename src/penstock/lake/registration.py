"""Register the lake's tables with Spark. `plan_statements` returns the SQL statements, and `register_tables` runs them.

Each dataset is an external parquet table. Its partitions point to the live folders, so that replacing a month takes one
`SET LOCATION` in Spark.

The properties of the schema record the manifest version that Spark's tables show, and a fingerprint of each table. A
run executes only the statements for the difference between the recorded version and the newest version. The run clears
the recorded version before the first change and sets it after the last change. If a run is killed between these
two steps, the next run finds no version and recreates all tables. No row is lost, because the tables are external.

A lock prevents two sessions on one machine from registering at the same time. Sessions on different machines have no
common lock. Each session writes a claim to the schema's properties. A session that finds the claim of another session
at the end starts again and recreates all tables.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from penstock.errors import PenstockError
from penstock.lake.catalog import MANIFEST, PARTITION, SCHEMA, Catalog, Dataset
from penstock.lake.manifest import Entry, LiveMonths, Manifest
from penstock.lake.manifest_table import COLUMNS, write_snapshot
from penstock.lake.staging import registration_lock
from penstock.sql.names import quote_identifier, string_literal
from penstock.storage.locations import Location

VERSION_PROPERTY = "penstock.lake_version"
# Identifies the session that is registering, because sessions on different machines have no common lock.
CLAIM_PROPERTY = "penstock.publishing"
TABLE_PROPERTY = "penstock.table."
# Number of partitions that one statement adds. A few long statements are parsed faster than many short ones, although
# the metastore adds the partitions one by one.
PARTITIONS_PER_STATEMENT = 200
# Number of times that a session tries to register while sessions on other machines keep interfering.
ATTEMPTS = 10

RunSql = Callable[[str], Sequence[Any]]


@dataclass(frozen=True)
class RegisteredState:
    """The state of the lake's tables in the metastore.

    Attributes:
        version: the result of `lake_version` when the tables were registered; empty if it is unknown or a run was
            killed.
        claim: identifier of the session that started to register most recently.
        tables: fingerprint of each existing table, by dataset.
    """

    version: str = ""
    claim: str = ""
    tables: dict[str, str] = field(default_factory=dict)


def lake_version(catalog: Catalog, manifest: Manifest, uri: str, version: int | None = None) -> str:
    """Return a text that changes if Spark's tables must change.

    The text combines the manifest's version, the digest of that version, the columns of the tables, and the lake's URI.

    Args:
        catalog: the datasets.
        manifest: the lake's manifest.
        uri: URI of the lake for Spark.
        version: version of the manifest; by default the newest.
    """
    version = manifest.version() if version is None else version
    address = hashlib.sha256(uri.encode()).hexdigest()[:16]
    return f"1-{version}-{manifest.digest(version)}-{catalog.tables_fingerprint}-{address}"


def registered_months(registered: RegisteredState, target: str, manifest: Manifest) -> LiveMonths | None:
    """Return the live months that Spark's tables show, or None if the manifest doesn't determine them.

    Args:
        registered: the recorded state of the tables.
        target: the `lake_version` to register.
        manifest: the lake's manifest.
    """
    old, new = registered.version.split("-"), target.split("-")
    if len(old) != 5 or old[0] != new[0] or old[4] != new[4] or not old[1].isdigit() or int(old[1]) > int(new[1]):
        return None
    version = int(old[1])
    return manifest.live(version) if manifest.digest(version) == old[2] else None


def _partition(month: date) -> str:
    return f"PARTITION ({PARTITION}=DATE'{month.isoformat()}')"


def _create_table(name: str, columns: list[tuple[str, str, str]], clauses: str, comment: str) -> str:
    body = ", ".join(
        f"{quote_identifier(column)} {kind} COMMENT {string_literal(text)}" for column, kind, text in columns
    )
    table = f"{SCHEMA}.{quote_identifier(name)}"
    return f"CREATE TABLE {table} ({body}) USING parquet {clauses} COMMENT {string_literal(comment)}"


def _recreate(dataset: Dataset, uri: str) -> list[str]:
    # The location of the table itself is an empty folder. All rows are in the locations of the partitions.
    location = string_literal(f"{uri}/manifest/tables/{dataset.name}")
    clauses = f"PARTITIONED BY ({PARTITION}) LOCATION {location}"
    return [
        f"DROP TABLE IF EXISTS {SCHEMA}.{quote_identifier(dataset.name)}",
        _create_table(dataset.name, dataset.table_columns, clauses, dataset.description),
    ]


def _alter_partitions(dataset: str, before: dict[date, Entry], after: dict[date, Entry], uri: str) -> Iterator[str]:
    """Yield the statements that change the partitions of a table from `before` to `after`."""
    alter = f"ALTER TABLE {SCHEMA}.{quote_identifier(dataset)}"
    removed = sorted(before.keys() - after.keys())
    for start in range(0, len(removed), PARTITIONS_PER_STATEMENT):
        yield f"{alter} DROP IF EXISTS {', '.join(map(_partition, removed[start : start + PARTITIONS_PER_STATEMENT]))}"
    for month in sorted(before.keys() & after.keys()):
        if before[month].folder != after[month].folder:
            yield f"{alter} {_partition(month)} SET LOCATION {string_literal(f'{uri}/{after[month].folder}')}"
    added = sorted(after.keys() - before.keys())
    for start in range(0, len(added), PARTITIONS_PER_STATEMENT):
        months = added[start : start + PARTITIONS_PER_STATEMENT]
        partitions = [
            f"{_partition(month)} LOCATION {string_literal(f'{uri}/{after[month].folder}')}" for month in months
        ]
        yield f"{alter} ADD IF NOT EXISTS {' '.join(partitions)}"


def plan_statements(
    catalog: Catalog, uri: str, registered: RegisteredState, before: LiveMonths | None, after: LiveMonths, snapshot: str
) -> list[str]:
    """Return the statements that change Spark's tables from `before` to `after`, without the schema's properties.

    Args:
        catalog: the datasets.
        uri: URI of the lake for Spark. It is not percent-encoded, because Spark takes a LOCATION literally.
        registered: the existing tables and their fingerprints.
        before: the live months that the tables show. If None, all tables are recreated.
        after: the live months that the tables will show. Months of datasets that are not in `lake.yml` are omitted.
        snapshot: folder of the manifest's snapshot, relative to the lake.
    """
    statements: list[str] = []
    for name in sorted(registered.tables.keys() - catalog.datasets.keys() - {MANIFEST}):
        statements.append(f"DROP TABLE IF EXISTS {SCHEMA}.{quote_identifier(name)}")
    for name, dataset in catalog.datasets.items():
        old = {month: entry for (owner, month), entry in (before or {}).items() if owner == name}
        new = {month: entry for (owner, month), entry in after.items() if owner == name}
        if before is None or registered.tables.get(name) != dataset.table_fingerprint:
            statements += _recreate(dataset, uri)
            old = {}
        statements += _alter_partitions(name, old, new, uri)
    location = string_literal(f"{uri}/{snapshot}")
    if before is None:
        columns = [(name, kind, comment) for name, (_, kind, comment) in COLUMNS.items()]
        statements.append(f"DROP TABLE IF EXISTS {SCHEMA}.{quote_identifier(MANIFEST)}")
        statements.append(_create_table(MANIFEST, columns, f"LOCATION {location}", "Every landing of the lake"))
    else:
        statements.append(f"ALTER TABLE {SCHEMA}.{quote_identifier(MANIFEST)} SET LOCATION {location}")
    return statements


def _read_registered(run: RunSql) -> RegisteredState | None:
    """Return the state that the schema's properties record, or None if the schema does not exist."""
    try:
        rows = run(f"DESCRIBE SCHEMA EXTENDED {SCHEMA}")
    except Exception as error:
        if "SCHEMA_NOT_FOUND" in str(error):
            return None
        raise
    text = next((str(row[1]) for row in rows if str(row[0]).strip().lower() == "properties"), "")
    properties = dict(re.findall(r"\((penstock\.[^,()]+),([^()]*)\)", text))
    tables = {k[len(TABLE_PROPERTY) :]: v for k, v in properties.items() if k.startswith(TABLE_PROPERTY) and v}
    return RegisteredState(properties.get(VERSION_PROPERTY, ""), properties.get(CLAIM_PROPERTY, ""), tables)


def _set_properties(values: dict[str, str]) -> str:
    body = ", ".join(f"{string_literal(key)}={string_literal(value)}" for key, value in values.items())
    return f"ALTER SCHEMA {SCHEMA} SET DBPROPERTIES ({body})"


def register_tables(run: RunSql, catalog: Catalog, lake_dir: Location, uri: str) -> int:
    """Update Spark's tables from the manifest, and return the number of executed statements.

    If the tables are already up to date, one statement is executed.

    Args:
        run: executes a SQL statement and returns its rows as sequences. An error that `run` raises is not converted.
        catalog: the datasets.
        lake_dir: location of the lake for this program.
        uri: URI of the lake for Spark.

    Raises:
        PenstockError: the manifest is damaged, or sessions on other machines keep interfering.
    """
    issued = 0

    def issue(statement: str) -> Sequence[Any]:
        nonlocal issued
        issued += 1
        return run(statement)

    manifest = Manifest(lake_dir)
    registered = _read_registered(issue)
    if registered and registered.version == lake_version(catalog, manifest, uri):
        return issued
    with registration_lock(lake_dir):
        # Another session may have registered the tables while this session waited for the lock.
        registered = _read_registered(issue)
        if registered and registered.version == lake_version(catalog, manifest, uri):
            return issued
        if registered is None:
            issue(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA} COMMENT 'Landed files; penstock keeps these tables'")
        for attempt in range(ATTEMPTS):
            if _register(issue, catalog, manifest, uri, recreate=attempt > 0):
                return issued
        raise PenstockError(
            f"the tables of {SCHEMA} for one session at a time",
            "sessions of other machines registered them all the time",
            "try again",
        )


def _register(issue: RunSql, catalog: Catalog, manifest: Manifest, uri: str, recreate: bool) -> bool:
    """Update the tables, or recreate all of them. Return False if another machine's session interfered."""
    claim = uuid.uuid4().hex
    issue(_set_properties({CLAIM_PROPERTY: claim}))
    # Write the claim before reading the state. A session that is still registering will find this claim and try again.
    registered = _read_registered(issue) or RegisteredState()
    version, snapshot = write_snapshot(manifest)
    target = lake_version(catalog, manifest, uri, version)
    before = None if recreate else registered_months(registered, target, manifest)
    issue(_set_properties({VERSION_PROPERTY: ""}))
    snapshot_folder = f"manifest/snapshots/{snapshot.parent.name}"
    for statement in plan_statements(catalog, uri, registered, before, manifest.live(version), snapshot_folder):
        issue(statement)
    tables = {TABLE_PROPERTY + name: "" for name in registered.tables}
    tables |= {TABLE_PROPERTY + d.name: d.table_fingerprint for d in catalog.datasets.values()}
    if (_read_registered(issue) or RegisteredState()).claim != claim:
        return False
    issue(_set_properties({**tables, VERSION_PROPERTY: target}))
    return True

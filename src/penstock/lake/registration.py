"""Bringing Spark's tables up to date with the lake: `plan` says which statements, `synchronise` runs them.

Every dataset is an external parquet table whose partitions point at the live folders, so a month
that switched in the manifest switches in Spark by one `SET LOCATION`. What Spark shows is kept in
properties of the schema: the version of the log it was brought to, and a fingerprint for each table.
The difference between that version and the newest one is all that has to be issued. The version is
blanked before the first change and set after the last, so a run that was killed is found out and
everything is published anew; the tables are external, no row is lost by that. Sessions of one machine
wait for each other by a lock; those of several see by the claim that they met, and make all of it anew.
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
from penstock.lake.manifest import Entry, Live, Manifest
from penstock.lake.manifest_table import COLUMNS, write_snapshot
from penstock.lake.staging import publish_lock
from penstock.storage.locations import Folder

VERSION_PROPERTY = "penstock.lake_version"
# Names the session that publishes: two on different machines have no lock between them.
CLAIM_PROPERTY = "penstock.publishing"
TABLE_PROPERTY = "penstock.table."
# Partitions added by one statement: the metastore takes them one by one, the parser in one go.
BATCH = 200

# How often a session begins anew because another one does.
TURNS = 10

Run = Callable[[str], Sequence[Any]]


@dataclass(frozen=True)
class Published:
    """What the metastore shows.

    Attributes:
        version: the `lake_version` it was brought to; empty when that is unknown or was cut short.
        tables: fingerprint of each table that exists, by dataset.
        claim: the session that began to publish last.
    """

    version: str = ""
    claim: str = ""
    tables: dict[str, str] = field(default_factory=dict)


def lake_version(catalog: Catalog, manifest: Manifest, uri: str, version: int | None = None) -> str:
    """Text that changes whenever Spark's tables have to: log version (default: newest), its digest, columns, folder."""
    version = manifest.version() if version is None else version
    place = hashlib.sha256(uri.encode()).hexdigest()[:16]
    return f"1-{version}-{manifest.digest(version)}-{catalog.tables_fingerprint}-{place}"


def previous_live(published: Published, now: str, manifest: Manifest) -> Live | None:
    """The live months that the metastore shows; None when they can't be told from this log."""
    was, new = published.version.split("-"), now.split("-")
    if len(was) != 5 or was[0] != new[0] or was[4] != new[4] or not was[1].isdigit() or int(was[1]) > int(new[1]):
        return None
    version = int(was[1])
    return manifest.live(version) if manifest.digest(version) == was[2] else None


def literal(text: str) -> str:
    """A SQL string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _partition(month: date) -> str:
    return f"PARTITION ({PARTITION}=DATE'{month.isoformat()}')"


def _create_table(name: str, columns: list[tuple[str, str, str]], tail: str, comment: str) -> str:
    body = ", ".join(f"`{column}` {kind} COMMENT {literal(text)}" for column, kind, text in columns)
    return f"CREATE TABLE {SCHEMA}.`{name}` ({body}) USING parquet {tail} COMMENT {literal(comment)}"


def _recreate(dataset: Dataset, uri: str) -> list[str]:
    # The table's own location is an empty folder: rows come from the partitions' locations alone.
    place = f"PARTITIONED BY ({PARTITION}) LOCATION {literal(f'{uri}/manifest/tables/{dataset.name}')}"
    return [
        f"DROP TABLE IF EXISTS {SCHEMA}.`{dataset.name}`",
        _create_table(dataset.name, dataset.table_columns, place, dataset.description),
    ]


def _months(dataset: str, before: dict[date, Entry], now: dict[date, Entry], uri: str) -> Iterator[str]:
    """Statements that turn the partitions of `before` into those of `now`."""
    alter = f"ALTER TABLE {SCHEMA}.`{dataset}`"
    gone = sorted(before.keys() - now.keys())
    for start in range(0, len(gone), BATCH):
        yield f"{alter} DROP IF EXISTS {', '.join(map(_partition, gone[start : start + BATCH]))}"
    for month in sorted(before.keys() & now.keys()):
        if before[month].folder != now[month].folder:
            yield f"{alter} {_partition(month)} SET LOCATION {literal(f'{uri}/{now[month].folder}')}"
    new = sorted(now.keys() - before.keys())
    for start in range(0, len(new), BATCH):
        parts = [f"{_partition(m)} LOCATION {literal(f'{uri}/{now[m].folder}')}" for m in new[start : start + BATCH]]
        yield f"{alter} ADD IF NOT EXISTS {' '.join(parts)}"


def plan(catalog: Catalog, uri: str, published: Published, before: Live | None, now: Live, snapshot: str) -> list[str]:
    """The statements that bring Spark's tables from `before` to `now`, without those on the schema.

    Args:
        uri: the lake's address. Spark takes a LOCATION as a plain path: percent-encoded it would name another folder.
        published: which tables exist, with which columns.
        before: the live months they show; None publishes everything anew.
        now: the live months they shall show. Months of datasets no longer in `lake.yml` are left out.
        snapshot: folder of the manifest at this version, below the lake.
    """
    statements: list[str] = []
    for name in sorted(published.tables.keys() - catalog.datasets.keys() - {MANIFEST}):
        statements.append(f"DROP TABLE IF EXISTS {SCHEMA}.`{name}`")
    for name, dataset in catalog.datasets.items():
        shown = {month: entry for (owner, month), entry in (before or {}).items() if owner == name}
        wanted = {month: entry for (owner, month), entry in now.items() if owner == name}
        if before is None or published.tables.get(name) != dataset.table_fingerprint:
            statements += _recreate(dataset, uri)
            shown = {}
        statements += _months(name, shown, wanted, uri)
    place = literal(f"{uri}/{snapshot}")
    if before is None:
        columns = [(name, kind, comment) for name, (_, kind, comment) in COLUMNS.items()]
        statements.append(f"DROP TABLE IF EXISTS {SCHEMA}.`{MANIFEST}`")
        statements.append(_create_table(MANIFEST, columns, f"LOCATION {place}", "Every landing of the lake"))
    else:
        statements.append(f"ALTER TABLE {SCHEMA}.`{MANIFEST}` SET LOCATION {place}")
    return statements


def _read_published(run: Run) -> Published | None:
    """What the schema's properties say; None when there is no schema yet."""
    try:
        rows = run(f"DESCRIBE SCHEMA EXTENDED {SCHEMA}")
    except Exception as error:
        if "SCHEMA_NOT_FOUND" in str(error):
            return None
        raise
    text = next((str(row[1]) for row in rows if str(row[0]).strip().lower() == "properties"), "")
    properties = dict(re.findall(r"\((penstock\.[^,()]+),([^()]*)\)", text))
    tables = {k[len(TABLE_PROPERTY) :]: v for k, v in properties.items() if k.startswith(TABLE_PROPERTY) and v}
    return Published(properties.get(VERSION_PROPERTY, ""), properties.get(CLAIM_PROPERTY, ""), tables)


def _set_properties(values: dict[str, str]) -> str:
    body = ", ".join(f"{literal(key)}={literal(value)}" for key, value in values.items())
    return f"ALTER SCHEMA {SCHEMA} SET DBPROPERTIES ({body})"


def synchronise(run: Run, catalog: Catalog, lake_dir: Folder, uri: str) -> int:
    """Bring Spark's tables up to date; one statement when they are.

    Args:
        run: executes one SQL statement and returns its rows as sequences; raises when Spark does.
        lake_dir: the lake, for this program.
        uri: the lake, for Spark.

    Returns:
        The number of statements issued.

    Raises:
        PenstockError: the manifest is damaged. Whatever `run` raises goes through.
    """
    issued = 0

    def issue(statement: str) -> Sequence[Any]:
        nonlocal issued
        issued += 1
        return run(statement)

    manifest = Manifest(lake_dir)
    published = _read_published(issue)
    if published and published.version == lake_version(catalog, manifest, uri):
        return issued
    with publish_lock(lake_dir):
        # Another session may have done it while this one waited.
        published = _read_published(issue)
        if published and published.version == lake_version(catalog, manifest, uri):
            return issued
        if published is None:
            issue(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA} COMMENT 'Landed files; penstock keeps these tables'")
        for turn in range(TURNS):
            if _publish(issue, catalog, manifest, uri, anew=turn > 0):
                return issued
        raise PenstockError(
            f"the tables of {SCHEMA} for one session at a time", "others published all the time", "try again"
        )


def _publish(issue: Run, catalog: Catalog, manifest: Manifest, uri: str, anew: bool) -> bool:
    """Issue the difference, or everything `anew`; False when another machine's session began meanwhile."""
    claim = uuid.uuid4().hex
    issue(_set_properties({CLAIM_PROPERTY: claim}))
    # What is there now, after the claim: one who is still at it finds that it isn't alone, and begins anew.
    published = _read_published(issue) or Published()
    version, snapshot = write_snapshot(manifest)
    now = lake_version(catalog, manifest, uri, version)
    before = None if anew else previous_live(published, now, manifest)
    issue(_set_properties({VERSION_PROPERTY: ""}))
    place = f"manifest/snapshots/{snapshot.parent.name}"
    for statement in plan(catalog, uri, published, before, manifest.live(version), place):
        issue(statement)
    tables = {TABLE_PROPERTY + name: "" for name in published.tables}
    tables |= {TABLE_PROPERTY + d.name: d.table_fingerprint for d in catalog.datasets.values()}
    if (_read_published(issue) or Published()).claim != claim:
        return False
    issue(_set_properties({**tables, VERSION_PROPERTY: now}))
    return True

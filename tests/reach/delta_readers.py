"""Helpers for tests of other readers: the docs' text, DuckDB with its extension, tables with a Delta feature."""

from __future__ import annotations

import re
from pathlib import Path

from tests.reach.external_tools import ROOT, run_with

DOCS = "\n".join((ROOT / "docs" / "how-to" / page).read_text() for page in ("readers.md", "readers-without-spark.md"))
VECTORS = "'delta.enableDeletionVectors' = 'true'"
PROBE = "select id, cast(id as decimal(12, 2)) as amount, timestamp_ntz'2024-01-01 10:00' as seen from range(200)"
# Statements that make a small table with a feature of the docs' table.
PROBES = {
    "timestampNtz": [f"create table probe.t using delta as {PROBE}"],
    "deletionVectors": [
        f"create table probe.t using delta tblproperties ({VECTORS}) as {PROBE}",
        "delete from probe.t where id % 3 = 0",
    ],
    "columnMapping": [
        f"create table probe.t using delta tblproperties ('delta.columnMapping.mode' = 'name') as {PROBE}",
        "alter table probe.t rename column amount to money",
    ],
    "v2Checkpoint": [
        "create table probe.t using delta tblproperties ('delta.checkpointPolicy' = 'v2', "
        f"'delta.checkpointInterval' = '1') as {PROBE}",
        "insert into probe.t select 500, 1.5, null",
    ],
    "typeWidening": [
        "create table probe.t using delta tblproperties ('delta.enableTypeWidening' = 'true') as "
        "select cast(id as int) as id from range(200)",
        "alter table probe.t alter column id type bigint",
        "insert into probe.t values (5000000000)",
    ],
}


def promised() -> dict[str, list[str]]:
    """Return the docs' table of features: `reads` or `refuses` for each of the three readers."""
    rows = re.findall(r"^\| `(\w+)` \| .+? \| (\w+) \| (\w+) \| (\w+) \|$", DOCS, re.M)
    return {feature: found for feature, *found in rows}


def blocks(language: str, text: str = DOCS) -> list[str]:
    """Return the docs' code blocks in a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)


def by_extension(extension: Path, query: str) -> list[str]:
    """Return the rows of a query, each as the text of a list, from a DuckDB with its Delta extension."""
    code = (
        "import duckdb, duckdb_extension_delta, sys\nfrom pathlib import Path\n"
        "folder = Path(duckdb_extension_delta.__file__).parent\n"
        "duckdb.execute(f\"load '{next(folder.rglob('*.duckdb_extension'))}'\")\n"
        "print(*(list(row) for row in duckdb.sql(sys.argv[1]).fetchall()), sep='\\n')\n"
    )
    return run_with(extension, code, query)

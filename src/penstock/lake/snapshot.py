"""The manifest as a table: one immutable parquet file a version, for Spark and for people."""

from __future__ import annotations

import json
from datetime import timezone

import pyarrow as pa
import pyarrow.parquet as pq

from penstock.lake.manifest import Manifest, live_of
from penstock.lake.staging import workplace
from penstock.store import kinds
from penstock.store.place import Folder

# name: (arrow type, Spark type, comment); in the order of `lake.manifest`.
COLUMNS: dict[str, tuple[pa.DataType, str, str]] = {
    "dataset": (pa.string(), "STRING", "Dataset of lake.yml"),
    "file_month": (pa.date32(), "DATE", "First day of the month"),
    "is_live": (pa.bool_(), "BOOLEAN", "The entry whose file the dataset's table shows for the month"),
    "folder": (pa.string(), "STRING", "Folder of the landed file, below the lake"),
    "source": (pa.string(), "STRING", "Address the file came from"),
    "source_file": (pa.string(), "STRING", "Name of the file"),
    "sha256": (pa.string(), "STRING", "Of the source's bytes"),
    "schema_fingerprint": (pa.string(), "STRING", "Of the dataset's columns when it landed"),
    "bytes": (pa.int64(), "BIGINT", "Size of the source"),
    "rows": (pa.int64(), "BIGINT", "Rows of the source, all landed"),
    "rounded_values": (pa.int64(), "BIGINT", "Money values that were no whole cents"),
    "schema_found": (pa.string(), "STRING", "Columns of the source as a JSON list of name:type"),
    "landed_at": (pa.timestamp("us"), "TIMESTAMP_NTZ", "When it was committed, UTC"),
    "version": (pa.int64(), "BIGINT", "Number of the commit"),
    "action": (pa.string(), "STRING", "land or remove"),
}


def write_snapshot(manifest: Manifest) -> tuple[int, Folder]:
    """Write `manifest/snapshots/<version>/manifest.parquet`, one row an entry, unless it is there.

    Returns:
        (version, file). The file appears whole or not at all.

    Raises:
        PenstockError: the log is damaged.
    """
    version = manifest.version()
    parent = manifest.lake_dir / "manifest" / "snapshots"
    folder = parent / f"{version:010d}"
    path = folder / "manifest.parquet"
    if path.exists():
        return version, path
    entries = manifest.entries(version)
    live = {entry.version for entry in live_of(entries).values()}
    rows = [
        {
            **entry.model_dump(),
            "is_live": entry.version in live,
            "schema_found": json.dumps(entry.schema_found),
            "landed_at": entry.landed_at.astimezone(timezone.utc).replace(tzinfo=None),
        }
        for entry in entries
    ]
    schema = pa.schema([(name, kind) for name, (kind, _, _) in COLUMNS.items()])
    with workplace(manifest.lake_dir, "snapshot-") as draft:
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), draft / "manifest.parquet")
        folder.mkdir(parents=True, exist_ok=True)
        kinds.of(folder).put(path, draft / "manifest.parquet")
    return version, path

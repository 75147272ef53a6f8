"""Write snapshots of the manifest as parquet files, which Spark reads as a table."""

from __future__ import annotations

import json
from datetime import timezone

from penstock.lake.manifest import Manifest, live_after
from penstock.lake.staging import work_folder
from penstock.storage import filesystems
from penstock.storage.locations import Location

# For each column of the table, in order: (column type as in `lake.yml`, Spark type, comment).
COLUMNS: dict[str, tuple[str, str, str]] = {
    "dataset": ("string", "STRING", "Dataset of lake.yml"),
    "file_month": ("date", "DATE", "First day of the month"),
    "is_live": ("boolean", "BOOLEAN", "The entry whose file the dataset's table shows for the month"),
    "folder": ("string", "STRING", "Folder of the landed file, below the lake"),
    "source": ("string", "STRING", "Address the file came from"),
    "source_file": ("string", "STRING", "Name of the file"),
    "sha256": ("string", "STRING", "Of the source's bytes"),
    "schema_fingerprint": ("string", "STRING", "Of the dataset's columns when it landed"),
    "bytes": ("bigint", "BIGINT", "Size of the source"),
    "rows": ("bigint", "BIGINT", "Rows of the source, all landed"),
    "rounded_values": ("bigint", "BIGINT", "Money values that were no whole cents"),
    "schema_found": ("string", "STRING", "Columns of the source as a JSON list of name:type"),
    "landed_at": ("timestamp", "TIMESTAMP_NTZ", "When it was committed, UTC"),
    "version": ("bigint", "BIGINT", "Number of the commit"),
    "action": ("string", "STRING", "land or remove"),
    "blank_beyond": ("bigint", "BIGINT", "Rows of a CSV with blank cells beyond its header, which did not land"),
}


def write_snapshot(manifest: Manifest) -> tuple[int, Location]:
    """Write a snapshot of the newest version with one row per commit, unless the snapshot exists.

    The file is `manifest/snapshots/<version>/manifest.parquet`. It is written atomically.

    Returns:
        (version, path of the file).

    Raises:
        PenstockError: the log is damaged.
    """
    version = manifest.version()
    parent = manifest.lake_dir / "manifest" / "snapshots"
    folder = parent / f"{version:010d}"
    path = folder / "manifest.parquet"
    if path.exists():
        return version, path
    # Imported here because the import is slow, and most runs find an existing snapshot and don't need pyarrow.
    import pyarrow as pa
    import pyarrow.parquet as pq

    from penstock.lake import arrow_types

    entries = manifest.entries(version)
    live = {entry.version for entry in live_after(entries).values()}
    rows = [
        {
            **entry.model_dump(),
            "is_live": entry.version in live,
            "schema_found": json.dumps(entry.schema_found),
            "landed_at": entry.landed_at.astimezone(timezone.utc).replace(tzinfo=None),
        }
        for entry in entries
    ]
    schema = arrow_types.schema({name: kind for name, (kind, _, _) in COLUMNS.items()})
    with work_folder(manifest.lake_dir, "snapshot-") as staging:
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), staging / "manifest.parquet")
        folder.mkdir(parents=True, exist_ok=True)
        filesystems.file_system(folder).put(path, staging / "manifest.parquet")
    return version, path

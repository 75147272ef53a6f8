"""Build the job that a Spark session runs, from a dbt node and its compiled code."""

from __future__ import annotations

import ast
import hashlib
import json
from pathlib import Path
from typing import Any

from dbt.adapters.penstock.credentials import PenstockCredentials
from dbt.adapters.penstock.errors import AdapterError
from dbt.adapters.penstock.layout import FileLayout
from dbt.adapters.penstock.python_submissions.config import PythonConfig, invalid_value
from dbt.adapters.penstock.spark_conf import as_text
from penstock.errors import PenstockError
from penstock.intervals.model_config import interval_properties
from penstock.python_runtime.job import Input, Job, Layout, Write

DATA_PREFIX = "penstock_write = "


def leading_blank_lines(text: str) -> int:
    """Return the number of blank lines at the beginning of a text."""
    return next((number for number, line in enumerate(text.split("\n")) if line.strip()), 0)


def align_lines(compiled_code: str, source: str) -> str:
    """Return the compiled code, in which the user's lines have the same numbers as in the user's file."""
    code = compiled_code.split("\n")[leading_blank_lines(compiled_code) :]
    return "\n" * leading_blank_lines(source) + "\n".join(code)


def split_job_data(compiled_code: str) -> tuple[str, dict[str, Any]]:
    """Return the model's code, and the data that the macro `penstock_python_job` added as the last line."""
    code, _, rest = compiled_code.rpartition(f"\n{DATA_PREFIX}")
    return code, json.loads(ast.literal_eval(rest.strip()))


def table_layout(node: dict[str, Any], default_format: str) -> Layout:
    """Return the table layout from a node's config.

    Raises:
        DbtRuntimeError: the table format is unknown, or a value is not valid.
    """
    config, name = node["config"], node["name"]
    files = FileLayout.parse(config, default_format, name)
    table_format = files.table_format
    buckets = config.get("buckets")
    if buckets is not None and (isinstance(buckets, bool) or not isinstance(buckets, int) or buckets < 1):
        raise invalid_value(name, "buckets", "a number above 0", buckets)
    pairs: dict[str, dict[str, str]] = {}
    for key in ("tblproperties", "options"):
        if not isinstance(value := config.get(key) or {}, dict):
            raise invalid_value(name, key, "keys with values", value)
        pairs[key] = {str(k): as_text(v) for k, v in value.items()}
    own = interval_properties(config, table_format.name)
    pairs["tblproperties"] = {**files.properties(), **pairs["tblproperties"], **own}
    root, docs = config.get("location_root"), config.get("persist_docs") or {}
    return Layout(
        file_format=table_format.name,
        atomic=table_format.atomic,
        clusters=table_format.clusters,
        drop_columns_with=table_format.drop_columns_with,
        widen_columns_with=table_format.widen_columns_with,
        features=table_format.features,
        partition_by=files.partition_by,
        clustered_by=files.clustered_by,
        rebalanced=files.rebalanced,
        sorted_within=files.sorted_within,
        buckets=buckets,
        location=f"{root}/{node['alias']}" if root else None,
        properties=pairs["tblproperties"],
        options=pairs["options"],
        comment=(node.get("description") or None) if docs.get("relation") else None,
    )


def microbatch_window(node: dict[str, Any], write: dict[str, Any]) -> tuple[str, str] | None:
    """Return the start and end of a node's microbatch in ISO format, or None if the node has no microbatch."""
    batch = write.get("batch") or {}
    start, end = batch.get("start"), batch.get("end")
    if start is None and (context := node.get("batch")):
        start, end = context.get("event_time_start"), context.get("event_time_end")
    if start is None or end is None:
        return None
    return (
        start if isinstance(start, str) else start.isoformat(),
        end if isinstance(end, str) else end.isoformat(),
    )


def lake_address(credentials: PenstockCredentials) -> str:
    """Return the path of the project's lake, or its URI if the lake is in an object store.

    The result is empty if the project has no valid penstock.yml.
    """
    try:
        return credentials.settings.lake_uri.removeprefix("file://")
    except PenstockError:
        return ""


def build(node: dict[str, Any], compiled_code: str, config: PythonConfig, credentials: PenstockCredentials) -> Job:
    """Return the job of a node.

    Args:
        node: the node, as dbt passes it to a submission helper.
        compiled_code: the output of the macro `penstock_python_job`.
        config: the node's own configuration.
        credentials: contain the default table format and the project's folder.

    Raises:
        DbtRuntimeError: the configuration is not valid.
    """
    code, data = split_job_data(compiled_code)
    try:
        source = (Path(credentials.project_root) / node["original_file_path"]).read_text()
    except OSError:
        source = ""
    write = data["write"]
    declared = {column["name"]: column.get("data_type") for column in (node.get("columns") or {}).values()}
    if config.enforce_columns and not declared:
        raise AdapterError(
            f"declared columns of {node['name']} (enforce_columns: true)",
            "none",
            "list its columns with their data_type in its yml",
        )
    return Job(
        node=node["unique_id"],
        name=node["name"],
        path=node["original_file_path"],
        code=align_lines(code, source),
        write=Write(
            mode=write["mode"],
            target=write["target"],
            view=(write.get("view") or f"{node['alias']}__dbt_tmp").strip("`"),
            merge_sql=write.get("merge_sql"),
            keys=tuple(write.get("keys") or ()),
            condition=write.get("condition"),
            on_schema_change=write.get("on_schema_change") or "ignore",
            exists=bool(write.get("exists")),
            drop=write.get("drop"),
            alone=bool(write.get("alone")),
            commit_info=write.get("commit_info"),
            row_check=write.get("row_check") or "",
        ),
        layout=table_layout(node, credentials.file_format),
        columns=declared if config.enforce_columns else None,
        inputs={name: Input(**value) for name, value in data["inputs"].items()},
        batch=microbatch_window(node, write),
        intervals=tuple(write["intervals"]) if write.get("intervals") is not None else None,
        fingerprint=hashlib.sha256((node.get("raw_code") or "").encode()).hexdigest()[:16],
        lake=lake_address(credentials),
    )

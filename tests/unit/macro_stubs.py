"""A small dbt project for the macros: nodes of several kinds and formats, and a stand-in for Spark."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

from dbt.adapters.penstock.capabilities import table_format
from dbt.adapters.penstock.layout import FileLayout


class Node(dict[str, Any]):
    """A mapping whose keys are also attributes, as in Jinja."""

    def __getattr__(self, name: str) -> Any:
        return self.get(name)


def node(name: str, kind: str = "table", **config: Any) -> Node:
    return Node(
        unique_id=f"model.small.{name}",
        name=name,
        alias=name,
        schema="w",
        resource_type="model",
        package_name="small",
        config=Node(materialized=kind, **config),
    )


NODES = [
    node("dim_zones"),
    node("stg_trips", "view"),
    node("fct_trips", partition_by="month", clustered_by=["zone", "day"], target_file_size_mb=128),
    node("clustered", "incremental", clustered_by="zone"),
    node("extract", file_format="parquet", clustered_by="zone"),
    node("missing", file_format="parquet"),
    Node(node("elsewhere"), package_name="other"),
]
METRICS = {
    "numFilesRemoved": 9,
    "numFilesAdded": 2,
    "filesRemoved": {"totalSize": 9 * 1024 * 1024},
    "filesAdded": {"totalSize": 8 * 1024 * 1024},
}
HISTORY = [{"operationMetrics": '{"numDeletedFiles":"3"}'}, {"operationMetrics": '{"sizeOfDataToDelete":"3145728"}'}]


class Spark:
    """Stand in for the server: record statements and log lines, and answer like Spark."""

    def __init__(self, sizes: dict[str, int | None] | None = None) -> None:
        self.sent: list[str] = []
        self.logged: list[str] = []
        self.sizes = sizes or {}

    def run_query(self, sql: str) -> Any:
        self.sent.append(sql)
        first = sql.split(" ")[0]
        rows: list[Any] = []
        if first == "set" and "=" not in sql:
            rows = [(sql[4:], "1" if "Size" in sql else "<undefined>")]
        elif first == "optimize":
            rows = [("/path", json.dumps(METRICS))]
        elif sql.startswith("describe history"):
            rows = HISTORY
        elif first == "describe":
            rows = [("Statistics", "100 bytes, 7 rows")]
        return SimpleNamespace(rows=rows)

    def log(self, text: str, info: bool = False) -> None:
        self.logged.append(text)

    def context(self, **more: Any) -> dict[str, Any]:
        """Return dbt's context for the macros."""
        relation = SimpleNamespace(
            create=lambda schema, identifier, database=None: f"{schema}.{identifier}",
        )
        return {
            "execute": True,
            "graph": SimpleNamespace(nodes={item["unique_id"] + item["package_name"]: item for item in NODES}),
            "project_name": "small",
            "api": SimpleNamespace(Relation=relation),
            "load_relation": lambda name: None if name == "w.missing" else name,
            "run_query": self.run_query,
            "fromjson": json.loads,
            "log": self.log,
            "var": lambda name, default: default,
            "ref": lambda name: SimpleNamespace(schema="w", identifier=name),
            "adapter": SimpleNamespace(
                table_format=lambda name, database=None: table_format(name or "delta"),
                layout_of=lambda item: FileLayout.parse(item["config"], "delta", item["name"]),
                quote=lambda name: f"`{name}`",
                table_bytes=lambda relation: self.sizes.get(relation.identifier),
            ),
            **more,
        }


CONTEXT = Spark().context()

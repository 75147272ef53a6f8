"""A project of the bench's own on a lake that others share: its build, and what each layer of it cost."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import psutil
import yaml
from batch_project import CORES, Cost, Place
from layout_docs import number
from scale_results import LAYERS, PYTHON, Layer, Table
from scale_watch import Watch

from penstock.config.settings import load
from penstock.plans import plan_store
from penstock.spark import ports
from penstock.spark.cluster import control as cluster

BUILD = ("dbt", "build", "--threads", "1", "--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
SQL = ("--exclude", "tag:ml", "trip_features")
WITH_PYTHON = ("--exclude", "tag:ml")
# The UI keeps every stage of a build, and loses none to the next.
KEPT = {"spark.ui.retainedStages": "20000", "spark.ui.retainedJobs": "20000", "spark.sql.ui.retainedExecutions": "1000"}
WARM, AFTER = "2021-12-01", "2022-01-01"
EXECUTOR, WORKER = "1500m", "2g"


class Site(Place):
    """A project on a lake, whose tasks run in its server, or on workers of one core each.

    Args:
        lake: folder of the lake.
        memory: heap of the server.
        workers: of a standalone cluster that is started for it; 0 for none.
        python: whether trip_features is built too.
    """

    def __init__(self, folder: Path, lake: Path, memory: str, workers: int = 0, python: bool = False) -> None:
        super().__init__(folder, memory)
        self.models = WITH_PYTHON if python else SQL
        self.workers = workers
        self.target = ["--target", "cluster"] if workers else []
        server: dict[str, Any] = {"memory": memory, "master": f"local[{CORES}]", "spark_conf": KEPT}
        data: dict[str, Any] = {"version": 1, "lake": str(lake), "server": server}
        if workers:
            port = next(item for item in range(17077, 18000) if ports.is_free(item))
            executors = {"count": workers, "cores": 1, "memory": EXECUTOR}
            own = {"master": f"spark://127.0.0.1:{port}", "executors": executors}
            data["targets"] = {"cluster": {"warehouse": ".penstock/cluster/warehouse", "server": own}}
        (folder / "penstock.yml").write_text(yaml.safe_dump(data))
        self.settings = load(folder, "cluster" if workers else "local")

    def __enter__(self) -> Site:
        if self.workers:
            cluster.up(self.settings, self.workers, 1, WORKER, lambda text: None)
        try:
            super().__enter__()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        try:
            super().__exit__(*error)
        finally:
            if self.workers:
                cluster.down(self.settings)

    @property
    def executors(self) -> list[psutil.Process]:
        """The executors' processes."""
        found = cluster.current(self.settings) if self.workers else None
        nodes = [handle for node in (found.workers if found else {}).values() if (handle := node.process.handle())]
        return [child for node in nodes for child in node.children(recursive=True) if "java" in child.name()]

    def warm(self) -> None:
        """Seeds, and the small month, so that what is measured finds its classes compiled."""
        self.run("dbt", "seed", *self.target)
        self.rebuild(WARM, AFTER, *self.models, *self.target)

    def build(self) -> tuple[Cost, list[Layer], list[dict[str, Any]]]:
        """The project's own build: what it cost, what each layer did, and the stages that ran."""
        known = {stage["stageId"] for stage in self.status.get("stages")}
        with Watch([self.spark, *self.executors]) as watch:
            cost = self.run(*BUILD, *self.models, *self.target)
        stages = [stage for stage in self.status.get("stages?status=complete") if stage["stageId"] not in known]
        nodes = self._nodes()
        spans = [span for item in self.results() if (span := span_of(item, nodes.get(item["unique_id"], {})))]
        used = watch.cpu(watch.instants[0], watch.instants[-1])
        return Cost(cost.wall, used, cost.client), by_layer(spans, stages, watch), stages

    def _nodes(self) -> dict[str, Any]:
        nodes: dict[str, Any] = json.loads((self.folder / "target" / "manifest.json").read_text())["nodes"]
        return nodes

    def broadcast(self, model: str) -> int:
        """Bytes of the largest broadcast of the plan that a model ran with."""
        found = plan_store.read(self.folder / "target", f"model.penstock.{model}")
        metrics = found.executed.metrics if found and found.executed else []
        sizes = [counted["data size"] for name, counted in metrics if "BroadcastExchange" in name and counted]
        return max(map(number, sizes), default=0)

    def tables(self) -> list[Table]:
        """Every table that is built by month, without the month that warmed up."""
        return [table(name, self.path(name)) for name in self.interval_tables()]

    def path(self, name: str) -> Path:
        """A table's folder."""
        schema, _, short = name.partition(".")
        return Path(str(self.settings.warehouse_dir)) / f"{schema}.db" / short

    @property
    def heap(self) -> int:
        """The most of the server's heap that Spark saw in use, bytes."""
        driver = next(item for item in self.status.get("executors") if item["id"] == "driver")
        return int(driver["peakMemoryMetrics"]["JVMHeapMemory"])


@dataclass(frozen=True)
class Span:
    """A model that ran, in seconds since the epoch."""

    layer: str
    stored: bool
    begin: float
    end: float


def layer_of(node: dict[str, Any]) -> str:
    """The layer of a node of dbt's manifest."""
    return PYTHON if node["original_file_path"].startswith(f"{PYTHON}/") else str(node["fqn"][1])


def instant(text: str) -> float:
    """Seconds since the epoch, of UTC as dbt or Spark writes it."""
    return datetime.fromisoformat(re.sub(r"(Z|GMT)$", "", text)).replace(tzinfo=timezone.utc).timestamp()


def span_of(result: dict[str, Any], node: dict[str, Any]) -> Span | None:
    """A model's span in dbt's result of it; None for seeds, snapshots and hooks."""
    times = result["timing"]
    if not result["unique_id"].startswith("model.") or not times:
        return None
    begin, end = (instant(time) for time in (times[0]["started_at"], times[-1]["completed_at"]))
    return Span(layer_of(node), node["config"]["materialized"] != "view", begin, end)


def by_layer(spans: Sequence[Span], stages: Sequence[dict[str, Any]], watch: Watch) -> list[Layer]:
    """What each layer did: models ran one at a time, so an instant belongs to one of them."""

    def layer(name: str) -> Layer:
        own = [span for span in spans if span.layer == name]
        ran = [s for s in stages if any(span.begin <= instant(s["submissionTime"]) < span.end for span in own)]
        return Layer(
            name,
            sum(span.stored for span in own),
            sum(span.end - span.begin for span in own),
            sum(watch.cpu(span.begin, span.end) for span in own),
            sum(stage["executorRunTime"] for stage in ran) / 1e3,
            sum(stage["executorCpuTime"] for stage in ran) / 1e9,
            sum(stage["shuffleWriteBytes"] for stage in ran),
            sum(stage["diskBytesSpilled"] for stage in ran),
        )

    return [layer(name) for name in LAYERS]


def actions(log: Path) -> Iterator[dict[str, Any]]:
    """The actions of a Delta log that has all of its commits, in order."""
    for path in sorted(log.glob("*.json")):
        for text in path.read_text().splitlines():
            yield json.loads(text)


def table(name: str, folder: Path, but: str = WARM) -> Table:
    """A table's live files, as its log has them.

    Args:
        but: value of the partition that is left out.
    """
    live: dict[str, tuple[str, int]] = {}
    for action in actions(folder / "_delta_log"):
        if added := action.get("add"):
            live[added["path"]] = ("/".join(added["partitionValues"].values()), added["size"])
        elif removed := action.get("remove"):
            live.pop(removed["path"], None)
    own = [(part, size) for part, size in live.values() if part != but]
    return Table(name, len({part for part, _ in own}), len(own), sum(size for _, size in own))

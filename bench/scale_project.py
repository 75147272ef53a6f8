"""Build a project on a shared lake, and measure the cost of each layer and the files of its tables."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import psutil

from bench.measure import CpuTimeline, parse_metric
from bench.projects import NO_TESTS, Cost, Project, write_settings
from bench.scale_results import LAYERS, PYTHON, Layer, Table
from penstock.config.settings import load
from penstock.plans import plan_store
from penstock.spark import ports
from penstock.spark.cluster import control as cluster

BUILD = ("dbt", "build", "--threads", "1", *NO_TESTS)
SQL = ("--exclude", "tag:ml", "trip_features")
WITH_PYTHON = ("--exclude", "tag:ml")
# With these limits, the UI retains every stage until the build has ended.
RETAINED = {
    "spark.ui.retainedStages": "20000",
    "spark.ui.retainedJobs": "20000",
    "spark.sql.ui.retainedExecutions": "1000",
}
WARM, AFTER = "2021-12-01", "2022-01-01"
EXECUTOR_MEMORY, WORKER_MEMORY = "1500m", "2g"


class ScaleProject(Project):
    """A project on a lake. Its tasks run in its server or on workers with one core each.

    Args:
        folder: the project's folder, which must not exist yet.
        lake: folder of the lake.
        memory: heap size of the server.
        workers: number of workers of a standalone cluster that is started for the project; 0 for no cluster.
        python: whether to build trip_features too.
    """

    def __init__(self, folder: Path, lake: Path, memory: str, workers: int = 0, python: bool = False) -> None:
        super().__init__(folder, memory)
        self.models = WITH_PYTHON if python else SQL
        self.workers = workers
        self.target = ["--target", "cluster"] if workers else []
        targets = {"targets": {"cluster": self._cluster_target()}} if workers else {}
        write_settings(folder, memory, lake=str(lake), server={"spark_conf": RETAINED}, **targets)
        self.settings = load(folder, "cluster" if workers else "local")

    def _cluster_target(self) -> dict[str, Any]:
        port = next(item for item in range(17077, 18000) if ports.is_free(item))
        executors = {"count": self.workers, "cores": 1, "memory": EXECUTOR_MEMORY}
        server = {"master": f"spark://127.0.0.1:{port}", "executors": executors}
        return {"warehouse": ".penstock/cluster/warehouse", "server": server}

    def __enter__(self) -> ScaleProject:
        if self.workers:
            cluster.up(self.settings, self.workers, 1, WORKER_MEMORY, lambda text: None)
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
        """Return the executors' processes."""
        record = cluster.current(self.settings) if self.workers else None
        nodes = [handle for node in (record.workers if record else {}).values() if (handle := node.process.handle())]
        return [child for node in nodes for child in node.children(recursive=True) if "java" in child.name()]

    def warm_up(self) -> None:
        """Load the seeds and build a small month, so that the JVM has compiled hot code before the measured build."""
        self.run("dbt", "seed", *self.target)
        self.rebuild(WARM, AFTER, *self.models, *self.target)

    def build(self) -> tuple[Cost, list[Layer], list[dict[str, Any]]]:
        """Build the project, and return the cost, the layers, and the stages that ran."""
        known = {stage["stageId"] for stage in self.status.get("stages")}
        with CpuTimeline([self.spark, *self.executors]) as timeline:
            cost = self.run(*BUILD, *self.models, *self.target)
        stages = [stage for stage in self.status.get("stages?status=complete") if stage["stageId"] not in known]
        nodes = self._nodes()
        spans = [span for item in self.results() if (span := span_of(item, nodes.get(item["unique_id"], {})))]
        return Cost(cost.wall, timeline.total, cost.client), by_layer(spans, stages, timeline), stages

    def _nodes(self) -> dict[str, Any]:
        nodes: dict[str, Any] = json.loads((self.folder / "target" / "manifest.json").read_text())["nodes"]
        return nodes

    def largest_broadcast(self, model: str) -> int:
        """Return the bytes of the largest broadcast in a model's captured plan."""
        plan = plan_store.read(self.folder / "target", f"model.penstock.{model}")
        metrics = plan.executed.metrics if plan and plan.executed else []
        sizes = [counted["data size"] for name, counted in metrics if "BroadcastExchange" in name and counted]
        return max(map(parse_metric, sizes), default=0)

    def tables(self) -> list[Table]:
        """Return every table that is built by month, without the month that warms the server up."""
        return [live_files(name, self.path(name)) for name in self.interval_tables()]

    def path(self, name: str) -> Path:
        """Return a table's folder."""
        schema, _, short = name.partition(".")
        return Path(str(self.settings.warehouse_dir)) / f"{schema}.db" / short


@dataclass(frozen=True)
class Span:
    """The time in which a model ran, in seconds since the epoch, and whether the model wrote a table."""

    layer: str
    stored: bool
    begin: float
    end: float


def layer_of(node: dict[str, Any]) -> str:
    """Return the layer of a node of dbt's manifest."""
    return PYTHON if node["original_file_path"].startswith(f"{PYTHON}/") else str(node["fqn"][1])


def parse_time(text: str) -> float:
    """Return seconds since the epoch for a UTC time as dbt or Spark writes it."""
    return datetime.fromisoformat(re.sub(r"(Z|GMT)$", "", text)).replace(tzinfo=timezone.utc).timestamp()


def span_of(result: dict[str, Any], node: dict[str, Any]) -> Span | None:
    """Return a model's span from dbt's result, or None for seeds, snapshots and hooks."""
    times = result["timing"]
    if not result["unique_id"].startswith("model.") or not times:
        return None
    begin, end = (parse_time(time) for time in (times[0]["started_at"], times[-1]["completed_at"]))
    return Span(layer_of(node), node["config"]["materialized"] != "view", begin, end)


def by_layer(spans: Sequence[Span], stages: Sequence[dict[str, Any]], timeline: CpuTimeline) -> list[Layer]:
    """Return the cost of each layer. Models ran one at a time, so each moment belongs to at most one model."""

    def layer(name: str) -> Layer:
        own = [span for span in spans if span.layer == name]
        ran = [s for s in stages if any(span.begin <= parse_time(s["submissionTime"]) < span.end for span in own)]
        return Layer(
            name,
            sum(span.stored for span in own),
            sum(span.end - span.begin for span in own),
            sum(timeline.cpu(span.begin, span.end) for span in own),
            sum(stage["executorRunTime"] for stage in ran) / 1e3,
            sum(stage["executorCpuTime"] for stage in ran) / 1e9,
            sum(stage["shuffleWriteBytes"] for stage in ran),
            sum(stage["diskBytesSpilled"] for stage in ran),
        )

    return [layer(name) for name in LAYERS]


def read_actions(log: Path) -> Iterator[dict[str, Any]]:
    """Yield the actions of a Delta log in order. The log must still contain all of its commits."""
    for path in sorted(log.glob("*.json")):
        for text in path.read_text().splitlines():
            yield json.loads(text)


def live_files(name: str, folder: Path, excluded: str = WARM) -> Table:
    """Return the files of a table's current version, read from its Delta log.

    Args:
        name: name of the table.
        folder: folder of the table.
        excluded: partition value whose files are left out.
    """
    live: dict[str, tuple[str, int]] = {}
    for action in read_actions(folder / "_delta_log"):
        if added := action.get("add"):
            live[added["path"]] = ("/".join(added["partitionValues"].values()), added["size"])
        elif removed := action.get("remove"):
            live.pop(removed["path"], None)
    own = [(part, size) for part, size in live.values() if part != excluded]
    return Table(name, len({part for part, _ in own}), len(own), sum(size for _, size in own))

"""The lineage of this project's columns equals the list written by hand. dbt compiles the project without Spark."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.config.settings import load
from penstock.lineage import LineageGraph, graph_builder, known_columns
from penstock.lineage.manifest_nodes import ManifestNodes, label
from penstock.lineage.origins import Kind, Origin
from penstock.report.column_lineage import lake_columns
from tests.unit.lineage.expected_lineage import EXPECTED

ROOT = Path(__file__).resolve().parents[3]
MARKS = {
    Kind.DIRECT: "",
    Kind.TRANSFORMED: "~",
    Kind.AGGREGATED: "+",
    Kind.DECLARED: "!",
    Kind.GUESSED: "?",
    Kind.CONSTANT: "=",
    Kind.GENERATED: "#",
    Kind.UNRESOLVED: "unresolved: ",
}


def penstock(target: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `penstock lineage` in this repository, with another target folder."""
    environment = os.environ | {"DBT_TARGET_PATH": str(target), "DBT_LOG_PATH": str(target)}
    environment |= {"PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-m", "penstock.cli.main", "lineage", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900)


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """dbt's target folder after a first command, which compiled the project."""
    folder = tmp_path_factory.mktemp("target")
    done = penstock(folder, "hourly_zone_revenue.green_amount")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def nodes(target: Path) -> ManifestNodes:
    """The nodes of the compiled project."""
    (path,) = [path for path in (target / "lineage").iterdir() if path.name != "queries.json"]
    return ManifestNodes(json.loads(path.read_text()))


@pytest.fixture(scope="module")
def graph(nodes: ManifestNodes, target: Path) -> LineageGraph:
    """The lineage of all columns, without Spark."""
    settings = load(ROOT)
    known = known_columns.collect(nodes, ROOT, target, lake_columns(settings), describe=None)
    return graph_builder.graph(nodes.manifest, known.columns)


def _shown(origin: Origin, nodes: ManifestNodes) -> str:
    """Return an origin as in the list written by hand. dbt's invocation id is another one in each run."""
    text = f"{label(nodes.by_id[origin.relation])}.{origin.column}" if origin.relation else origin.column
    return MARKS[origin.kind] + re.sub(r"'[0-9a-f]{8}-[0-9a-f-]{27}'", "'INVOCATION_ID'", text)


def _models(nodes: ManifestNodes) -> Iterator[tuple[str, str]]:
    for unique_id, node in nodes.by_id.items():
        if node["resource_type"] in ("model", "snapshot"):
            yield unique_id, node["name"]


def test_the_list_has_every_model_and_every_documented_column(nodes: ManifestNodes) -> None:
    documented = {name: set(nodes.documented(unique_id)) for unique_id, name in _models(nodes)}
    assert {name: set(columns) for name, columns in EXPECTED.items()} == documented


@pytest.mark.parametrize("model", EXPECTED)
def test_every_column_has_the_inputs_in_the_list(model: str, nodes: ManifestNodes, graph: LineageGraph) -> None:
    (unique_id,) = [unique_id for unique_id, name in _models(nodes) if name == model]
    found = {column: {_shown(item, nodes) for item in origins} for column, origins in graph.columns[unique_id].items()}
    assert found == {column: set(inputs) for column, inputs in EXPECTED[model].items()}


def test_no_column_of_the_project_is_unresolved(graph: LineageGraph) -> None:
    assert graph.unresolved() == []


def test_the_command_prints_a_tree(target: Path) -> None:
    done = penstock(target, "hourly_zone_revenue.green_amount")
    assert done.stdout.splitlines() == [
        "hourly_zone_revenue.green_amount",
        "└── fct_trips.total_amount  aggregated",
        "    └── int_trips.total_amount  direct",
        "        └── int_trips_checked.total_amount  direct",
        "            └── int_trips_windowed.total_amount  direct",
        "                ├── stg_green_trips.total_amount  direct",
        "                │   └── lake.green.total_amount  direct",
        "                └── stg_yellow_trips.total_amount  direct",
        "                    └── lake.yellow.total_amount  direct",
    ]


def test_the_command_prints_the_columns_computed_from_a_source_as_json(target: Path) -> None:
    done = penstock(target, "source:lake.fhvhv.Trip_Miles", "--downstream", "--json")
    data: dict[str, Any] = json.loads(done.stdout)
    assert (data["node"], data["column"]) == ("source.penstock.lake.fhvhv", "trip_miles")
    reached = {f"{edge['node'].split('.')[-1]}.{edge['column']}" for edge in data["edges"]}
    assert reached == {
        "stg_fhvhv_trips.trip_distance",
        *("int_fhvhv_trips_windowed.trip_distance", "int_fhvhv_trips_windowed.is_repeat"),
        *(f"int_fhvhv_trips_checked.{name}" for name in ("trip_distance", "reasons", "flags", "is_quarantined")),
        *(f"int_fhvhv_trips.{name}" for name in ("trip_distance", "flags")),
        *(f"int_fhvhv_trips_quarantined.{name}" for name in ("trip_distance", "reasons", "flags")),
    }
    assert data["columns_from"]["source.penstock.lake.fhvhv"] == "lake.yml"


def test_a_wrong_column_is_an_error_with_similar_names(target: Path) -> None:
    done = penstock(target, "fct_trips.fare_amuont")
    assert done.returncode == 1
    assert "needed: a column of fct_trips" in done.stderr
    assert "did you mean `fare_amount`" in done.stderr

"""The interface through which the interval planner reads dbt's graph: each model's configuration, table and inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from penstock.intervals.model_config import IntervalConfig


@dataclass(frozen=True)
class ModelInputs:
    """The inputs of an interval model. If an input is a view, the inputs of the view take its place.

    Attributes:
        sources: (schema, table) of the source tables that have intervals.
        models: unique ids of the upstream interval models.
        before: unique ids of the upstream models whose earlier intervals the model reads too (`reads_before`).
        code: fingerprint of the model's code, of the views that it reads, and of its inputs without intervals. For such
            an input, the fingerprint covers the content of a seed, or the code of any other table.
    """

    sources: tuple[tuple[str, str], ...]
    models: tuple[str, ...]
    before: tuple[str, ...]
    code: str


@dataclass(frozen=True)
class GraphModel:
    """An interval model of the graph.

    Attributes:
        name: the model's name.
        relation: the model's table, `schema.table`, or `catalog.schema.table` outside the default catalog.
        config: the model's interval configuration.
        table_format: the table's format, `delta` or `iceberg`.
    """

    name: str
    relation: str
    config: IntervalConfig
    table_format: str = "delta"


class ModelGraph(Protocol):
    """The part of dbt's graph that interval models need."""

    def model(self, unique_id: str) -> GraphModel:
        """Return an interval model.

        Raises:
            PenstockError: the model's configuration is invalid.
        """

    def inputs(self, unique_id: str) -> ModelInputs:
        """Return the inputs of a model.

        Raises:
            PenstockError: no input has intervals, or `reads_before` names a model that isn't one of the inputs.
        """

    def deferred_model(self, unique_id: str) -> GraphModel | None:
        """Return a model with its table of another environment if `--defer` makes `ref` read it; otherwise None."""

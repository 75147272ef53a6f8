"""What the interval planner needs to know of dbt's graph: a model's configuration, its table, and its inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from penstock.intervals.model_config import IntervalConfig


@dataclass(frozen=True)
class ModelInputs:
    """The inputs of an interval model, seen through views.

    Attributes:
        sources: (schema, table) of the source tables that have intervals.
        models: unique ids of interval models.
        before: those models of which an interval reads all earlier intervals.
        code: fingerprint of the model, of the views that it reads, and of its inputs without intervals: seeds by
            their content, other tables by their code.
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
        relation: its table, `schema.table`.
        config: its interval configuration.
    """

    name: str
    relation: str
    config: IntervalConfig


class ModelGraph(Protocol):
    """dbt's graph, as far as interval models need it."""

    def model(self, unique_id: str) -> GraphModel:
        """Return a model.

        Raises:
            PenstockError: its configuration is not valid.
        """

    def inputs(self, unique_id: str) -> ModelInputs:
        """Return the inputs of a model.

        Raises:
            PenstockError: none of them has intervals, or `reads_before` names a model that is none.
        """

    def deferred_relation(self, unique_id: str) -> str | None:
        """Return the table of another environment that replaces a model under `--defer`; else None."""

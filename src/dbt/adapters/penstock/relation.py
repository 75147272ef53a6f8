"""dbt-spark's relation, with a placeholder condition when an interval model reads the relation.

An interval model is an incremental model that the adapter builds interval by interval. An interval is a month or a day.
dbt compiles a model before its materialization runs, but only the materialization knows the intervals to build. So if
an input has an `event_time`, the adapter compiles the input's `ref` or `source` to a subquery that contains a
placeholder condition. Later, each commit, which is one atomic write of some intervals, replaces the placeholder with a
condition for these intervals (penstock.intervals.input_filter). As with dbt's microbatch, `ref('model').render()` reads
the whole input.
"""

from __future__ import annotations

import dataclasses
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from dbt.adapters.base.relation import BaseRelation, EventTimeFilter
from dbt.adapters.contracts.relation import ComponentName
from dbt.adapters.spark.relation import SparkRelation

from dbt.adapters.penstock import databases
from penstock.intervals import input_filter
from penstock.intervals.grain import MONTH
from penstock.intervals.model_config import is_interval
from penstock.sql.names import column_expression, quote_identifier

# A column name that needs quotes. Any other text is a name that needs no quotes, or a SQL expression.
QUOTED_NAME = re.compile(r"(?!\w+$)[\w #/-]+")
_thread = threading.local()


@contextmanager
def compiling(node: Any) -> Iterator[None]:
    """During the `with` block, compile a node's inputs on this thread. In an interval model, use placeholders."""
    before = getattr(_thread, "node", None)
    _thread.node = node
    try:
        yield
    finally:
        _thread.node = before


@dataclass
class IntervalFilter(EventTimeFilter):
    """The filter of an input at compile time, before the intervals to build are known.

    Attributes:
        grain: the length of the input's intervals, `month` or `day`. An empty text means the length of the model's
            intervals.
        before: whether the model reads every input interval that is earlier than the last interval to build.
    """

    grain: str = ""
    before: bool = False

    @property
    def mark(self) -> str:
        """The placeholder in compiled code. Each commit replaces the placeholder with the commit's condition."""
        return input_filter.marker(self.field_name, self.grain, self.before)


@dataclass(frozen=True, eq=False, repr=False)
class PenstockRelation(SparkRelation):
    """dbt-spark's relation. Outside of the default catalog, a relation's SQL name begins with the catalog."""

    def __post_init__(self) -> None:
        # dbt's cache and its docs catalog compare databases. So a relation in the default catalog always has None as
        # its database.
        if self.database is not None and not databases.other_catalog(self.database, self.schema):
            object.__setattr__(self, "path", dataclasses.replace(self.path, database=None))

    def __hash__(self) -> int:
        return hash(self.render())

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.render()}>"

    def render(self) -> str:
        """Return the relation as SQL."""
        return BaseRelation.render(self)

    def _render_iterator(self) -> Iterator[tuple[ComponentName | None, str | None]]:
        """Yield the parts of the SQL name. Outside of the default catalog, a name with a schema also has a catalog."""
        for key in ComponentName:
            included = self.include_policy.get_part(key)
            if key == ComponentName.Database:
                included = included or self.include_policy.schema
            name = self.path.get_part(key) if included else None
            quotes = self.quote_policy.get_part(key)
            yield key, name and (quote_identifier(name) if quotes else databases.part(name))

    @classmethod
    def create_from(cls, quoting: Any, relation_config: Any, **kwargs: Any) -> Any:
        """Return the relation of a node or source.

        Only `ref` and `source` pass the argument `event_time_filter`, which may be None. So the method recognizes a
        model's input by the presence of this argument.
        """
        relation = super().create_from(quoting, relation_config, **kwargs)
        window = relation.event_time_filter
        if window and QUOTED_NAME.fullmatch(window.field_name):
            quoted = dataclasses.replace(window, field_name=column_expression(window.field_name))
            relation = dataclasses.replace(relation, event_time_filter=quoted)
        config = getattr(relation_config, "config", None)
        column = getattr(config, "event_time", None)
        unfiltered = "event_time_filter" in kwargs and kwargs["event_time_filter"] is None
        reader: Any = getattr(_thread, "node", None)
        if not (unfiltered and column and is_interval(reader)):
            return relation
        size = getattr(config, "batch_size", None) or ""
        # The interval of a source table is a month, whatever the grain of the model that reads the table.
        own = MONTH if getattr(relation_config, "resource_type", "") == "source" else getattr(size, "value", size)
        # The filter is added here, since `super().create_from` would turn it into a plain EventTimeFilter.
        before = getattr(relation_config, "name", "") in (reader.config.get("reads_before") or ())
        marked = IntervalFilter(column, grain=str(own), before=before)
        return dataclasses.replace(relation, event_time_filter=marked)

    def _render_event_time_filtered(self, event_time_filter: EventTimeFilter) -> str:
        if isinstance(event_time_filter, IntervalFilter):
            return event_time_filter.mark
        return str(super()._render_event_time_filtered(event_time_filter))

"""Where an interval model reads its inputs, a place is left for the condition of the intervals to build.

dbt compiles a model before its materialization runs, and only then is known which intervals are to
be built. So a `ref` or `source` with an `event_time` is compiled to a subquery whose condition is a
mark, true as it stands; each commit puts its own condition there. As with dbt's microbatch,
`ref('model').render()` leaves an input whole.
"""

from __future__ import annotations

import dataclasses
import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from dbt.adapters.base.relation import EventTimeFilter
from dbt.adapters.spark.relation import SparkRelation

from dbt.adapters.penstock import databases
from dbt.adapters.penstock.interval_models.config import is_interval
from penstock.intervals.grain import GRAINS, MONTH, Grain, condition
from penstock.sql.names import column as column_name

MARK = re.compile(r"/\* intervals (?P<which>of|before those of) (?P<column>\S+)(?: by (?P<grain>\w+))? \*/ true")
# A name that needs quotes; any other SQL is its author's.
ODD_NAME = re.compile(r"(?!\w+$)[\w #/-]+")
_thread = threading.local()


@contextmanager
def compiling(node: Any) -> Iterator[None]:
    """While this thread works on a node: its inputs are marked when it is built by interval."""
    before = getattr(_thread, "node", None)
    _thread.node = node
    try:
        yield
    finally:
        _thread.node = before


@dataclass
class IntervalFilter(EventTimeFilter):
    """The filter of an input that isn't known yet.

    Attributes:
        grain: the input's own; empty for the model's.
        before: whether all intervals before the last one to build are read, not those to build.
    """

    grain: str = ""
    before: bool = False

    @property
    def mark(self) -> str:
        """The condition that stands for it in compiled code."""
        which = "before those of" if self.before else "of"
        return f"/* intervals {which} {self.field_name}{f' by {self.grain}' if self.grain else ''} */ true"


def windows(read: IntervalFilter, intervals: Iterable[date], grain: Grain) -> list[tuple[str, str]]:
    """The same for a Python model: ISO (start, end) of what is read of an input, the end not included."""
    own = GRAINS.get(read.grain, grain)
    if read.before:
        return [("", datetime.combine(last, time()).isoformat()) for last in [max(intervals, default=None)] if last]
    starts = sorted({start for interval in intervals for start in own.of(interval, grain)})
    return [
        (datetime.combine(start, time()).isoformat(), datetime.combine(own.following(start), time()).isoformat())
        for start in starts
    ]


def filled(sql: str, intervals: Iterable[date], grain: Grain, column: str) -> str:
    """Compiled code with the condition of some intervals in every mark.

    A query whose inputs are of another grain, or that has none that could be marked, gives rows
    of other intervals too; those are left out.

    Args:
        sql: the compiled model.
        intervals: those to build.
        grain: the model's.
        column: its own column that tells a row's interval.
    """
    wanted = tuple(intervals)
    narrow, marks = True, 0

    def put(found: re.Match[str]) -> str:
        nonlocal narrow, marks
        own = GRAINS.get(found["grain"] or "", grain)
        if found["which"] != "of":
            return f"{found['column']} < date'{max(wanted).isoformat()}'" if wanted else "false"
        narrow, marks = narrow and own == grain, marks + 1
        return condition(found["column"], {start for item in wanted for start in own.of(item, grain)}, own)

    text = MARK.sub(put, sql)
    if marks and narrow:
        return text
    return f"select * from (\n{text}\n) as penstock_rows where {condition(column, wanted, grain)}"


@dataclass(frozen=True, eq=False, repr=False)
class PenstockRelation(SparkRelation):
    """dbt-spark's relation, marked where an interval model reads it; one of another catalog can't be rendered.

    Attributes:
        described: the source or model that is in another catalog, in words.
        named_only: whether that one is named, as in dbt's manifest, and not read.
    """

    described: str | None = None
    named_only: bool = False

    def __post_init__(self) -> None:
        # Whatever names the default catalog names none: dbt's cache and its catalog of docs compare databases.
        if self.database is not None and not databases.is_foreign(self.database, self.schema):
            object.__setattr__(self, "path", dataclasses.replace(self.path, database=None))

    def __hash__(self) -> int:
        return hash((self.path.database, super().render()))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {super().render()}>"

    def render(self) -> str:
        """The relation as SQL.

        Raises:
            DbtRuntimeError: it is in another catalog.
        """
        if self.identifier and not self.named_only:
            databases.check_read(self)
        return str(super().render())

    @classmethod
    def create_from(cls, quoting: Any, relation_config: Any, **kwargs: Any) -> Any:
        """A relation of a node or source. Only a `ref` or `source` passes an `event_time_filter`, even None."""
        relation = super().create_from(quoting, relation_config, **kwargs)
        window = relation.event_time_filter
        if window and ODD_NAME.fullmatch(window.field_name):
            quoted = dataclasses.replace(window, field_name=column_name(window.field_name))
            relation = dataclasses.replace(relation, event_time_filter=quoted)
        if relation.database:
            named_only = "event_time_filter" not in kwargs
            described = databases.described(relation_config)
            return dataclasses.replace(relation, described=described, named_only=named_only)
        config = getattr(relation_config, "config", None)
        column = getattr(config, "event_time", None)
        asked_for = "event_time_filter" in kwargs and kwargs["event_time_filter"] is None
        reader: Any = getattr(_thread, "node", None)
        if not (asked_for and column and is_interval(reader)):
            return relation
        size = getattr(config, "batch_size", None) or ""
        # The lake's files are monthly, whatever the grain of what reads them.
        own = MONTH if getattr(relation_config, "resource_type", "") == "source" else getattr(size, "value", size)
        # Not as an argument of create_from, which makes a plain EventTimeFilter of it.
        before = getattr(relation_config, "name", "") in (reader.config.get("reads_before") or ())
        asked = IntervalFilter(column, grain=str(own), before=before)
        return dataclasses.replace(relation, event_time_filter=asked)

    def _render_event_time_filtered(self, event_time_filter: EventTimeFilter) -> str:
        if isinstance(event_time_filter, IntervalFilter):
            return event_time_filter.mark
        return str(super()._render_event_time_filtered(event_time_filter))

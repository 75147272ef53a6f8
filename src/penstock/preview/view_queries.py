"""Put the new queries of changed views into the query of a model that reads them.

The next run replaces changed views before it builds the model, but EXPLAIN would read the views as they are now.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

PREFIX = "penstock_view_"


def with_view_queries(sql: str, views: Mapping[str, tuple[str, str]]) -> str:
    """Return a query in which common table expressions replace views.

    Args:
        sql: the query.
        views: (relation as the query has it, query of the view) by name of the view, each after the views that it
            reads.
    """
    expressions: list[tuple[str, str, str]] = []
    for name, (relation, query) in views.items():
        expressions.append((name, relation, _replaced(query, expressions)))
    used = _replaced(sql, expressions)
    if used == sql:
        return sql
    listed = ",\n".join(f"{PREFIX}{name} as (\n{query}\n)" for name, _, query in expressions)
    return f"with {listed}\nselect * from (\n{used}\n)"


def _replaced(sql: str, expressions: list[tuple[str, str, str]]) -> str:
    for name, relation, _ in expressions:
        sql = re.sub(rf"(?<![\w.`]){re.escape(relation)}(?![\w`])", f"{PREFIX}{name}", sql, flags=re.IGNORECASE)
    return sql

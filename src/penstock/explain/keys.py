"""Restore expressions that Spark rewrote to the form that they have in the query."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

# Spark computes a `group by` expression under the name `_groupingexpression`. A later operator renames this column to
# its name in the query.
GROUPING = re.compile(r"_groupingexpression#(\d+)L? AS ([A-Za-z_]\w*)#")
COALESCED = re.compile(r"^coalesce\((.+), .+\)$", re.DOTALL)
NORMALIZED_FLOAT = re.compile(r"^knownfloatingpointnormalized\(normalizenanandzero\((.+)\)\)$", re.DOTALL)
NOT_NULL = re.compile(r"^isnotnull\(([^()]+)\)$")
TRUNCATED = re.compile(r", \.\.\. (\d+) more fields")


def restore_query_names(text: str) -> str:
    """Return the text of a plan with the query's names for its grouping expressions."""
    for number, name in set(GROUPING.findall(text)):
        text = re.sub(rf"_groupingexpression#{number}(?!\d)", f"{name}#{number}", text)
    return text


def strip_parentheses(text: str) -> str:
    """Return an expression without the parentheses around the whole expression."""
    while text.startswith("(") and text.endswith(")"):
        depth = 0
        for position, letter in enumerate(text):
            depth += (letter == "(") - (letter == ")")
            if depth == 0 and position < len(text) - 1:
                return text
        text = text[1:-1]
    return text


def readable_condition(text: str) -> str:
    """Return a condition in the form that it has in the query.

    Outer parentheses are removed. `isnotnull` is removed too, unless the condition has no other part.
    """
    parts = list(_conjuncts(text))
    written = [part for part in parts if not NOT_NULL.match(part)]
    return " and ".join(written or [NOT_NULL.sub(r"\1 is not null", part) for part in parts])


def _conjuncts(text: str) -> Iterator[str]:
    text = strip_parentheses(text.strip())
    depth = 0
    for position, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0 and text.startswith(" AND ", position):
            yield from _conjuncts(text[:position])
            yield from _conjuncts(text[position + 5 :])
            return
    yield text


def readable_keys(keys: Sequence[str]) -> list[str]:
    """Return keys as the query has them: Spark's null-safe pair `coalesce(a, 0), isnull(a)` becomes `a`."""
    readable: list[str] = []
    rest = list(keys)
    while rest:
        key = rest.pop(0)
        if (inner := _null_safe(key, rest)) is not None:
            rest.pop(0)
            key = inner
        # Spark normalizes floating-point keys so that -0.0 equals 0.0.
        readable.append(NORMALIZED_FLOAT.sub(r"\1", key))
    return readable


def _null_safe(key: str, following: Sequence[str]) -> str | None:
    match = COALESCED.match(key)
    return match[1] if match and following and following[0] == f"isnull({match[1]})" else None


def equalities(left: Sequence[str], right: Sequence[str]) -> list[str]:
    """Return the equalities of a join: `a = b`, or `a <=> b` if the join treats two nulls as equal."""
    result: list[str] = []
    position = 0
    while position < min(len(left), len(right)):
        left_key = _null_safe(left[position], left[position + 1 :])
        right_key = _null_safe(right[position], right[position + 1 :])
        is_null_safe = left_key is not None and right_key is not None
        result.append(f"{left_key} <=> {right_key}" if is_null_safe else f"{left[position]} = {right[position]}")
        position += 2 if is_null_safe else 1
    return result

"""Keys of joins and exchanges as a person wrote them, where Spark rewrote them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

# `group by` of an expression: Spark computes it below under this name, and renames it above.
GROUPING = re.compile(r"_groupingexpression#(\d+)L? AS ([A-Za-z_]\w*)#")
COALESCED = re.compile(r"^coalesce\((.+), .+\)$", re.DOTALL)
NORMAL = re.compile(r"^knownfloatingpointnormalized\(normalizenanandzero\((.+)\)\)$", re.DOTALL)
NOT_NULL = re.compile(r"^isnotnull\(([^()]+)\)$")
CUT = re.compile(r", \.\.\. (\d+) more fields")


def named(text: str) -> str:
    """A plan's text with grouping expressions under the names that the query gives them."""
    for number, name in set(GROUPING.findall(text)):
        text = re.sub(rf"_groupingexpression#{number}(?!\d)", f"{name}#{number}", text)
    return text


def unwrapped(text: str) -> str:
    """An expression without brackets around all of it."""
    while text.startswith("(") and text.endswith(")"):
        depth = 0
        for place, letter in enumerate(text):
            depth += (letter == "(") - (letter == ")")
            if depth == 0 and place < len(text) - 1:
                return text
        text = text[1:-1]
    return text


def condition(text: str) -> str:
    """A condition as written: without outer brackets, and without `isnotnull` where another part says more."""
    parts = list(_parts(text))
    told = [part for part in parts if not NOT_NULL.match(part)]
    return " and ".join(told or [NOT_NULL.sub(r"\1 is not null", part) for part in parts])


def _parts(text: str) -> Iterator[str]:
    text = unwrapped(text.strip())
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0 and text.startswith(" AND ", place):
            yield from _parts(text[:place])
            yield from _parts(text[place + 5 :])
            return
    yield text


def simple(keys: Sequence[str]) -> list[str]:
    """Keys, each null-safe pair `coalesce(a, 0), isnull(a)` as the one `a` it stands for."""
    found: list[str] = []
    rest = list(keys)
    while rest:
        key = rest.pop(0)
        if (inner := _null_safe(key, rest)) is not None:
            rest.pop(0)
            key = inner
        # Spark makes -0.0 equal 0.0 in keys that are floating point numbers.
        found.append(NORMAL.sub(r"\1", key))
    return found


def _null_safe(key: str, after: Sequence[str]) -> str | None:
    match = COALESCED.match(key)
    return match[1] if match and after and after[0] == f"isnull({match[1]})" else None


def equations(left: Sequence[str], right: Sequence[str]) -> list[str]:
    """The equal expressions of a join: `a = b`, and `a <=> b` where null equals null."""
    found: list[str] = []
    place = 0
    while place < min(len(left), len(right)):
        one, other = _null_safe(left[place], left[place + 1 :]), _null_safe(right[place], right[place + 1 :])
        safe = one is not None and other is not None
        found.append(f"{one} <=> {other}" if safe else f"{left[place]} = {right[place]}")
        place += 2 if safe else 1
    return found

"""Join sides and hints, read from the text of a query."""

from __future__ import annotations

import pytest

from penstock.plans import query_text
from penstock.plans.query_text import JoinSide

T, Z = frozenset({"s.trips"}), frozenset({"s.zones"})
NO_VIEWS: dict[str, frozenset[str]] = {}


def test_sides_have_their_tables_clauses_and_hints() -> None:
    query = "select /*+ BROADCAST(z) */ * from s.trips as t left join s.zones as z on t.z = z.id"
    assert query_text.join_sides(query, NO_VIEWS) == [
        JoinSide("t", T, "from"),
        JoinSide("z", Z, "join", "broadcast", frozenset({"id"})),
    ]


@pytest.mark.parametrize(
    "source",
    [
        "with c as (select * from s.zones), d as (select * from c) select * from s.trips t join d on t.z = d.id",
        "with recursive d as (select * from s.zones union select * from d) select * from s.trips t join d on t.z = 1",
        "select * from s.trips t join (select id from s.zones group by id) d on t.z = d.id",
        "select * from s.trips t join (select id from s.zones union all select 1) d on t.z = d.id",
        "select * from s.trips t join (select 1 as id where exists (select * from s.zones)) d on t.z = d.id",
        "select * from s.trips t join v.zones d on t.z = d.id",
        "select * from s.trips t join cat.v.zones d on t.z = d.id",
    ],
    ids=["cte of cte", "recursive", "subquery", "union", "exists", "view", "catalog"],
)
def test_a_side_is_followed_to_its_stored_tables(source: str) -> None:
    found = {side.alias: side.tables for side in query_text.join_sides(source, {"v.zones": Z})}
    assert found["d"] == Z
    assert found["t"] == T


def test_sides_of_the_inner_query_come_first() -> None:
    query = "select * from (select a.id from s.a a join s.b b on a.id = b.id) x join s.c c on x.id = c.id"
    assert [side.alias for side in query_text.join_sides(query, NO_VIEWS)] == ["a", "b", "x", "c"]


@pytest.mark.parametrize("hint", ["broadcast(`z`)", "MAPJOIN(Z)", "broadcastjoin(z)", "merge(t), broadcast(z)"])
def test_a_hint_reaches_its_side(hint: str) -> None:
    query = f"select /*+ {hint} */ * from s.trips t join s.zones z on t.z = z.id"
    assert next(side for side in query_text.join_sides(query, NO_VIEWS) if side.alias == "z").hint == "broadcast"
    assert [item.dangling for item in query_text.hints(query)] == [[]] * len(query_text.hints(query))


@pytest.mark.parametrize(
    ("query", "dangling"),
    [
        ("select /*+ broadcast(y) */ * from s.trips t join s.zones z on t.z = z.id", ["y"]),
        ("select /*+ broadcast(zones) */ * from s.trips t join s.zones z on t.z = z.id", ["zones"]),
        ("select /*+ broadcast(zones) */ * from s.trips t join s.zones on t.z = zones.id", []),
        ("select /*+ broadcast(s.zones) */ * from s.trips t join s.zones on t.z = zones.id", []),
        ("with z as (select 1 as id) select /*+ merge(z) */ * from s.trips t join z on t.z = z.id", []),
        ("with z as (select 1 as id) select /*+ merge(z) */ * from s.trips t", ["z"]),
        ("select /*+ rebalance(z) */ * from s.trips t", []),
        ("select /*+ coalesce(3) */ * from s.trips t union all select /*+ broadcast(q) */ * from s.trips t", ["q"]),
    ],
)
def test_a_hint_for_a_side_that_is_not_there_dangles(query: str, dangling: list[str]) -> None:
    assert [name for hint in query_text.hints(query) for name in hint.dangling] == dangling


@pytest.mark.parametrize(
    "query",
    [
        "select /*+ broadcast(b) */ a.id from s.a a left semi join s.b b on a.id = b.id",
        "select /*+ broadcast(b) */ a.id from s.a a left anti join (select id from s.b) b on a.id = b.id",
        "select /*+ broadcast(b) */ a.id from s.a a join s.b version as of 3 b on a.id = b.id",
        "select /*+ broadcast(b) */ a.id from s.a a join s.b tablesample (10 percent) b on a.id = b.id",
        "select /*+ broadcast(b) */ a.id from s.a a join lateral (select id from s.b where b.id = a.id) b",
        "select /*+ broadcast(b) */ a.id from s.a a lateral view explode(a.x) e as y join s.b b on b.id = e.y",
        "select /*+ broadcast(b) */ a.id from s.a a join values (1) as b(id) on a.id = b.id",
        "select /*+ broadcast(b) */ a.id from s.a a join range(10) b on a.id = b.id",
        "select /*+ broadcast(b) */ a.id from s.a a, s.b b where a.id = b.id",
        "select a.id from s.a a where a.id in (select /*+ broadcast(b) */ c.id from s.c c join s.b b on b.id = c.id)",
        "select /*+ broadcast(b) */ * from s.a pivot (sum(x) for y in (1, 2)) b",
        "select /*+ broadcast(b) */ b.id from s.b b join s.zones on zones.id = b.id join t.zones on zones.id = b.id",
    ],
)
def test_a_hint_for_any_kind_of_side_is_no_error(query: str) -> None:
    (hint,) = query_text.hints(query)
    assert hint.dangling == []


def test_both_sides_of_a_semi_join_and_of_one_name_are_known() -> None:
    semi = "select /*+ broadcast(b) */ a.id from s.trips a left semi join s.zones b on a.id = b.id"
    assert query_text.join_sides(semi, NO_VIEWS) == [
        JoinSide("a", T, "from"),
        JoinSide("b", Z, "join", "broadcast", frozenset({"id"})),
    ]
    same = "select * from s.trips join t.trips on s.trips.id = t.trips.id"
    assert [side.tables for side in query_text.join_sides(same, NO_VIEWS)] == [T, {"t.trips"}]


def test_every_hint_of_a_comment_is_read() -> None:
    query = (
        "select /*+ broadcast(z, `a b`), repartition(3, x), rebalance */ * from s.z z join s.y `a b` on z.i = `a b`.i"
    )
    names = [(hint.name, hint.names) for hint in query_text.hints(query)]
    assert names == [("broadcast", ("z", "a b")), ("repartition", ("x",)), ("rebalance", ())]


def test_a_query_that_sqlglot_cannot_parse_raises_an_error() -> None:
    with pytest.raises(query_text.QueryParseError):
        query_text.hints("select from where (")

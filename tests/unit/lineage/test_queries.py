"""The lineage of SQL constructs: `~` is transformed, `+` aggregated, `=` constant, `#` generated, `?!` unresolved."""

from __future__ import annotations

import pytest

from penstock.lineage import model_query
from penstock.lineage.origins import Kind, Origin, Use
from penstock.lineage.query_scope import UnreadableQuery

TYPES = {
    "w.a": {
        "id": "int",
        "x": "int",
        "y": "int",
        "k": "string",
        "s": "struct<p:int,q:struct<r:int>>",
        "arr": "array<int>",
        "m": "map<string,int>",
    },
    "w.b": {"id": "int", "z": "int"},
}
MARKS = {Kind.DIRECT: "", Kind.TRANSFORMED: "~", Kind.AGGREGATED: "+", Kind.CONSTANT: "=", Kind.GENERATED: "#"}


def _shown(origin: Origin) -> str:
    name = f"{origin.relation.removeprefix('w.')}.{origin.column}" if origin.relation else origin.column
    return MARKS.get(origin.kind, "?!") + name


def lineage(sql: str) -> dict[str, str]:
    """Return the inputs of each column of a query in one line of text."""
    return {name: " ".join(map(_shown, found)) for name, found in model_query.read(sql, TYPES).columns.items()}


ALL_OF_A = {name: f"a.{name}" for name in TYPES["w.a"]}

CASES: dict[str, tuple[str, dict[str, str]]] = {
    "star": ("select * from w.b", {"id": "b.id", "z": "b.z"}),
    "star except": ("select * except (s, arr, m, k) from w.a", {"id": "a.id", "x": "a.x", "y": "a.y"}),
    "star of a join": ("select b.*, a.x from w.a a join w.b b on a.id = b.id", {"id": "b.id", "z": "b.z", "x": "a.x"}),
    "placeholder of intervals": (
        "with t as (select * from (select * from w.b where /* intervals of d */ true)) select * from t",
        {"id": "b.id", "z": "b.z"},
    ),
    "CTE": ("with c as (select id, x + 1 as n from w.a) select c.n as o, id from c", {"o": "~a.x", "id": "a.id"}),
    "CTE with column names": ("with c(u, v) as (select id, x from w.a) select v, u from c", {"v": "a.x", "u": "a.id"}),
    "CTE read twice": (
        "with c as (select id, x from w.a) select l.x as l, r.x as r from c as l join c as r on l.id = r.id",
        {"l": "a.x", "r": "a.x"},
    ),
    "recursive CTE": (
        "with recursive r as (select id, x from w.a union all select id, x + 1 from r where x < 9) select * from r",
        {"id": "a.id", "x": "~a.x"},
    ),
    "recursive CTE that swaps columns": (
        "with recursive r(u, v) as (select id, x from w.a union all select v, u from r) select * from r",
        {"u": "a.id a.x", "v": "a.x a.id"},
    ),
    "date spine": (
        "with recursive d(day) as (select date'2024-01-01' union all select day + 1 from d) select day from d",
        {"day": "=CAST('2024-01-01' AS DATE)"},
    ),
    "union by position": (
        "select id, x from w.a union all select z, null from w.b",
        {"id": "a.id b.z", "x": "a.x =NULL"},
    ),
    "except": ("select id from w.a except select id from w.b", {"id": "a.id"}),
    "cast": ("select cast(x as string) as x, -y as y from w.a", {"x": "~a.x", "y": "~a.y"}),
    "constants": (
        "select 'a' as l, cast(null as int) as n, current_timestamp() as t from w.a",
        {"l": "='a'", "n": "=CAST(NULL AS INT)", "t": "#CURRENT_TIMESTAMP()"},
    ),
    "case": ("select case when x > 1 then y else 0 end as c from w.a", {"c": "~a.x ~a.y"}),
    "aggregates": (
        "select k, sum(x) as s, count(*) as n, count(distinct y) + 1 as d from w.a group by all",
        {"k": "a.k", "s": "+a.x", "n": "+a.*", "d": "+a.y"},
    ),
    "rows of a join": ("select count(1) as n from w.a join w.b using (id)", {"n": "+a.* +b.*"}),
    "aggregate with filter": ("select sum(x) filter (where y > 1) as s from w.a", {"s": "+a.x +a.y"}),
    "aggregate of an aggregate": (
        "with c as (select k, max(x) as m from w.a group by k) select k, m, m + 1 as n from c",
        {"k": "a.k", "m": "+a.x", "n": "+a.x"},
    ),
    "window": (
        "select sum(x) over (partition by k order by y) as s from w.a",
        {"s": "+a.x ~a.k ~a.y"},
    ),
    "named window": (
        "select lag(x) over w1 as l, row_number() over w1 as n from w.a window w1 as (partition by k order by y)",
        {"l": "~a.x ~a.k ~a.y", "n": "~a.k ~a.y"},
    ),
    "first value": ("select first_value(x) ignore nulls over (order by y) as f from w.a", {"f": "~a.x ~a.y"}),
    "qualify": (
        "select id, x from w.a qualify row_number() over (partition by id order by y) = 1",
        {"id": "a.id", "x": "a.x"},
    ),
    "deduplication by row number": (
        "with n as (select *, row_number() over (partition by id order by z) as rn from w.b) "
        "select * except (rn) from n where rn = 1",
        {"id": "b.id", "z": "b.z"},
    ),
    "deduplication by the largest struct": (
        "select latest.* from (select id, max(struct(y, x)) as latest from w.a group by id)",
        {"y": "+a.y", "x": "+a.x"},
    ),
    "lateral column alias": ("select x + 1 as n, n * y as p from w.a", {"n": "~a.x", "p": "~a.x ~a.y"}),
    "alias that an input column shadows": ("select x as y, y + 1 as z from w.a", {"y": "a.x", "z": "~a.y"}),
    "field of a struct": ("select s.p, a.s.q.r from w.a", {"p": "~a.s", "r": "~a.s"}),
    "struct and its fields": (
        "with c as (select named_struct('i', id, 'j', x) as t from w.a) select t.j, t from c",
        {"j": "a.x", "t": "~a.id ~a.x"},
    ),
    "star of a struct": ("select s.* from w.a", {"p": "~a.s", "q": "~a.s"}),
    "star of a struct in a struct": ("select s.q.* from w.a", {"r": "~a.s"}),
    "star of an exploded array of structs": (
        "with c as (select array(struct(x as u, named_struct('v', y) as w)) as l from w.a) "
        "select t.*, t.w.* from c lateral view inline(l) t",
        {"u": "~a.x", "w": "~a.y", "v": "~a.y"},
    ),
    "file metadata": (
        "select _metadata.file_path as p from w.a",
        {"p": "#_metadata, which Spark adds to the rows of files"},
    ),
    "functions of arrays": (
        "select exists(arr, v -> v > x) as e, filter(arr, v -> v > y) as f, aggregate(arr, 0, (c, v) -> c + v) as g "
        "from w.a",
        {"e": "~a.arr ~a.x", "f": "~a.arr ~a.y", "g": "~a.arr"},
    ),
    "columns with the schema in front": ("select w.a.x from w.a", {"x": "a.x"}),
    "select distinct": ("select distinct k from w.a", {"k": "a.k"}),
    "rollup": ("select k, sum(x) as s from w.a group by k with rollup", {"k": "a.k", "s": "+a.x"}),
    "lateral view explode": ("select id, e from w.a lateral view explode(arr) t as e", {"id": "a.id", "e": "~a.arr"}),
    "lateral view posexplode": (
        "select p, e from w.a lateral view outer posexplode(arr) t as p, e",
        {"p": "~a.arr", "e": "~a.arr"},
    ),
    "lateral view explode of a map": (
        "select key, value from w.a lateral view explode(m)",
        {"key": "~a.m", "value": "~a.m"},
    ),
    "explode of a literal map": (
        "select explode(map('x', x, 'y', y)) as (name, v) from w.a",
        {"name": "='x', 'y'", "v": "~a.x ~a.y"},
    ),
    "explode in the select list": ("select explode(arr), id from w.a", {"col": "~a.arr", "id": "a.id"}),
    "table function in from": ("select t.col from w.a, lateral explode(a.arr) t", {"col": "~a.arr"}),
    "inline": (
        "with c as (select collect_list(struct(x, y)) as l from w.a) select v, u from c lateral view inline(l) as u, v",
        {"v": "+a.y", "u": "+a.x"},
    ),
    "stack": (
        "select id, stack(2, 'x', x, 'y', y) as (name, v) from w.a",
        {"id": "a.id", "name": "='x', 'y'", "v": "~a.x ~a.y"},
    ),
    "range": ("select id from range(10)", {"id": "#RANGE(10)"}),
    "sequence": ("select explode(sequence(1, 3)) as d", {"d": "#SEQUENCE(1, 3)"}),
    "values": ("select l, n from values (1, 'a'), (2, 'b') as t(n, l)", {"l": "='a', 'b'", "n": "=1, 2"}),
    "pivot": (
        "select * from (select id, k, x from w.a) pivot (sum(x) as s for k in ('u', 'v' as w))",
        {"id": "a.id", "u": "+a.x ~a.k", "w": "+a.x ~a.k"},
    ),
    "pivot with two aggregates": (
        "select id, u_s, u_m from (select id, k, x, y from w.a) pivot (sum(x) as s, max(y) as m for k in ('u'))",
        {"id": "a.id", "u_s": "+a.x ~a.k", "u_m": "+a.y ~a.k"},
    ),
    "unpivot": (
        "select id, name, v from w.a unpivot (v for name in (x, y))",
        {"id": "a.id", "name": "='x', 'y'", "v": "a.x a.y"},
    ),
    "scalar subquery": (
        "select (select max(z) from w.b where b.id = a.id) as m from w.a",
        {"m": "+b.z"},
    ),
    "exists": ("select exists (select 1 from w.b where b.id = a.id) as e from w.a", {"e": "~b.*"}),
    "in a subquery": ("select x in (select z from w.b) as e from w.a", {"e": "~a.x ~b.z"}),
    "lateral subquery": (
        "select l.z from w.a, lateral (select z from w.b where b.id = a.id) l",
        {"z": "b.z"},
    ),
    "left join using": ("select id, x, z from w.a left join w.b using (id)", {"id": "a.id", "x": "a.x", "z": "b.z"}),
    "right join using": ("select id from w.a right join w.b using (id)", {"id": "b.id"}),
    "full join using": ("select id from w.a full join w.b using (id)", {"id": "~a.id ~b.id"}),
    "surrogate key": (
        "select md5(concat(coalesce(cast(id as string), ''), '-', coalesce(cast(k as string), ''))) as sk from w.a",
        {"sk": "~a.id ~a.k"},
    ),
    "lambda": ("select transform(arr, v -> v + x) as t from w.a", {"t": "~a.arr ~a.x"}),
    "units of time": (
        "select timestampadd(hour, hour(y), x) as t, timestampdiff(second, x, y) as d from w.a",
        {"t": "~a.x ~a.y", "d": "~a.y ~a.x"},
    ),
    "hint": ("select /*+ BROADCAST(b) */ z from w.a join w.b on a.id = b.id", {"z": "b.z"}),
    "time travel": ("select x from w.a version as of 3", {"x": "a.x"}),
    "case of names": ("select A.X from W.A", {"x": "a.x"}),
    "quoted names": ("select `x` as `the x` from `w`.`a`", {"the x": "a.x"}),
    "script": ("select transform(id, x) using 'cat' as (u, v) from w.a", {"u": "~a.id ~a.x", "v": "~a.id ~a.x"}),
}


@pytest.mark.parametrize("name", CASES)
def test_each_construct(name: str) -> None:
    sql, expected = CASES[name]
    assert lineage(sql) == expected


def test_star_replace_changes_one_column() -> None:
    assert lineage("select * replace (x + y as x) from w.a") == ALL_OF_A | {"x": "~a.x ~a.y"}


def test_a_column_passes_a_star_over_unknown_columns() -> None:
    sql = "with source as (select * from raw.t), final as (select Id as key, s.f as f from source) select * from final"
    assert lineage(sql) == {"key": "raw.t.id", "f": "~raw.t.s"}


def test_a_subquery_over_unknown_columns_reads_its_own_relation() -> None:
    sql = "with c as (select * from w.b) select * from c where z > (select max(z) from raw.t)"
    assert lineage(sql) == {"id": "b.id", "z": "b.z"}
    uses = model_query.read(sql, TYPES).uses
    assert set(uses) == {("w.b", "z", Use.FILTER), ("raw.t", "z", Use.FILTER)}


def test_a_star_over_unknown_columns_is_unresolved() -> None:
    found = model_query.read("select * from raw.t", TYPES)
    assert (lineage("select * from raw.t"), found.is_complete) == ({"*": "?!the columns of raw.t are unknown"}, False)


def test_documented_columns_name_the_columns_of_a_star() -> None:
    found = model_query.read("select *, 1 as one from raw.t", TYPES, documented=["c", "one"])
    assert {name: _shown(origins[0]) for name, origins in found.columns.items()} == {"c": "raw.t.c", "one": "=1"}


def test_a_column_of_one_of_two_unknown_relations_is_unresolved() -> None:
    sql = "select c from raw.t join raw.u on t.id = u.id"
    reason = "c may be a column of any of raw.t, raw.u, whose columns are unknown"
    assert lineage(sql) == {"c": f"?!{reason}"}
    found = model_query.read(sql, {}, partial={"raw.u": ["c"]})
    assert found.columns["c"] == (Origin("raw.u", "c", Kind.DIRECT),)


def test_a_missing_column_is_unresolved() -> None:
    assert lineage("select nothing from w.a") == {"nothing": "?!no column nothing in w.a"}


def test_unreadable_sql_has_a_reason() -> None:
    with pytest.raises(UnreadableQuery, match="Line 1"):
        model_query.read("select from where", {})


def test_a_statement_that_is_no_query_is_unreadable() -> None:
    with pytest.raises(UnreadableQuery, match="a statement of type Merge is not a query"):
        model_query.read("merge into w.a using w.b on a.id = b.id when matched then update set *", TYPES)


def test_uses_are_the_columns_that_affect_only_the_rows() -> None:
    sql = """
        with c as (select k, sum(x) as s from w.a where y > 1 group by k having sum(x) > 2)
        select c.s from c join w.b on c.k = b.id order by b.z
    """
    uses = {(relation, column, use.value) for relation, column, use in model_query.read(sql, TYPES).uses}
    assert uses == {
        ("w.a", "y", "filter"),
        ("w.a", "x", "filter"),
        ("w.a", "k", "group_by"),
        ("w.a", "k", "join"),
        ("w.b", "id", "join"),
        ("w.b", "z", "sort"),
    }


def test_group_by_all_uses_the_columns_that_are_not_aggregated() -> None:
    uses = model_query.read("select k, y + 1 as n, sum(x) as s from w.a group by all", TYPES).uses
    assert {column for _, column, _ in uses} == {"k", "y"}

"""Column lineage of single nodes while dbt runs, from objects like those of dbt's manifest."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from penstock.lineage import event_lineage


def node(unique_id: str, sql: str = "", parents: tuple[str, ...] = (), materialized: str = "table") -> Any:
    """Return a node with the method that dbt's nodes have."""
    kind, _, name = unique_id.split(".")
    values = {
        "resource_type": kind,
        "name": name,
        "relation_name": None if materialized == "ephemeral" else f"`s`.`{name}`",
        "config": {"materialized": materialized},
        "language": "sql",
        "compiled_code": sql,
        "depends_on": {"nodes": list(parents)},
        "columns": {},
    }
    return SimpleNamespace(to_dict=lambda omit_none: dict(values))


def test_a_column_comes_from_the_table_behind_an_ephemeral_model() -> None:
    raw, paid, orders = "seed.shop.raw", "model.shop.paid", "model.shop.orders"
    cte = "with __dbt__cte__paid as (select id, price from s.raw where id < 3)"
    sql = f"{cte} select id, price * 2 as total from __dbt__cte__paid"
    manifest = SimpleNamespace(
        nodes={
            raw: node(raw, materialized="seed"),
            paid: node(paid, "select id, price from s.raw where id < 3", (raw,), "ephemeral"),
            orders: node(orders, sql, (paid,)),
        },
        sources={},
    )
    types = {raw: {"id": "bigint", "price": "double"}}
    facet = event_lineage.of_command(manifest, lambda key: types.get(key, {}))(orders, lambda key: ("ns", key))
    (total,) = facet["fields"]["total"]["inputFields"]
    assert (total["name"], total["field"], total["transformations"][0]["subtype"]) == (raw, "price", "TRANSFORMATION")

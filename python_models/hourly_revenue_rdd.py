"""Compute revenue by hour and zone with RDDs, as people did before Spark had SQL: filter, map, reduce by key.

The rows equal those of `hourly_zone_revenue`; a test compares them to the cent. A comparison of the two models shows
why SQL replaced RDDs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pyspark.sql import DataFrame

SCHEMA = (
    "pickup_month date, pickup_hour timestamp_ntz, pickup_zone_id int, "
    "green_trips bigint, green_amount decimal(22,2), yellow_trips bigint, yellow_amount decimal(22,2)"
)


def keyed(row: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return a trip's key and what it adds: green trips, green amount, yellow trips, yellow amount."""
    hour = row.pickup_at.replace(minute=0, second=0, microsecond=0)
    one = (1, row.total_amount) if row.total_amount is not None else (1, 0)
    both = (*one, 0, 0) if row.service_type == "green" else (0, 0, *one)
    return (row.pickup_month, hour, row.pickup_zone_id), both


def add(one: tuple[Any, ...], other: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the sum of two contributions to the same key."""
    return tuple(a + b for a, b in zip(one, other, strict=True))


def to_rows(partition: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
    """Return the keys and sums of a partition as rows. Amounts remain decimals, so nothing is rounded."""
    from decimal import Decimal

    for key, (green_trips, green, yellow_trips, yellow) in partition:
        yield *key, green_trips, Decimal(green), yellow_trips, Decimal(yellow)


def model(dbt: Any, session: Any) -> DataFrame:
    dbt.config(materialized="table", submission_method="spark_submit")
    columns = ["pickup_month", "pickup_at", "pickup_zone_id", "service_type", "total_amount"]
    revenue = (
        dbt.ref("fct_trips")
        .select(*columns)
        .rdd.filter(lambda row: row.service_type in ("green", "yellow"))
        .map(keyed)
        .reduceByKey(add)
        .mapPartitions(to_rows)
    )
    return session.createDataFrame(revenue, SCHEMA)

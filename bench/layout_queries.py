"""Queries of bench/layout.py: comparisons of variants, and queries whose plans the docs show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

ONE_MONTH, ONE_ZONE = "where pickup_month = date'2024-03-01'", "where pickup_zone_id = 74"
ADAPTIVE = "spark.sql.adaptive."
NONE: Mapping[str, str] = MappingProxyType({})
GOOD, FLAT, CLUSTERED, SMALL = "warehouse.fct_trips", "bench.flat", "bench.clustered", "bench.small"
COUNTED = "count(*) as trips, sum(trips.total_amount) as amount, avg(trips.trip_distance) as miles"
JOINED = f"{GOOD} as trips inner join warehouse.dim_zones as zones on trips.pickup_zone_id = zones.zone_id"


@dataclass(frozen=True)
class Variant:
    """One way to run a query. `label` names the layout or the hint."""

    label: str
    table: str
    sql: str
    settings: Mapping[str, str] = field(default_factory=dict)


def _join(label: str, hint: str, settings: Mapping[str, str] = NONE) -> Variant:
    return Variant(label, GOOD, f"select /*+ {hint} */ borough, {COUNTED} from {JOINED} group by borough", settings)


def _by_service(label: str, table: str, where: str = "") -> Variant:
    return Variant(label, table, f"select service_type, {COUNTED} from {table} as trips {where} group by service_type")


# Spark doesn't count the bytes of local files that vectored IO (the default) reads. To get these bytes, each query
# runs once more without vectored IO and without being timed.
COUNTING = {"parquet.hadoop.vectored.io.enabled": "false"}
# The first variant of each comparison is the good one. The seconds of the others are shown as multiples of its seconds.
COMPARISONS = {
    "trips joined with zones": (
        _join("`broadcast('zones')`", "broadcast(zones)"),
        _join("`shuffle_hash('zones')`", "shuffle_hash(zones)"),
        _join("`merge('zones')`", "merge(zones)"),
    ),
    "one month": (
        _by_service("`monthly_partitions('pickup_month')`", GOOD, ONE_MONTH),
        _by_service("no partitions", FLAT, ONE_MONTH),
    ),
    "one zone": (
        _by_service("`clustered('pickup_zone_id')`, compacted", CLUSTERED, ONE_ZONE),
        _by_service("not clustered", FLAT, ONE_ZONE),
    ),
    "all trips": (
        _by_service("`target_file_size({target})`", GOOD),
        _by_service("`repartition(200)`", SMALL),
    ),
}
HIGHEST = f"select {{key}}, max(total_amount) as most from {GOOD} group by {{key}}"
BY_ZONE = HIGHEST.format(key="pickup_zone_id")
ONE_TASK = {"spark.sql.shuffle.partitions": "1"}
SKEWED = {
    "spark.sql.shuffle.partitions": "200",
    f"{ADAPTIVE}advisoryPartitionSizeInBytes": "2m",
    f"{ADAPTIVE}skewJoin.skewedPartitionThresholdInBytes": "4m",
    f"{ADAPTIVE}skewJoin.skewedPartitionFactor": "3",
}
# These queries run once. The docs show their plans.
SHOWN = {
    "few groups": Variant("zone", GOOD, f"select pickup_zone_id, {COUNTED} from {GOOD} as trips group by all"),
    "many groups": Variant("trip", GOOD, f"select count(*) from ({HIGHEST.format(key='trip_id')}) where most > 0"),
    "one task": Variant(
        "trip, in one task", GOOD, f"select max(most) from ({HIGHEST.format(key='trip_id')})", ONE_TASK
    ),
    "adapted": Variant(
        "zone", GOOD, f"select count(*) from {GOOD} join ({BY_ZONE}) using (pickup_zone_id) where total_amount = most"
    ),
    "skew": _join("skewed", "merge(zones)", SKEWED),
}

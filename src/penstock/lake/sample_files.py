"""Generate trips as tables with the column names and parquet types of the TLC's files for the same month.

Up to 2023-01, ids are int64, counts are doubles, and `ehail_fee` in green files has Arrow's null type. From 2023-02,
ids are int32, counts are int64, strings are large strings, and `airport_fee` in yellow files is named `Airport_fee`.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa

from penstock.lake.arrow_types import Values
from penstock.lake.sample_trips import Trips, add_defects, is_airport, is_manhattan, make_journeys

DATASETS = ("green", "yellow", "fhvhv")
NEW_ERA, CBD_ERA = date(2023, 2, 1), date(2025, 1, 1)
NONE = -1

# For each dataset, the columns of its files by name. Each value is (name of the column's array in `Trips`, kind of the
# column). The kind determines how `_arrow` converts the array to an Arrow array.
_TAXI_MONEY = ("fare", "extra", "mta", "tip", "tolls", "improvement", "total", "congestion", "airport", "cbd")
_COLUMNS: dict[str, dict[str, tuple[str, str]]] = {
    "green": {
        "VendorID": ("vendor", "id"), "lpep_pickup_datetime": ("pickup", "time"),
        "lpep_dropoff_datetime": ("dropoff", "time"), "store_and_fwd_flag": ("held", "flag"),
        "RatecodeID": ("rate", "count"), "PULocationID": ("pu", "id"), "DOLocationID": ("do", "id"),
        "passenger_count": ("passengers", "count"), "trip_distance": ("miles", "miles"),
        "fare_amount": ("fare", "money"), "extra": ("extra", "money"), "mta_tax": ("mta", "money"),
        "tip_amount": ("tip", "money"), "tolls_amount": ("tolls", "money"), "ehail_fee": ("none", "ehail"),
        "improvement_surcharge": ("improvement", "money"), "total_amount": ("total", "money"),
        "payment_type": ("payment", "count"), "trip_type": ("trip_type", "count"),
        "congestion_surcharge": ("congestion", "blocked money"),
    },
    "yellow": {
        "VendorID": ("vendor", "id"), "tpep_pickup_datetime": ("pickup", "time"),
        "tpep_dropoff_datetime": ("dropoff", "time"), "passenger_count": ("passengers", "count"),
        "trip_distance": ("miles", "miles"), "RatecodeID": ("rate", "count"), "store_and_fwd_flag": ("held", "flag"),
        "PULocationID": ("pu", "id"), "DOLocationID": ("do", "id"), "payment_type": ("payment", "long"),
        "fare_amount": ("fare", "money"), "extra": ("extra", "money"), "mta_tax": ("mta", "money"),
        "tip_amount": ("tip", "money"), "tolls_amount": ("tolls", "money"),
        "improvement_surcharge": ("improvement", "money"), "total_amount": ("total", "money"),
        "congestion_surcharge": ("congestion", "blocked money"), "airport_fee": ("airport", "blocked money"),
    },
    "fhvhv": {
        "hvfhs_license_num": ("company", "licence"), "dispatching_base_num": ("company", "base"),
        "originating_base_num": ("company", "origin"), "request_datetime": ("request", "time"),
        "on_scene_datetime": ("scene", "scene"), "pickup_datetime": ("pickup", "time"),
        "dropoff_datetime": ("dropoff", "time"), "PULocationID": ("pu", "id"), "DOLocationID": ("do", "id"),
        "trip_miles": ("miles", "miles"), "trip_time": ("seconds", "long"), "base_passenger_fare": ("fare", "money"),
        "tolls": ("tolls", "money"), "bcf": ("bcf", "money"), "sales_tax": ("tax", "money"),
        "congestion_surcharge": ("congestion", "money"), "airport_fee": ("airport", "money"), "tips": ("tip", "money"),
        "driver_pay": ("pay", "money"), "shared_request_flag": ("shared", "flag"),
        "shared_match_flag": ("matched", "flag"), "access_a_ride_flag": ("none", "blank"),
        "wav_request_flag": ("wav", "flag"), "wav_match_flag": ("wav", "flag"),
    },
}  # fmt: skip
_TEXTS: dict[str, list[str | None]] = {
    "flag": ["N", "Y"],
    "licence": ["HV0003", "HV0005"],
    "base": ["B03404", "B03406"],
    "origin": ["B03404", None],
    "blank": [" ", " "],
}


# For each kind of whole number, (type in files up to 2023-01, type in later files).
_WHOLE: dict[str, tuple[pa.DataType, pa.DataType]] = {
    "id": (pa.int64(), pa.int32()),
    "count": (pa.float64(), pa.int64()),
    "long": (pa.int64(), pa.int64()),
}


def era_columns(dataset: str, month: date) -> dict[str, tuple[str, str]]:
    """Return the columns of a month's file, with the names that they have in that month."""
    columns = dict(_COLUMNS[dataset])
    if dataset == "yellow" and month >= NEW_ERA:
        columns["Airport_fee"] = columns.pop("airport_fee")
    if month >= CBD_ERA:
        columns["cbd_congestion_fee"] = ("cbd", "money")
    return columns


def _taxi(dataset: str, month: date, rows: int, rng: np.random.Generator) -> Trips:
    """Return trips of green or yellow taxis. Money is in cents. In other whole numbers, NONE represents null."""
    t = make_journeys(dataset, month, rows, rng)
    minutes = (t["dropoff"] - t["pickup"]) / 60
    jfk = ((t["pu"] == 132) & is_manhattan(t["do"])) | ((t["do"] == 132) & is_manhattan(t["pu"]))
    odd = rng.random(rows)
    rate = np.where(jfk, 2, np.where(odd < 0.012, 5, np.where(odd < 0.014, 3, np.where(odd < 0.0142, 99, 1))))
    metered = np.round((3.0 + 2.5 * t["miles"] + 0.45 * minutes) * 10).astype(np.int64) * 10
    t["fare"] = np.where(rate == 2, 7000, metered)
    weekday = (t["day"] + month.weekday()) % 7
    rush = (t["hour"] >= 16) & (t["hour"] < 20) & (weekday < 5)
    night = (t["hour"] >= 20) | (t["hour"] < 6)
    t["extra"] = np.where(rush, 250, np.where(night, 100, 0))
    t["mta"] = np.where(rate == 5, 0, 50)
    t["improvement"] = np.full(rows, 100 if month >= date(2022, 12, 1) else 30)
    below = is_manhattan(t["pu"]) if dataset == "yellow" else rng.random(rows) < 0.3
    t["congestion"] = np.where(below | (is_manhattan(t["do"]) & (rng.random(rows) < 0.5)), 250, 0)
    t["airport"] = np.where((dataset == "yellow") & is_airport(t["pu"]), 125, 0)
    t["cbd"] = np.where(below & (month >= CBD_ERA), 75, 0)
    t["tolls"] = np.where(is_airport(t["pu"]) | is_airport(t["do"]), 655, 0) * (rng.random(rows) < 0.6)
    card = 0.78 if dataset == "yellow" else 0.62
    t["payment"] = 1 + np.searchsorted(np.cumsum([card, 0.985 - card, 0.009]), rng.random(rows))
    block = rng.random(rows) < (0.035 if dataset == "yellow" else 0.10)
    base = sum(t[name] for name in ("fare", "extra", "mta", "improvement", "congestion", "airport", "cbd", "tolls"))
    share = rng.choice([0.0, 0.1, 0.2, 0.25, 0.3], rows, p=[0.08, 0.07, 0.65, 0.12, 0.08])
    t["tip"] = np.round(base * share).astype(np.int64) * ((t["payment"] == 1) | block)
    t["total"] = base + t["tip"]
    t["passengers"] = np.searchsorted(np.cumsum([0.012, 0.75, 0.14, 0.035, 0.02, 0.023]), rng.random(rows))
    t["held"] = (rng.random(rows) < 0.006).astype(np.int64)
    t["trip_type"] = np.where(rate == 5, 2, 1)
    t["rate"] = rate
    t["vendor"] = np.where(rng.random(rows) < 0.3, 1, 2)
    t["vendor"][rng.random(rows) < 0.0002] = NONE
    t["vendor"][:: max(1, rows // 2)] = NONE if rows >= 1000 else t["vendor"][:: max(1, rows // 2)]
    for name in ("passengers", "rate", "held", "trip_type"):
        t[name][block] = NONE
    t["payment"][block] = NONE if dataset == "green" else 0
    t["block"] = block
    add_defects(t, _TAXI_MONEY, month, rng, voids=True)
    return t


def _fhvhv(month: date, rows: int, rng: np.random.Generator) -> Trips:
    """Return trips of high-volume for-hire services. Money is in cents."""
    t = make_journeys("fhvhv", month, rows, rng)
    minutes = (t["dropoff"] - t["pickup"]) / 60
    t["company"] = (rng.random(rows) < 0.27).astype(np.int64)
    t["request"] = t["pickup"] - rng.integers(60, 720, rows)
    t["scene"] = np.maximum(t["request"], t["pickup"] - rng.integers(0, 180, rows))
    t["fare"] = np.maximum(500, (2.2 + 1.6 * t["miles"] + 0.5 * minutes) * rng.lognormal(0, 0.25, rows) * 100).astype(
        int
    )
    t["tolls"] = np.where(is_airport(t["pu"]) | is_airport(t["do"]), 655, 0) * (rng.random(rows) < 0.5)
    t["bcf"] = np.round((t["fare"] + t["tolls"]) * 0.0275).astype(np.int64)
    t["tax"] = np.round((t["fare"] + t["tolls"]) * 0.08875).astype(np.int64)
    t["congestion"] = np.where(is_manhattan(t["pu"]) & is_manhattan(t["do"]), 275, 0)
    t["airport"] = np.where(is_airport(t["pu"]) | is_airport(t["do"]), 250, 0)
    t["cbd"] = np.where(is_manhattan(t["pu"]) & (month >= CBD_ERA), 150, 0)
    t["tip"] = np.round(t["fare"] * 0.2).astype(np.int64) * (rng.random(rows) < 0.18)
    t["pay"] = np.round(t["fare"] * rng.uniform(0.65, 0.95, rows)).astype(np.int64)
    t["shared"] = (rng.random(rows) < 0.02).astype(np.int64)
    t["matched"] = t["shared"] * (rng.random(rows) < 0.4)
    t["wav"] = (rng.random(rows) < 0.004).astype(np.int64)
    money = ("fare", "tolls", "bcf", "tax", "congestion", "airport", "cbd", "tip", "pay")
    add_defects(t, money, month, rng, voids=False)
    t["seconds"] = t["dropoff"] - t["pickup"]
    return t


def _arrow(trips: Trips, name: str, kind: str, new: bool, rows: int) -> Values:
    text: pa.DataType = pa.large_string() if new else pa.string()
    if kind == "ehail":
        return pa.nulls(rows).cast(pa.float64() if new else pa.null())
    if kind == "blank":
        return pa.array([" "] * rows).cast(text)
    values = trips[name]
    if kind in ("time", "scene"):
        mask = trips["company"] == 1 if kind == "scene" else None
        times: Values = pa.array((values * 1_000_000).astype("datetime64[us]"), mask=mask)
        return times
    if kind == "miles":
        return pa.array(values)
    if kind == "money":
        return pa.array(values / 100.0)
    if kind == "blocked money":
        return pa.array(values / 100.0, mask=trips["block"])
    if kind in _TEXTS:
        indices: Values = pa.array(values, mask=values == NONE)
        texts: Values = pa.array(_TEXTS[kind], pa.string())
        return texts.cast(text).take(indices)
    return pa.array(values, mask=values == NONE).cast(_WHOLE[kind][new])


def make_trips(dataset: str, month: date, rows: int, rng: np.random.Generator) -> pa.Table:
    """Return `rows` generated trips, with the column names, column order and types of the month's raw file."""
    trips = _fhvhv(month, rows, rng) if dataset == "fhvhv" else _taxi(dataset, month, rows, rng)
    columns = era_columns(dataset, month)
    new = month >= NEW_ERA
    return pa.table({column: _arrow(trips, name, kind, new, rows) for column, (name, kind) in columns.items()})

"""The inputs of every column of this project, written by hand from the models' SQL and Python code.

An input is `NODE.COLUMN`, with the kind in front: `~` transformed, `+` aggregated, `!` declared, `?` guessed, and
none if it is direct. `=` is a constant, `#` is generated.
"""

from __future__ import annotations

Columns = dict[str, list[str]]


def copies(columns: str, *nodes: str, kind: str = "") -> Columns:
    """Return columns that have the same name in their inputs."""
    return {column: [f"{kind}{node}.{column}" for node in nodes] for column in columns.split()}


def each(columns: str, inputs: list[str]) -> Columns:
    """Return columns that all have the same inputs."""
    return {column: inputs for column in columns.split()}


def of(node: str, columns: str, kind: str = "") -> list[str]:
    """Return columns of one node as inputs."""
    return [f"{kind}{node}.{column}" for column in columns.split()]


TAXI = """
    service_type vendor_id pickup_at dropoff_at pickup_zone_id dropoff_zone_id passenger_count trip_distance
    rate_code_id payment_type_id fare_amount extra mta_tax tip_amount tolls_amount improvement_surcharge
    congestion_surcharge airport_fee cbd_congestion_fee total_amount store_and_fwd_flag trip_type ehail_fee
    source_file source_row file_month
"""
FHVHV = """
    service_type licence_number dispatching_base originating_base requested_at on_scene_at pickup_at dropoff_at
    pickup_zone_id dropoff_zone_id trip_distance trip_seconds fare_amount tolls_amount black_car_fund sales_tax
    congestion_surcharge airport_fee cbd_congestion_fee tip_amount driver_pay shared_request_flag shared_match_flag
    access_a_ride_flag wav_request_flag wav_match_flag source_file source_row file_month
"""
FALSE = "=FALSE"
RUN_ID = "='INVOCATION_ID'"
WINDOW_KEYS = "service_type file_month source_file vendor_id pickup_at dropoff_at pickup_zone_id dropoff_zone_id"
REASONS = (
    "pickup_at file_month dropoff_at trip_distance has_mirror fare_amount pickup_zone_id dropoff_zone_id is_repeat"
)
FLAGS = "pickup_zone_id dropoff_zone_id trip_distance passenger_count vendor_id"
BOTH = ("stg_green_trips", "stg_yellow_trips")

STAGING: dict[str, Columns] = {
    "stg_green_trips": {
        **copies(
            "passenger_count trip_distance fare_amount extra mta_tax tip_amount tolls_amount improvement_surcharge "
            "congestion_surcharge cbd_congestion_fee total_amount store_and_fwd_flag trip_type ehail_fee source_file "
            "source_row file_month",
            "lake.green",
        ),
        "service_type": ["='green'"],
        "vendor_id": ["lake.green.vendorid"],
        "pickup_at": ["lake.green.lpep_pickup_datetime"],
        "dropoff_at": ["lake.green.lpep_dropoff_datetime"],
        "pickup_zone_id": ["lake.green.pulocationid"],
        "dropoff_zone_id": ["lake.green.dolocationid"],
        "rate_code_id": ["lake.green.ratecodeid"],
        "payment_type_id": ["lake.green.payment_type"],
        "airport_fee": ["=CAST(NULL AS DECIMAL(12, 2))"],
    },
    "stg_yellow_trips": {
        **copies(
            "passenger_count trip_distance fare_amount extra mta_tax tip_amount tolls_amount improvement_surcharge "
            "congestion_surcharge airport_fee cbd_congestion_fee total_amount store_and_fwd_flag source_file "
            "source_row file_month",
            "lake.yellow",
        ),
        "service_type": ["='yellow'"],
        "vendor_id": ["lake.yellow.vendorid"],
        "pickup_at": ["lake.yellow.tpep_pickup_datetime"],
        "dropoff_at": ["lake.yellow.tpep_dropoff_datetime"],
        "pickup_zone_id": ["lake.yellow.pulocationid"],
        "dropoff_zone_id": ["lake.yellow.dolocationid"],
        "rate_code_id": ["lake.yellow.ratecodeid"],
        "payment_type_id": ["lake.yellow.payment_type"],
        "trip_type": ["=CAST(NULL AS INT)"],
        "ehail_fee": ["=CAST(NULL AS DECIMAL(12, 2))"],
    },
    "stg_fhvhv_trips": {
        **copies(
            "sales_tax congestion_surcharge airport_fee cbd_congestion_fee driver_pay shared_request_flag "
            "shared_match_flag access_a_ride_flag wav_request_flag wav_match_flag source_file source_row file_month",
            "lake.fhvhv",
        ),
        "service_type": ["='fhvhv'"],
        "licence_number": ["lake.fhvhv.hvfhs_license_num"],
        "dispatching_base": ["lake.fhvhv.dispatching_base_num"],
        "originating_base": ["lake.fhvhv.originating_base_num"],
        "requested_at": ["lake.fhvhv.request_datetime"],
        "on_scene_at": ["lake.fhvhv.on_scene_datetime"],
        "pickup_at": ["lake.fhvhv.pickup_datetime"],
        "dropoff_at": ["lake.fhvhv.dropoff_datetime"],
        "pickup_zone_id": ["lake.fhvhv.pulocationid"],
        "dropoff_zone_id": ["lake.fhvhv.dolocationid"],
        "trip_distance": ["lake.fhvhv.trip_miles"],
        "trip_seconds": ["lake.fhvhv.trip_time"],
        "fare_amount": ["lake.fhvhv.base_passenger_fare"],
        "tolls_amount": ["lake.fhvhv.tolls"],
        "black_car_fund": ["lake.fhvhv.bcf"],
        "tip_amount": ["lake.fhvhv.tips"],
    },
}

INTERMEDIATE: dict[str, Columns] = {
    "int_trips_windowed": {
        **copies(TAXI, *BOTH),
        "has_mirror": [
            FALSE,
            *(f"+{node}.total_amount" for node in BOTH),
            *(item for node in BOTH for item in of(node, WINDOW_KEYS, "~")),
        ],
        "is_repeat": [FALSE, *(item for node in BOTH for item in of(node, TAXI, "~"))],
    },
    "int_trips_checked": {
        **copies(TAXI, "int_trips_windowed"),
        "reasons": of("int_trips_windowed", REASONS, "~"),
        "flags": of("int_trips_windowed", FLAGS, "~"),
        "is_quarantined": of("int_trips_windowed", REASONS, "~"),
        "run_id": [RUN_ID],
    },
    "int_trips": {
        **copies(f"{TAXI} flags run_id", "int_trips_checked"),
        "trip_id": of("int_trips_checked", "service_type file_month source_row", "~"),
    },
    "int_trips_quarantined": copies(f"{TAXI} reasons flags run_id", "int_trips_checked"),
    "int_fhvhv_trips_windowed": {
        **copies(FHVHV, "stg_fhvhv_trips"),
        "has_mirror": [FALSE],
        "is_repeat": [FALSE, *of("stg_fhvhv_trips", FHVHV.replace("service_type", ""), "~")],
    },
    "int_fhvhv_trips_checked": {
        **copies(FHVHV, "int_fhvhv_trips_windowed"),
        "reasons": of("int_fhvhv_trips_windowed", REASONS, "~"),
        "flags": of("int_fhvhv_trips_windowed", "pickup_zone_id dropoff_zone_id trip_distance", "~"),
        "is_quarantined": of("int_fhvhv_trips_windowed", REASONS, "~"),
        "run_id": [RUN_ID],
    },
    "int_fhvhv_trips": copies(f"{FHVHV} flags run_id", "int_fhvhv_trips_checked"),
    "int_fhvhv_trips_quarantined": copies(f"{FHVHV} reasons flags run_id", "int_fhvhv_trips_checked"),
}

CHECKED = ("int_trips_checked", "int_fhvhv_trips_checked")
CHECKED_ROWS = [f"+{node}.*" for node in CHECKED]
MARTS: dict[str, Columns] = {
    "dim_zones": {
        **copies("zone_id borough service_zone", "zones"),
        "zone": ["zones.zone_name"],
        "is_known": ["~zones.zone_id"],
    },
    "zones_history": {
        **copies("zone_id zone borough service_zone is_known", "dim_zones"),
        **{
            name: ["#added by dbt's snapshot"]
            for name in ("dbt_scd_id", "dbt_updated_at", "dbt_valid_from", "dbt_valid_to")
        },
    },
    "fct_trips": {
        **copies(
            "trip_id service_type vendor_id pickup_at dropoff_at pickup_zone_id dropoff_zone_id passenger_count "
            "trip_distance rate_code_id payment_type_id fare_amount extra mta_tax tip_amount tolls_amount "
            "improvement_surcharge congestion_surcharge airport_fee cbd_congestion_fee total_amount source_file",
            "int_trips",
        ),
        "pickup_month": ["int_trips.file_month"],
    },
    "fhvhv_zone_pickups": {
        **copies("licence_number pickup_zone_id", "int_fhvhv_trips"),
        "pickup_month": ["int_fhvhv_trips.file_month"],
        "company": ["licence_numbers.company"],
        "zone": ["dim_zones.zone"],
        "pickups": ["+int_fhvhv_trips.*"],
    },
    "hourly_zone_revenue": {
        **copies("pickup_month pickup_zone_id", "fct_trips", kind="~"),
        **copies("zone borough", "dim_zones"),
        "pickup_hour": ["~fct_trips.pickup_at"],
        "green_trips": ["+fct_trips.*"],
        "green_amount": ["+fct_trips.total_amount"],
        "yellow_trips": ["+fct_trips.*"],
        "yellow_amount": ["+fct_trips.total_amount"],
    },
    "monthly_zone_revenue": {
        **copies("pickup_zone_id service_type", "fct_trips"),
        "revenue_month": ["fct_trips.pickup_month"],
        "revenue_monthly_fare": ["+fct_trips.fare_amount"],
        "revenue_monthly_extra": ["+fct_trips.extra"],
        "revenue_monthly_mta_tax": ["+fct_trips.mta_tax"],
        "revenue_monthly_tip_amount": ["+fct_trips.tip_amount"],
        "revenue_monthly_tolls_amount": ["+fct_trips.tolls_amount"],
        "revenue_monthly_improvement_surcharge": ["+fct_trips.improvement_surcharge"],
        "revenue_monthly_total_amount": ["+fct_trips.total_amount"],
        "revenue_monthly_congestion_surcharge": ["+fct_trips.congestion_surcharge"],
        "avg_monthly_passenger_count": ["+fct_trips.passenger_count"],
        "avg_monthly_trip_distance": ["+fct_trips.trip_distance"],
        "trips": ["+fct_trips.*"],
    },
    "quality_report": {
        **copies("service_type", *CHECKED),
        "month": [f"{node}.file_month" for node in CHECKED],
        "rule": [
            "='pickup_outside_month', 'dropoff_before_pickup', 'longer_than_12_hours', 'distance_negative', "
            "'distance_over_100_miles', ..."
        ],
        "severity": ["='error', 'warn'"],
        "rows": CHECKED_ROWS,
        "checked_rows": CHECKED_ROWS,
        "share": CHECKED_ROWS,
    },
    "zone_pair_monthly": {
        **copies("pickup_zone_id dropoff_zone_id", "int_trips"),
        "pickup_month": ["int_trips.file_month"],
        "trips": ["+int_trips.*"],
        "distance_miles": ["+int_trips.trip_distance"],
        "duration_seconds": of("int_trips", "pickup_at dropoff_at", "+"),
        "fare_amount": ["+int_trips.fare_amount"],
    },
}

NO_INPUT = ["#declared in `meta.lineage` to have no input column"]
LEDGER = "batches.batch_runs"
TRAINED: Columns = {
    **each("model version trained_at inputs month_column target prior features path seconds", NO_INPUT),
    **each(
        "parameters candidates trained_rows test_rows mae rmse r2 baseline_mae baseline_rmse baseline_r2 importance "
        "reference",
        ["!trip_features.*"],
    ),
    "key": of(LEDGER, "interval_start batch_id", "!"),
    "months": of(LEDGER, "interval_start delta_version batch_id", "!"),
    "test_month": of(LEDGER, "interval_start", "!"),
}
MILES = of("zone_pair_monthly", "distance_miles trips", "!")
MINUTES = of("zone_pair_monthly", "duration_seconds trips", "!")
FARE = of("zone_pair_monthly", "fare_amount trips", "!")
PREDICTORS = of(
    "trip_features",
    "pickup_hour pickup_weekday service_type passenger_count pickup_zone_id dropoff_zone_id past_trips_a_month "
    "past_miles past_minutes past_fare from_zone_miles from_zone_minutes from_zone_fare to_zone_miles "
    "to_zone_minutes to_zone_fare",
    "!",
)
LIVE = of("model_registry", "live_version is_promoted", "!")
TRAINING_MODELS = ("fare_model", "duration_model")
PROMOTION = [
    *(item for model in TRAINING_MODELS for item in of(model, "mae baseline_mae", "!")),
    "!trip_features.*",
]
ENDS = of("zone_pair_monthly", "pickup_zone_id dropoff_zone_id", "!")
PYTHON: dict[str, Columns] = {
    "trip_features": {
        **copies("trip_id service_type vendor_id pickup_at passenger_count", "int_trips", kind="?"),
        **copies("pickup_zone_id dropoff_zone_id fare_amount", "int_trips", kind="!"),
        **each("pickup_hour pickup_weekday is_weekend", ["!int_trips.pickup_at"]),
        **each("past_miles from_zone_miles to_zone_miles", MILES),
        **each("past_minutes from_zone_minutes to_zone_minutes", MINUTES),
        **each("past_fare from_zone_fare to_zone_fare", FARE),
        "pickup_month": ["!int_trips.file_month"],
        "past_trips_a_month": of("zone_pair_monthly", "trips pickup_month", "!"),
        "duration_minutes": of("int_trips", "pickup_at dropoff_at", "!"),
    },
    "fare_model": TRAINED,
    "duration_model": TRAINED,
    "model_registry": {
        **copies("model version test_month mae baseline_mae", *TRAINING_MODELS, kind="?"),
        "is_promoted": PROMOTION,
        "reason": PROMOTION,
        "live_version": [f"!{model}.version" for model in TRAINING_MODELS],
        "live_mae": [*(f"!{model}.path" for model in TRAINING_MODELS), "!trip_features.*"],
        "decided_at": NO_INPUT,
    },
    "trip_predictions": {
        **copies(
            "trip_id pickup_month service_type pickup_at pickup_zone_id dropoff_zone_id fare_amount duration_minutes",
            "trip_features",
            kind="?",
        ),
        "predicted_fare": [*PREDICTORS, "!fare_model.path"],
        "fare_version": ["!fare_model.version", *LIVE],
        "predicted_duration": [*PREDICTORS, "!duration_model.path"],
        "duration_version": ["!duration_model.version", *LIVE],
    },
    "exported_predictions": {
        **copies("pickup_month", "trip_predictions", kind="?"),
        "trips": ["!trip_predictions.*"],
        "path": ["!trip_predictions.pickup_month"],
    },
    "prediction_drift": {
        **copies("pickup_month", "trip_predictions", kind="!"),
        "model": NO_INPUT,
        "measure": NO_INPUT,
        "version": of("trip_predictions", "fare_version duration_version", "!"),
        "role": [f"!{model}.months" for model in TRAINING_MODELS],
        "feature": [f"!{model}.reference" for model in TRAINING_MODELS],
        "value": [
            *of("trip_predictions", "predicted_fare fare_amount predicted_duration duration_minutes", "!"),
            *(item for model in TRAINING_MODELS for item in of(model, "mae reference", "!")),
            "!trip_features.*",
        ],
        "trips": ["!trip_predictions.*"],
    },
    "trip_anomalies": {
        **copies("trip_id pickup_month pickup_zone_id dropoff_zone_id", "fct_trips", kind="?"),
        "score": of(
            "fct_trips",
            "pickup_month pickup_zone_id dropoff_zone_id trip_distance pickup_at dropoff_at fare_amount",
            "!",
        ),
        "compared_trips": of("fct_trips", "pickup_month pickup_zone_id dropoff_zone_id", "!"),
    },
    "zone_clusters": {
        **each("cluster clusters silhouette label", of("fct_trips", "pickup_zone_id pickup_at", "!")),
        "zone_id": ["!fct_trips.pickup_zone_id"],
        "trips": ["!fct_trips.*"],
    },
    "zone_rank": {
        "zone_id": ENDS,
        "page_rank": [*ENDS, "!zone_pair_monthly.trips"],
        "rank_by_frames": [*ENDS, "!zone_pair_monthly.trips"],
        "triangles": ENDS,
        "component": ENDS,
    },
    "hourly_revenue_rdd": {
        **copies("pickup_month pickup_zone_id", "fct_trips", kind="?"),
        "pickup_hour": ["!fct_trips.pickup_at"],
        "green_trips": ["!fct_trips.service_type"],
        "green_amount": of("fct_trips", "total_amount service_type", "!"),
        "yellow_trips": ["!fct_trips.service_type"],
        "yellow_amount": of("fct_trips", "total_amount service_type", "!"),
    },
    "stream_progress": {
        "batch_id": NO_INPUT,
        "manifest_version": ["!lake.manifest.version"],
        "dataset": ["!lake.manifest.dataset"],
        "file_month": ["!lake.manifest.file_month"],
        "rows": [f"!{node}.*" for node in BOTH],
        "delta_version": NO_INPUT,
    },
}

EXPECTED: dict[str, Columns] = {**STAGING, **INTERMEDIATE, **MARTS, **PYTHON}

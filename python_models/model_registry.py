"""Decide for each trained version, once, whether it replaces the live version, which makes the predictions."""

from penstock.ml import registry


def model(dbt, session):
    dbt.config(materialized="incremental", incremental_strategy="append", full_refresh=False)
    fare = dbt.ref("fare_model")
    duration = dbt.ref("duration_model")
    features = dbt.ref("trip_features")
    known = registry.versions(fare) | registry.versions(duration)
    decided = session.table(f"{dbt.this}") if dbt.is_incremental else None
    return registry.decide(session, known, decided, features, dbt.log)

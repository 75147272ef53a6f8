"""Train a model of trip duration on all but the last two months. `_ml.yml` has its configuration."""

from penstock.ml.training import train


def model(dbt, session):
    dbt.config(materialized="incremental", incremental_strategy="append", full_refresh=False)
    features = dbt.ref("trip_features")
    run_ledger = dbt.source("batches", "batch_runs")
    return train(dbt, session, features, run_ledger, dbt.config.get("meta"))

"""A version of how long a trip will take, learned from the months before the last: what of, its yml says."""

from penstock.ml.training import train


def model(dbt, session):
    dbt.config(materialized="incremental", incremental_strategy="append", full_refresh=False)
    features = dbt.ref("trip_features")
    batches = dbt.source("batches", "batch_runs")
    return train(dbt, session, features, batches, dbt.config.get("meta"))

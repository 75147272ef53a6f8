"""Batches by interval: which intervals a model has, which it lacks, and the ledger that says so. Knows no dbt."""

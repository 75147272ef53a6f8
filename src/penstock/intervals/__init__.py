"""Interval models: the intervals of a model's inputs, those that are stale, and the run ledger; independent of dbt."""

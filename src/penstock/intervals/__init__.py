"""Interval models: incremental models that are built by month or day.

The package finds stale intervals, plans commits, and keeps the run ledger. It doesn't import dbt.
"""

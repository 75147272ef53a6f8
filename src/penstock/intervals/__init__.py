"""Interval models, which are built by month or day: the stale intervals and the run ledger. Imports no dbt."""

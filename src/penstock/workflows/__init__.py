"""Workflows with several steps: the quickstart and the backfill, with helpers to run dbt and to show progress."""

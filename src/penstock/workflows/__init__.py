"""Workflows of several steps: the quickstart, a backfill, and dbt commands in this process."""

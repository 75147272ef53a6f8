"""Commands of several steps: the quickstart, a backfill, and dbt run inside this process."""

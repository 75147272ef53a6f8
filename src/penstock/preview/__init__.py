"""Preview what the next run of dbt would do, without running it."""

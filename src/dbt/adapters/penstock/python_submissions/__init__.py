"""Python models: `submission_method: connect` inside dbt, `spark_submit` in a driver of its own."""

"""Python models: submitted over Spark Connect, or with spark-submit."""

"""The lake: monthly source files landed as typed parquet, a manifest of the live ones, and their tables in Spark."""

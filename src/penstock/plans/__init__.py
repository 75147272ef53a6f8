"""Spark's physical plans: parsed, asked, tested and told in words. Knows no dbt."""

"""Spark's physical plans: parse them, query them, check assertions on them, and store them. Imports no dbt."""

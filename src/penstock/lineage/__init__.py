"""Column-level lineage: the columns from which each column of a dbt project is computed."""

"""Record each dbt command in dbt's target folder, and send OpenLineage events about it."""

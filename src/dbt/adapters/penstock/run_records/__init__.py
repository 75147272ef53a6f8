"""Records dbt commands in the target folder, and sends them as OpenLineage events."""

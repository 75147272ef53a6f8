"""Records of finished and running dbt commands, in dbt's target folder."""

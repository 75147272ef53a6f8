"""Write a new project from a template, or add penstock to an existing dbt project."""

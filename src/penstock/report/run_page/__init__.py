"""`penstock report run`: one HTML page about a dbt command, and the list of the kept commands."""

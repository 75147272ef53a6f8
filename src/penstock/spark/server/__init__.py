"""The Spark server of a target: its configuration, its supervisor process, and functions that start and stop it."""

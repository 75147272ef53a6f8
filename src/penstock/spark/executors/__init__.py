"""Executors of a cluster: their settings, their Python, and the packages that Spark sends them."""

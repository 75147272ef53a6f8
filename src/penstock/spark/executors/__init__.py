"""The executors of a cluster: their settings, their Python, and the Python packages that Spark sends to them."""

"""A standalone Spark cluster (master and workers) on this machine, for trials and tests."""

"""A standalone Spark cluster on this machine, for trials and tests: a master and workers."""

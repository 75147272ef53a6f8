"""A standalone Spark cluster on this machine: a master and workers, to try and to test one."""

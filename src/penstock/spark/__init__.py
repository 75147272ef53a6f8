"""The Spark that this machine runs: Java, jars, the server, its metastore, executors, and a local cluster."""

"""The Hive metastore of a server: which one, and its process."""

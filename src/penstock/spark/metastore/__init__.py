"""The Hive metastore of a server: its address and its process."""

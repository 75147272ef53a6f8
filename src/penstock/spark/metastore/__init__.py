"""The Hive metastore of a server: its configuration and its process."""

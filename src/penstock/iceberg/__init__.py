"""Check the new rows and the partitions of an Iceberg table whose intervals are replaced."""

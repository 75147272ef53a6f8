"""Write Iceberg tables: checks that Delta makes itself, and the partitions that a replacement of intervals needs."""

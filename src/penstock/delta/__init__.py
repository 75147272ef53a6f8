"""Delta tables: their log, conflicting commits, replaced ranges, and sorted writes."""

"""Delta tables: log, concurrent commits, merge keys, replaced intervals, sorted writes and table features."""

"""Read and write Delta tables: transaction log, conflicts, error messages, sorted writes and table features."""

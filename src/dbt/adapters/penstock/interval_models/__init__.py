"""The incremental strategy `interval`, which replaces whole intervals in atomic commits if their inputs changed."""

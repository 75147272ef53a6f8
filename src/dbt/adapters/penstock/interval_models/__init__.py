"""The incremental strategy `interval`: whole intervals, replaced in atomic commits when their inputs changed."""

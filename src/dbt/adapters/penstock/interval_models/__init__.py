"""The incremental strategy `interval`. It rebuilds months or days whose inputs changed, in atomic commits."""

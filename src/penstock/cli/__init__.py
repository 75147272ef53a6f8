"""The command line program `penstock`, with one module per group of commands."""

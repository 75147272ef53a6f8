"""The command line `penstock`: one module for each group of commands."""

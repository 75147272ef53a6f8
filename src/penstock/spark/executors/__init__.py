"""Executors: how they start, which Python they run, and the packages that they receive."""

"""Benchmarks: `python bench/run.py NAME` measures, prints tables, and writes them into the docs."""

"""What models that learn have in common: split by month, train, register, apply, watch for drift.

The dbt models in python_models/ are thin: they name their inputs, and their yml says what is learned
from which features. Nothing here knows of trips.
"""

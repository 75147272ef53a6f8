"""Machine learning shared by the training models: month split, training, registry, predictions and drift.

The dbt models in python_models/ are thin: they name their inputs, and their yml configures target and
features. Nothing here depends on trips.
"""

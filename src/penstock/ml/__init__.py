"""The machine learning code that the training models share: month split, training, registry, predictions and drift.

The dbt models in python_models/ are thin: they name their inputs, and their yml configures target and
features. Nothing here depends on trips.
"""

from typing import NoReturn

from penstock.errors import PenstockError

# New name of each renamed module, by its name in version 0.1.0. Python models of a project may still use the old names.
RENAMED = {"months": "training_months", "store": "model_store", "watch": "monitoring"}


def __getattr__(name: str) -> NoReturn:
    """Raise an error that names the new module, for a module name of version 0.1.0.

    Raises:
        PenstockError: the module was renamed.
        AttributeError: there is no such module.
    """
    if name in RENAMED:
        raise PenstockError("a module of penstock.ml", f"`{name}`", f"write `from penstock.ml import {RENAMED[name]}`")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""dbt's `packages` of a Python model: checked before it runs; nothing is installed."""

from __future__ import annotations

import importlib.metadata
import shlex
from collections.abc import Iterable

from packaging.requirements import InvalidRequirement, Requirement

from dbt.adapters.penstock.errors import AdapterError


def missing(packages: Iterable[str]) -> dict[str, str]:
    """Requirements that aren't met, each with what was found instead.

    Raises:
        InvalidRequirement: one that is not written as pip takes it.
    """
    found: dict[str, str] = {}
    for text in packages:
        requirement = Requirement(text)
        if requirement.marker and not requirement.marker.evaluate():
            continue
        try:
            version = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            found[text] = "not installed"
            continue
        if not requirement.specifier.contains(version, prereleases=True):
            found[text] = f"{version} is installed"
    return found


def require(packages: Iterable[str], name: str) -> None:
    """Check a model's packages.

    Args:
        packages: requirements as pip writes them, `pandas>=2.2`.
        name: the model's name.

    Raises:
        DbtRuntimeError: some aren't met; all of them are named with the command that installs them.
    """
    try:
        lacking = missing(packages)
    except InvalidRequirement as error:
        words = str(error).splitlines()[0]
        raise AdapterError(
            f"requirements as pip takes them in packages of {name}",
            words,
            "correct packages",
        ) from None
    if lacking:
        found = ", ".join(f"{text} ({words})" for text, words in lacking.items())
        raise AdapterError(
            f"the packages of the Python model {name}",
            found,
            f"pip install {shlex.join(lacking)}",
        )

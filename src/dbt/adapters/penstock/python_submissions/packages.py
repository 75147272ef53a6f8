"""Check dbt's `packages` of a Python model before it runs; nothing is installed."""

from __future__ import annotations

import importlib.metadata
import shlex
from collections.abc import Iterable

from packaging.requirements import InvalidRequirement, Requirement

from dbt.adapters.penstock.errors import AdapterError


def missing(packages: Iterable[str]) -> dict[str, str]:
    """Return the requirements that are not met, each with the version found instead.

    Raises:
        InvalidRequirement: a requirement that pip could not read.
    """
    unmet: dict[str, str] = {}
    for text in packages:
        requirement = Requirement(text)
        if requirement.marker and not requirement.marker.evaluate():
            continue
        try:
            version = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            unmet[text] = "not installed"
            continue
        if not requirement.specifier.contains(version, prereleases=True):
            unmet[text] = f"{version} is installed"
    return unmet


def require(packages: Iterable[str], name: str) -> None:
    """Check a model's packages.

    Args:
        packages: requirements in pip's syntax, `pandas>=2.2`.
        name: the model's name.

    Raises:
        DbtRuntimeError: some are not met; the error names all of them, and the command that installs them.
    """
    try:
        lacking = missing(packages)
    except InvalidRequirement as error:
        found = str(error).splitlines()[0]
        raise AdapterError(f"requirements in pip's syntax in packages of {name}", found, "correct packages") from None
    if lacking:
        found = ", ".join(f"{text} ({version})" for text, version in lacking.items())
        raise AdapterError(f"the packages of the Python model {name}", found, f"pip install {shlex.join(lacking)}")
